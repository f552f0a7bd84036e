import { idEntries } from '../../naming/ids.ts';
import type { SeriesPlan } from './plan.ts';

/** What deciding which series a plan is asks of those that are known. */
export interface KnownSeries {
  readonly id: string;
  readonly identity: string;
  readonly ids: Readonly<Record<string, string>>;
  readonly lockedFields: readonly string[];
  /** Its videos outside of the batch. */
  readonly others: number;
}

/** A plan with the series it is of. */
export interface Resolution {
  readonly plan: SeriesPlan;
  readonly seriesId: string;
}

/**
 * Decides for each plan whether it is a known series: by a person's word, by an id elsewhere, by
 * title and year, by what its files were; else a new one. A folder without videos makes one only by
 * its NFO. One whose ids a person set is what its files were, whatever ids they bear. Pure.
 */
export function resolve(
  plans: readonly SeriesPlan[],
  known: readonly KnownSeries[],
  newId: () => string,
): { resolved: Resolution[]; lost: SeriesPlan[] } {
  const pool = new Map(known.map((one) => [one.id, one]));
  const resolved: Resolution[] = [];
  const lost: SeriesPlan[] = [];
  for (const plan of plans) {
    const given = plan.pin !== undefined && pool.has(plan.pin.itemId) ? plan.pin.itemId : undefined;
    const id = given ?? find(plan, [...pool.values()]);
    if (id === undefined && plan.isPartial && plan.nfo === undefined) {
      lost.push(plan);
      continue;
    }
    const seriesId = id ?? newId();
    resolved.push({ plan, seriesId });
    if (plan.keepsRow === true) continue;
    const before = pool.get(seriesId);
    const { identity } = plan;
    pool.set(seriesId, {
      ...{ id: seriesId, identity, others: (before?.others ?? 0) + 1 },
      lockedFields: before?.lockedFields ?? [],
      ids:
        before !== undefined && isIdLocked(before) ? before.ids : { ...before?.ids, ...plan.ids },
    });
  }
  return { resolved, lost };
}

function find(plan: SeriesPlan, pool: readonly KnownSeries[]): string | undefined {
  const ids = idEntries(plan.ids);
  const shares = ({ ids: theirs }: KnownSeries) =>
    ids.some(([source, id]) => theirs[source] === id);
  const contradicts = ({ ids: theirs }: KnownSeries) =>
    ids.some(([source, id]) => theirs[source] !== undefined && theirs[source] !== id);
  const prior = plan.itemIds.map((id) => pool.find((one) => one.id === id)).find((one) => one);
  if (prior !== undefined && isIdLocked(prior)) return prior.id;
  const possible = pool.filter((one) => shares(one) || !contradicts(one));
  const byId = possible.find(shares);
  if (byId !== undefined) return byId.id;
  // What lies beside its videos says other ids than before: it is the same series still.
  if (plan.isPartial && prior !== undefined) return prior.id;
  const exact = possible.find(({ identity }) => identity === plan.identity);
  if (exact !== undefined) return exact.id;
  const title = titleOf(plan.identity);
  const alike = possible.filter(
    ({ identity }) =>
      titleOf(identity) === title && (plan.year === undefined || identity.endsWith('|')),
  );
  const [only, second] = alike;
  if (only !== undefined && second === undefined) return only.id;
  // Renamed, or with other ids: all its files are here under another name.
  return plan.itemIds.find((id) => pool.some((one) => one.id === id && one.others === 0));
}

const isIdLocked = ({ lockedFields }: KnownSeries): boolean => lockedFields.includes('ids');

/** The identity without its year. */
export const titleOf = (identity: string): string =>
  identity.slice(0, identity.lastIndexOf('|') + 1);

/** What tells most of the series that all these are: an NFO, then what is surest. Pure. */
export const bestPlan = (found: readonly Resolution[]): SeriesPlan =>
  found.map(({ plan }) => plan).reduce((a, b) => (outranks(b, a) ? b : a));

const outranks = (a: SeriesPlan, b: SeriesPlan): boolean =>
  (a.nfo !== undefined) === (b.nfo !== undefined)
    ? a.match.score > b.match.score
    : a.nfo !== undefined;
