import { leftAt, mainShare, sharesOf, type Entry, type Pin, type Pins } from '../pins.ts';
import type { PlacedFile } from '../placed.ts';
import { mostFrequent, type GroupPlan, type SeriesPlan } from './plan.ts';

/** One version of an episode, with the group it is of. */
interface Part {
  readonly of: GroupPlan;
  readonly version: GroupPlan['group']['versions'][number];
}

const filesOf = (parts: readonly Part[]): PlacedFile[] =>
  parts.flatMap(({ version }) => version.parts);

/** A plan by the series that a person gave its files to; as it is where nobody did. Pure. */
export function pinnedPlans(plan: SeriesPlan, pins: Pins): SeriesPlan[] {
  if (pins.byFile.size + pins.left.size === 0) return [plan];
  const entries = plan.groups.flatMap((of) =>
    of.group.versions.map((version): Entry<Part> => ({
      ...{ videos: version.parts, of: { of, version } },
    })),
  );
  const around = aroundOf(plan, pins);
  const shares = sharesOf(entries, pins, around);
  const [first, ...more] = shares;
  if (first === undefined || more.length === 0) {
    const pin = first === undefined ? pinAround(around) : first.pin;
    return [{ ...plan, pin, keepsRow: pin?.isGuest === true }];
  }
  const main = mainShare(shares);
  const others = shares.filter((share) => share !== main);
  const parts = others.map(({ pin, of }) => partOf(plan, of, pin));
  if (main === undefined) return parts;
  const taken = new Set(others.flatMap(({ of }) => filesOf(of)).map(({ id }) => id));
  const itemIds = mostFrequent(filesOf(main.of).flatMap(({ itemId }) => itemId ?? []));
  const sides = plan.sides.filter(({ video }) => !taken.has(video?.id ?? ''));
  return [{ ...plan, groups: grouped(main.of), sides, itemIds, pin: main.pin }, ...parts];
}

/** What lies beside the batch in the folder of a series; beside others, nothing is the same one's. */
function aroundOf({ hasFolder, around, groups }: SeriesPlan, pins: Pins) {
  if (!hasFolder) return { pins: [], isKnown: true };
  const own = groups.flatMap(({ group }) => group.versions.flatMap(({ parts }) => parts));
  return {
    pins: [...around.flatMap(({ id }) => pins.byFile.get(id) ?? []), ...leftAt(pins, own)],
    isKnown: around.some(({ id, itemId }) => itemId !== undefined && !pins.byFile.has(id)),
  };
}

function pinAround({ pins, isKnown }: ReturnType<typeof aroundOf>): Pin | undefined {
  const isOneWorks = new Set(pins.map(({ itemId }) => itemId)).size === 1;
  return isOneWorks && !isKnown ? pins[0] : undefined;
}

const grouped = (parts: readonly Part[]): GroupPlan[] =>
  [...Map.groupBy(parts, ({ of }) => of)].map(([of, list]) => ({
    ...of,
    group: { ...of.group, versions: list.map(({ version }) => version) },
  }));

/** Some files of a plan: neither folder nor NFO speaks for them. */
function partOf(plan: SeriesPlan, parts: readonly Part[], pin: Pin | undefined): SeriesPlan {
  const ids = new Set(filesOf(parts).map(({ id }) => id));
  return {
    ...{ ...plan, groups: grouped(parts), pin, keepsRow: true, nfo: undefined, ids: {} },
    ...{ itemIds: pin === undefined ? [] : [pin.itemId], isPartial: false, around: [] },
    sides: plan.sides.filter(({ video }) => ids.has(video?.id ?? '')),
  };
}
