import { readPath, type PathReading } from '../../naming/path.ts';
import type { NamingOptions } from '../../naming/reading.ts';
import { identityKey } from '../../naming/titles.ts';
import {
  leftAt,
  mainShare,
  pinsOf,
  sharesOf,
  withSuccessors,
  type Entry,
  type LeftVideo,
  type Pin,
  type Pins,
} from '../pins.ts';
import type { PlacedFile } from '../placed.ts';
import { episodeKey } from './grouping.ts';
import { mostFrequent, type GroupPlan, type SeriesPlan } from './plan.ts';

/** One version of an episode, with the group it is of. */
interface Part {
  readonly of: GroupPlan;
  readonly version: GroupPlan['group']['versions'][number];
}

const filesOf = (parts: readonly Part[]): PlacedFile[] =>
  parts.flatMap(({ version }) => version.parts);

/**
 * A plan by the series that a person gave its files to, and with those whose files it replaces; as
 * it is where there is neither. Pure.
 */
export function pinnedPlans(plan: SeriesPlan, pins: Pins, naming: NamingOptions): SeriesPlan[] {
  const parts = plan.groups.flatMap((of) =>
    of.group.versions.map((version): Part => ({ of, version })),
  );
  const left = leftAt(pins, filesOf(parts));
  if (pins.byFile.size + left.length === 0) return [plan];
  const names = left.length === 0 ? [] : parts.map(({ version }) => said(version.reading));
  const gone = left.map((video) => ({
    ...video,
    ...said(readPath(video.path, { ...naming, kind: 'series' })),
  }));
  const shows = new Set(names.map(({ show }) => show));
  const same = gone.filter(({ show }) => shows.has(show));
  const entries = withSuccessors(
    parts.map((of) => ({ videos: of.version.parts, of })),
    names.map(({ episode }) => episode),
    same.map(({ episode, pin }) => ({ key: episode, pin })),
  );
  const itemIds = [...new Set([...plan.itemIds, ...same.map(({ itemId }) => itemId)])];
  const around = aroundOf(plan, pins, plan.hasFolder ? left : same);
  return dividedPlans({ ...plan, itemIds }, pins, { around, entries });
}

/** What a name says: the series, and the episode of it. */
function said(reading: PathReading): { readonly show: string; readonly episode: string } {
  const { title, year } = reading.best;
  const show = identityKey(title, year);
  return { show, episode: `${show} ${episodeKey(reading) ?? ''} ${reading.best.edition ?? ''}` };
}

interface Around {
  readonly pins: readonly Pin[];
  /** Something that nobody pinned is known there. */
  readonly isKnown: boolean;
}

/** The versions of a plan's episodes, and what lies or lay beside them. */
interface Beside {
  readonly around: Around;
  readonly entries: readonly Entry<Part>[];
}

function dividedPlans(plan: SeriesPlan, pins: Pins, { around, entries }: Beside): SeriesPlan[] {
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

/** What lies beside the batch in the folder of a series; in others, all of one lies in the batch. */
function aroundOf(
  { hasFolder, around }: SeriesPlan,
  pins: Pins,
  left: readonly LeftVideo[],
): Around {
  if (!hasFolder) return { pins: pinsOf(left), isKnown: false };
  return {
    pins: [...around.flatMap(({ id }) => pins.byFile.get(id) ?? []), ...pinsOf(left)],
    isKnown: around.some(({ id, itemId }) => itemId !== undefined && !pins.byFile.has(id)),
  };
}

function pinAround({ pins, isKnown }: Around): Pin | undefined {
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
