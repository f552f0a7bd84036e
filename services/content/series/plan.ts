import type { Hints } from '../../naming/hints.ts';
import type { ProviderIds } from '../../naming/ids.ts';
import { readPath, type PathReading } from '../../naming/path.ts';
import type { NamingOptions } from '../../naming/reading.ts';
import type { ScoredReading } from '../../naming/score.ts';
import { identityKey, titleKey } from '../../naming/titles.ts';
import { hintsIn, saysWork, withHints } from '../hints.ts';
import { isOurs } from '../../nfo/mark.ts';
import { besideChoice, type Evidence, type Told } from '../match.ts';
import type { Pin } from '../pins.ts';
import type { PlacedFile } from '../placed.ts';
import type { EpisodePlan } from './episodes.ts';
import { groupEpisodes, type EpisodeGroup } from './grouping.ts';
import { hintedGroup } from './hinted.ts';
import { emptyShow, readEpisodeNfo, readShowNfo, type NfoShow } from './nfo.ts';
import { attachSides, type SideFile } from './sides.ts';
import type { Unit } from './units.ts';

/** Files that are one episode, or several in one. */
export interface GroupPlan {
  readonly episodes: readonly EpisodePlan[];
  readonly group: EpisodeGroup<PlacedFile>;
}

/** The evidence a series was recognised by. */
export interface Match extends Evidence {
  readonly nfoPath?: string;
}

/** One series found in one folder: what it is said to be and which files are its own. */
export interface SeriesPlan {
  /** By the names on disk. */
  readonly title: string;
  readonly year: number | undefined;
  readonly identity: string;
  readonly ids: ProviderIds;
  readonly match: Match;
  readonly nfo: NfoShow | undefined;
  readonly groups: readonly GroupPlan[];
  readonly sides: readonly SideFile[];
  /** The series its videos belonged to, the most frequent first. */
  readonly itemIds: readonly string[];
  /** Its videos lie beside the batch, if anywhere: it may be one that is known already. */
  readonly isPartial: boolean;
  /** Videos that lie beside the batch. */
  readonly around: readonly PlacedFile[];
  /** Whether all its files lie in a folder of its own. */
  readonly hasFolder: boolean;
  /** The series that a person gave its files to. */
  readonly pin?: Pin | undefined;
  /** What is said here is not said of the series that it is. */
  readonly keepsRow?: boolean;
}

/** NFO files already read, by file id. */
export type Texts = ReadonlyMap<string, Uint8Array>;

interface Found {
  readonly reading: ScoredReading;
  readonly other: ScoredReading | undefined;
  readonly groups: readonly EpisodeGroup<PlacedFile>[];
}

/** The series of a unit, and the files that belong to none. Pure. */
export function planUnit(
  unit: Unit,
  texts: Texts,
  options: NamingOptions,
): { plans: SeriesPlan[]; loose: PlacedFile[] } {
  const videos = unit.files.filter(({ role }) => role === 'video');
  const around = unit.context.filter(({ role }) => role === 'video');
  const lost = unit.context.filter(({ role, itemId }) => role !== 'video' && itemId === undefined);
  const own = unit.files.filter(({ role }) => role !== 'video');
  const sides = attachSides([...videos, ...around], [...own, ...lost]);
  const show = showTold(unit, texts);
  const found = bySeries(groupsOf(videos, options));
  const main = mainOf(found) ?? folderOnly({ unit, show, around }, options);
  const all = main === undefined || found.includes(main) ? found : [...found, main];
  const mine = sidesBy(all, main, sides);
  const plans = all.map((one) =>
    planOf(one, {
      ...{ unit, texts, sides: mine.get(one) ?? [] },
      ...(one === main ? { show, around } : { show: undefined, around: [] }),
    }),
  );
  return { plans, loose: main === undefined ? sides.map(({ file }) => file) : [] };
}

function groupsOf(videos: readonly PlacedFile[], options: NamingOptions) {
  const folders = Map.groupBy(videos, ({ directory }) => directory);
  return [...folders.values()].flatMap((list) => groupEpisodes(list, options));
}

/** A name that counts no episode names no series either: then the folder does. */
function seriesOf({ best, other, episodes }: PathReading): [ScoredReading, ScoredReading?] {
  const isFolders = episodes === undefined && best.from === 'file' && other !== undefined;
  return isFolders ? [other, best] : other === undefined ? [best] : [best, other];
}

/** Groups by title and year; those without a year join the one that has the title. */
function bySeries(groups: readonly EpisodeGroup<PlacedFile>[]): Found[] {
  const read = groups.map((group) => {
    const [reading, other] = seriesOf(group.reading);
    return { group, reading, other, key: titleKey(reading.title) };
  });
  const titles = Map.groupBy(read, ({ key }) => key);
  return [...titles.values()].flatMap((list) => {
    const years = [...new Set(list.flatMap(({ reading }) => reading.year ?? []))];
    const one = years.length === 1 ? years[0] : undefined;
    const parts = Map.groupBy(list, ({ reading }) => reading.year ?? one);
    return [...parts.values()].map(best);
  });
}

function best(
  list: readonly {
    group: EpisodeGroup<PlacedFile>;
    reading: ScoredReading;
    other: ScoredReading | undefined;
  }[],
): Found {
  const [first, ...rest] = list;
  if (first === undefined) throw new Error('a series has no files');
  const { reading, other } = rest.reduce(
    (a, b) => (b.reading.score > a.reading.score ? b : a),
    first,
  );
  return { reading, other, groups: list.map(({ group }) => group) };
}

/** What lies beside the videos belongs to the series that has most of them. */
function mainOf(found: readonly Found[]): Found | undefined {
  const [first, ...rest] = found;
  if (first === undefined) return undefined;
  return rest.reduce((a, b) => (b.groups.length > a.groups.length ? b : a), first);
}

/** A folder whose videos are elsewhere or yet to come: named by itself. */
function folderOnly(
  { unit, show, around }: { unit: Unit; show: ToldShow | undefined; around: readonly PlacedFile[] },
  options: NamingOptions,
): Found | undefined {
  if (unit.folder === undefined) return undefined;
  if (show?.show === undefined && around.length === 0) return undefined;
  const path = `${unit.folder}/Season 1/S01E01.mkv`;
  const { best: reading, other } = readPath(path, { ...options, kind: 'series' });
  const folder = reading.from === 'folder' ? reading : (other ?? reading);
  return { reading: folder, other: undefined, groups: [] };
}

function sidesBy(
  found: readonly Found[],
  main: Found | undefined,
  sides: readonly SideFile[],
): Map<Found | undefined, SideFile[]> {
  const owners = new Map<string, Found>();
  for (const one of found) {
    for (const { versions } of one.groups) {
      for (const { parts } of versions) for (const { id } of parts) owners.set(id, one);
    }
  }
  return Map.groupBy(sides, ({ video }) => owners.get(video?.id ?? '') ?? main);
}

/** What is said of a series beside its folders, and in which file. */
interface ToldShow {
  readonly file: PlacedFile;
  readonly from: Told;
  readonly show: NfoShow | undefined;
  readonly problems: readonly { readonly path: string; readonly message: string }[];
}

/** By `tvshow.nfo`, and before it by the hint file of the series' folder. */
function showTold(unit: Unit, texts: Texts): ToldShow | undefined {
  const nfo = showNfo(unit, texts);
  const hinted =
    unit.folder === undefined
      ? undefined
      : hintsIn(unit.folder, unit.files, ({ id }) => texts.get(id));
  if (hinted === undefined || !saysWork(hinted.hints)) return nfo;
  const show = withHints(nfo?.show ?? emptyShow, hinted.hints);
  return { file: hinted.file, from: 'hint', show, problems: nfo?.problems ?? [] };
}

function showNfo(unit: Unit, texts: Texts): ToldShow | undefined {
  for (const file of unit.files) {
    if (file.directory !== unit.folder || file.name.toLowerCase() !== 'tvshow.nfo') continue;
    const bytes = texts.get(file.id);
    if (bytes === undefined || isOurs(bytes)) continue;
    const { show, problems } = readShowNfo(bytes);
    const { path } = file;
    return {
      ...{ file, from: 'nfo', show },
      problems: problems.map((message) => ({ path, message })),
    };
  }
  return undefined;
}

/** What an NFO of ours in the series' folder says of ids elsewhere. */
function ownIds({ files, folder }: Unit, texts: Texts): ProviderIds {
  const file = files.find(
    ({ directory, name }) => directory === folder && name.toLowerCase() === 'tvshow.nfo',
  );
  const bytes = file && texts.get(file.id);
  return bytes === undefined || !isOurs(bytes) ? {} : (readShowNfo(bytes).show?.ids ?? {});
}

function planOf(
  found: Found,
  beside: {
    unit: Unit;
    texts: Texts;
    sides: readonly SideFile[];
    show: ToldShow | undefined;
    around: readonly PlacedFile[];
  },
): SeriesPlan {
  const { unit, texts, sides, show, around } = beside;
  const { reading } = found;
  const { title } = reading;
  const years = found.groups.flatMap((group) => seriesOf(group.reading)[0].year ?? []);
  const year = reading.year ?? years[0];
  const nfos = new Map(
    unit.files.filter(({ role }) => role === 'nfo').map((file) => [stemPath(file), file.id]),
  );
  const hintsFor = ({ versions }: EpisodeGroup<PlacedFile>) => {
    const own = versions[0]?.parts[0]?.directory;
    const folders = [...new Set([own, unit.folder])].filter((folder) => folder !== undefined);
    return folders.flatMap((folder) => hintsOf(unit, texts, folder) ?? []);
  };
  const groups = found.groups.map((group) => {
    const first = group.versions[0]?.parts[0];
    const bytes = first && texts.get(nfos.get(stemPath(first)) ?? '');
    const written = bytes === undefined || isOurs(bytes) ? [] : readEpisodeNfo(bytes);
    return hintedGroup(group, written, hintsFor(group));
  });
  const videos = found.groups.flatMap(({ versions }) => versions.flatMap(({ parts }) => parts));
  const before = mostFrequent([...videos, ...around].flatMap(({ itemId }) => itemId ?? []));
  const path = unit.folder ?? videos[0]?.path ?? '';
  return {
    ...{ title, year, identity: identityKey(title, year), groups, sides, itemIds: before },
    // What we wrote of a series that is known says nothing new; of one that is not, which it was.
    ids: { ...(before.length > 0 ? {} : ownIds(unit, texts)), ...reading.ids, ...show?.show?.ids },
    nfo: show?.show,
    match: matchOf({ ...found, year, path, show }),
    isPartial: found.groups.length === 0,
    ...{ around, hasFolder: unit.folder !== undefined },
  };
}

/** Of a directory itself, also where its files are not of the batch. */
const hintsOf = ({ files, context }: Unit, texts: Texts, directory: string): Hints | undefined =>
  hintsIn(directory, [...files, ...context], ({ id }) => texts.get(id))?.hints;

const stemPath = ({ directory, stem }: PlacedFile): string => `${directory}/${stem.toLowerCase()}`;

/** Ids, the most frequent first. Pure. */
export function mostFrequent(ids: readonly string[]): string[] {
  const counts = Map.groupBy(ids, (id) => id);
  return [...counts].sort(([, a], [, b]) => b.length - a.length).map(([id]) => id);
}

function matchOf({
  reading,
  other,
  year,
  path,
  show,
}: Found & { year: number | undefined; path: string; show: ToldShow | undefined }): Match {
  const { from, title, score } = reading;
  const nfo = show?.show;
  const problems = show?.problems ?? [];
  const own =
    nfo === undefined || show === undefined
      ? { from, title, year: year ?? null, score }
      : {
          ...{ from: show.from, score: 1 },
          ...{ title: nfo.title ?? title, year: nfo.year ?? year ?? null },
        };
  return {
    ...{ path, ...own },
    ...(nfo === undefined || show === undefined ? {} : { nfoPath: show.file.path }),
    ...besideChoice(other, problems),
  };
}
