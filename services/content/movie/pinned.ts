import { readName } from '../../naming/name.ts';
import type { NamingOptions } from '../../naming/reading.ts';
import { identityKey } from '../../naming/titles.ts';
import { splitName } from '../../naming/extensions.ts';
import {
  leftAt,
  mainShare,
  pinsOf,
  sharesOf,
  soleWork,
  withSuccessors,
  type Entry,
  type LeftVideo,
  type Pin,
  type Pins,
} from '../pins.ts';
import type { PlacedFile } from '../placed.ts';
import type { SideFile } from './attach.ts';
import { episodeIn } from './grouping.ts';
import type { Plan, Version } from './plan.ts';

const filesOf = ({ parts, auxiliary }: Version): PlacedFile[] => [...parts, ...auxiliary];

/** What a name says: the film, and its version of it. */
interface Said {
  readonly film: string;
  readonly version: string;
}

function said(stem: string, naming: NamingOptions): Said {
  const { title, year, edition } = readName(stem, { ...naming, kind: 'movie' });
  const film = `${identityKey(title, year)} ${episodeIn(stem)}`;
  return { film, version: `${film} ${edition ?? ''}` };
}

const stemOf = ({ path }: LeftVideo): string =>
  splitName(path.slice(path.lastIndexOf('/') + 1)).stem;

/**
 * A plan by the films that a person gave its files to, and with the film whose files it replaces;
 * as it is where there is neither. Pure.
 */
export function pinnedPlans(plan: Plan, pins: Pins, naming: NamingOptions): Plan[] {
  const left = leftAt(pins, plan.videos);
  if (pins.byFile.size + left.length === 0) return [plan];
  const entries = plan.group.versions.map((of) => ({ videos: filesOf(of), of }));
  const names = left.length === 0 ? [] : entries.map(({ of }) => said(of.stem, naming));
  const gone = left.map((video) => ({ ...video, ...said(stemOf(video), naming) }));
  const films = new Set(names.map(({ film }) => film));
  const same = gone.filter(({ film }) => films.has(film));
  const isNew = plan.videos.every(({ itemId }) => itemId === undefined);
  const replaces = isNew ? soleWork(same) : undefined;
  return dividedPlans(replaces === undefined ? plan : { ...plan, replaces }, pins, {
    // In a folder of many films, the place of a missing file is that of its own film.
    around: pinsOf(plan.group.hasFolder ? left : same),
    entries: withSuccessors(
      entries,
      names.map(({ version }) => version),
      same.map(({ version, pin }) => ({ key: version, pin })),
    ),
  });
}

/** The versions of a plan, and the pins of what is missing beside them. */
interface Beside {
  readonly around: readonly Pin[];
  readonly entries: readonly Entry<Version>[];
}

function dividedPlans(plan: Plan, pins: Pins, { around, entries }: Beside): Plan[] {
  const shares = sharesOf(entries, pins, { pins: around, isKnown: false });
  const [first, ...more] = shares;
  if (first === undefined || more.length === 0) {
    return [{ ...plan, pin: first?.pin, keepsRow: first?.pin?.isGuest === true }];
  }
  const main = mainShare(shares);
  const others = shares.filter((share) => share !== main);
  const taken = new Set(others.flatMap(({ of }) => of.flatMap(filesOf)).map(({ id }) => id));
  const rest = plan.sides.filter((side) => !taken.has(ownerOf(side) ?? ''));
  const parts = others.map(({ pin, of }) => partOf(plan, of, pin));
  if (main === undefined) return parts;
  const videos = main.of.flatMap(filesOf);
  const group = { ...plan.group, versions: main.of };
  return [{ ...plan, group, videos, sides: rest, pin: main.pin }, ...parts];
}

const ownerOf = ({ facts }: SideFile): string | undefined =>
  'forFileId' in facts ? facts.forFileId : undefined;

/** Some versions of a plan: neither folder nor NFO speaks for them. */
function partOf(plan: Plan, versions: readonly Version[], pin: Pin | undefined): Plan {
  const videos = versions.flatMap(filesOf);
  const ids = new Set(videos.map(({ id }) => id));
  return {
    ...{ ...plan, videos, pin, keepsRow: true, nfo: undefined, problems: [], ids: {} },
    group: { ...plan.group, versions, hasFolder: false },
    sides: plan.sides.filter((side) => ids.has(ownerOf(side) ?? '')),
  };
}
