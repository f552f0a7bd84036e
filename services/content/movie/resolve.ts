import { idEntries, type ProviderIds } from '../../naming/ids.ts';
import type { Plan } from './plan.ts';

/** A film of the library as resolution sees it. */
export interface KnownFilm {
  readonly id: string;
  readonly identity: string;
  readonly ids: Readonly<Record<string, string>>;
  readonly lockedFields: readonly string[];
  /** Videos of it that are there and not in this batch. */
  readonly others: number;
}

/** Which film each plan is; new ones carry an id nobody has used. */
export interface Resolution {
  readonly plan: Plan;
  readonly filmId: string;
  readonly isNew: boolean;
}

interface Target {
  readonly id: string;
  readonly isNew: boolean;
  readonly identities: Set<string>;
  readonly ids: Map<string, string>;
  readonly isIdLocked: boolean;
  readonly others: number;
  isClaimed: boolean;
}

/**
 * Decides which film each plan is: the one a person gave its files to; else the one its files
 * already are, unless they say otherwise now; else the one with its ids; else the one of its title
 * and year; else the one whose files it replaces; else a new one. Pure: `newId` hands out ids.
 */
export function resolve(
  plans: readonly Plan[],
  known: readonly KnownFilm[],
  newId: () => string,
): Resolution[] {
  const targets = new Map(known.map((film) => [film.id, toTarget(film)]));
  const index = createIndex(targets.values());
  const chosen = new Map<Plan, Target>();
  const claim = (plan: Plan, target: Target) => {
    target.isClaimed = true;
    target.identities.add(plan.identity);
    for (const [source, value] of idEntries(plan.ids)) {
      if (!target.ids.has(source)) target.ids.set(source, value);
    }
    index.add(target);
    chosen.set(plan, target);
  };
  for (const { plan, target } of pinnedOf(plans, targets)) {
    target.isClaimed = true;
    chosen.set(plan, target);
    if (plan.keepsRow !== true) claim(plan, target);
  }
  for (const plan of plans) {
    const prior = chosen.has(plan) ? undefined : priorOf(plan, targets);
    if (prior === undefined) continue;
    const isItsOwn =
      agrees(plan, prior) && !conflicts(plan, prior) && !isElsewhere(plan, prior, index);
    if (plan.isPartial || prior.isIdLocked || isItsOwn) claim(plan, prior);
  }
  for (const plan of plans) {
    if (chosen.has(plan)) continue;
    const prior = priorOf(plan, targets);
    const target = find(plan, index) ?? successorOf(plan, prior) ?? newTarget(newId());
    if (target === prior && conflicts(plan, target)) replaceIds(plan.ids, target);
    claim(plan, target);
  }
  return plans.map((plan) => {
    const target = chosen.get(plan);
    if (target === undefined) throw new Error('a plan was left without a film');
    return { plan, filmId: target.id, isNew: target.isNew };
  });
}

/** Plans whose files a person gave to films; whatever ids they bear, they are those. */
function pinnedOf(
  plans: readonly Plan[],
  targets: ReadonlyMap<string, Target>,
): { plan: Plan; target: Target }[] {
  return plans.flatMap((plan) => {
    const target = targets.get(plan.pin?.itemId ?? '');
    if (target === undefined) return [];
    const isNews = plan.keepsRow !== true && !target.isIdLocked && conflicts(plan, target);
    if (isNews) replaceIds(plan.ids, target);
    return [{ plan, target }];
  });
}

const toTarget = (film: KnownFilm): Target => ({
  id: film.id,
  isNew: false,
  identities: new Set([film.identity]),
  ids: new Map(Object.entries(film.ids)),
  isIdLocked: film.lockedFields.includes('ids'),
  others: film.others,
  isClaimed: false,
});

const newTarget = (id: string): Target => ({
  id,
  isNew: true,
  identities: new Set(),
  ids: new Map(),
  isIdLocked: false,
  others: 0,
  isClaimed: false,
});

interface Index {
  readonly byId: ReadonlyMap<string, readonly Target[]>;
  readonly byIdentity: ReadonlyMap<string, readonly Target[]>;
  add(target: Target): void;
}

/** Targets by what they may be found by; `add` again after a target has learned more. */
function createIndex(initial: Iterable<Target>): Index {
  const byId = new Map<string, Target[]>();
  const byIdentity = new Map<string, Target[]>();
  const put = (map: Map<string, Target[]>, key: string, target: Target) => {
    const list = map.get(key);
    if (list === undefined) map.set(key, [target]);
    else if (!list.includes(target)) list.push(target);
  };
  const add = (target: Target) => {
    for (const [source, value] of target.ids) put(byId, `${source}:${value}`, target);
    for (const identity of target.identities) put(byIdentity, identity, target);
  };
  for (const target of initial) add(target);
  return { byId, byIdentity, add };
}

/** The film that the files of a plan were, or replace, and are still whatever they say. */
function successorOf(plan: Plan, prior: Target | undefined): Target | undefined {
  if (prior === undefined) return undefined;
  const isStill =
    prior.id === plan.replaces ? !conflicts(plan, prior) : prior.others === 0 && !prior.isClaimed;
  return isStill ? prior : undefined;
}

/** The film most of the plan's videos were at the last scan, or whose they replace. */
function priorOf(plan: Plan, targets: ReadonlyMap<string, Target>): Target | undefined {
  const counts = new Map<string, number>();
  for (const { itemId } of plan.videos) {
    if (itemId !== undefined) counts.set(itemId, (counts.get(itemId) ?? 0) + 1);
  }
  const [best] = [...counts].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1));
  return targets.get(best?.[0] ?? plan.replaces ?? '');
}

const sharesId = (plan: Plan, target: Target): boolean =>
  idEntries(plan.ids).some(([source, value]) => target.ids.get(source) === value);

const agrees = (plan: Plan, target: Target): boolean =>
  sharesId(plan, target) || target.identities.has(plan.identity);

const conflicts = (plan: Plan, target: Target): boolean =>
  idEntries(plan.ids).some(([source, value]) => (target.ids.get(source) ?? value) !== value);

/** Its ids are another film's: the two are one. */
const isElsewhere = (plan: Plan, prior: Target, index: Index): boolean => {
  const owner = findById(plan, index);
  return owner !== undefined && owner !== prior && !sharesId(plan, prior);
};

function findById(plan: Plan, index: Index): Target | undefined {
  for (const [source, value] of idEntries(plan.ids)) {
    const found = index.byId.get(`${source}:${value}`)?.find((target) => sharesId(plan, target));
    if (found !== undefined) return found;
  }
  return undefined;
}

const find = (plan: Plan, index: Index): Target | undefined =>
  findById(plan, index) ??
  index.byIdentity.get(plan.identity)?.find((target) => !conflicts(plan, target));

function replaceIds(ids: ProviderIds, target: Target): void {
  for (const [source, value] of idEntries(ids)) target.ids.set(source, value);
}
