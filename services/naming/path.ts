import data from './data/places.json' with { type: 'json' };
import { splitName, isMediaExtension } from './extensions.ts';
import { isGenericName } from './generic.ts';
import { readName } from './name.ts';
import { readPlace, type Place } from './places.ts';
import { longestName } from './prepare.ts';
import type { Episodes, NameReading, NamingOptions } from './reading.ts';
import { completeReading, scoreReading, type ScoredReading } from './score.ts';
import { seasonOfFolder } from './season-folder.ts';
import { titleKey } from './titles.ts';

/** What a path is read as: both readings, the better one first, and what they say together. */
export interface PathReading {
  readonly kind: 'movie' | 'series';
  readonly best: ScoredReading;
  readonly other: ScoredReading | undefined;
  /** The season by the file's name, else by its folders'. */
  readonly season: number | undefined;
  readonly episodes: Episodes | undefined;
  readonly episodeTitle: string | undefined;
  /** The folder the work is named by; undefined: it lies in none. */
  readonly folder: string | undefined;
  /** The folder of the season it lies in. */
  readonly seasonFolder: string | undefined;
  readonly place: Place;
  /** Sentences for people: why it is read so. */
  readonly why: readonly string[];
}

const setOf = (names: string): ReadonlySet<string> =>
  new Set(names.split(' ').map((name) => name.replaceAll('_', ' ')));
const movieFolders = setOf(data.movieFolders);
const seriesFolders = setOf(data.seriesFolders);

const deepest = 24;

/** Longer than any system's paths: of a longer one the end is read. */
const longestPath = 4_096;

/** The segments of a path; a backslash parts them where no slash does or a drive is named. */
export function segmentsOf(whole: string): string[] {
  const path = whole.length > longestPath ? whole.slice(-longestPath) : whole;
  const isWindows = /^[a-z]:[\\/]/i.test(path) || !path.includes('/');
  const parts = path.split(isWindows ? /[\\/]+/ : '/');
  return parts
    .filter((part, index) => part !== '' && !(index === 0 && /^[a-z]:$/i.test(part)))
    .slice(-deepest);
}

/** Names longer than any file system's lose their middle: the extension stays. */
const cut = (name: string): string =>
  name.length <= longestName ? name : name.slice(0, longestName - 16) + name.slice(-16);

interface Chain {
  readonly stem: string;
  /** Names of the folders, the nearest first. */
  readonly folders: readonly string[];
  readonly season: number | undefined;
  readonly seasonFolder: string | undefined;
  /** The folder that names the work. */
  readonly owner: string | undefined;
  readonly place: Place;
  readonly kind: 'movie' | 'series' | undefined;
}

function chainOf(path: string, { kind }: NamingOptions): Chain {
  const segments = segmentsOf(path).map(cut);
  const name = segments.at(-1) ?? '';
  const { stem, extension } = splitName(name);
  const directory = segments.slice(0, -1).join('/');
  const place = readPlace(directory);
  const owners = place.owner === '' ? [] : place.owner.split('/');
  const folders = owners.toReversed();
  const { season, seasonFolder, rest } = seasonAmong(folders);
  const owner = rest[ownerAmong(rest)];
  const hint = folders.map((folder) => folder.toLowerCase());
  const isMovie = hint.findIndex((folder) => movieFolders.has(folder));
  const isSeries = hint.findIndex((folder) => seriesFolders.has(folder));
  const said =
    isMovie < 0 && isSeries < 0
      ? undefined
      : isSeries < 0 || (isMovie >= 0 && isMovie < isSeries)
        ? 'movie'
        : 'series';
  return {
    stem: isMediaExtension(extension) ? stem : name,
    folders,
    season,
    seasonFolder,
    owner,
    place,
    kind: kind ?? (seasonFolder !== undefined ? 'series' : said),
  };
}

/** Which of some folders, the nearest first, names the work; -1: none. */
const ownerAmong = (folders: readonly string[]): number =>
  folders.findIndex((folder) => !isGenericName(folder) && !isShelf(folder));

/** The path of the folder that names what lies in a directory: above those of seasons and extras. */
export function workFolder(directory: string): string | undefined {
  const { owner } = readPlace(directory);
  const { rest } = seasonAmong(owner === '' ? [] : owner.split('/').reverse());
  const index = ownerAmong(rest);
  return index < 0 ? undefined : rest.slice(index).toReversed().join('/');
}

const isShelf = (folder: string): boolean =>
  movieFolders.has(folder.toLowerCase()) || seriesFolders.has(folder.toLowerCase());

/** The folder of a season among the nearest three, and what lies above it. */
function seasonAmong(folders: readonly string[]) {
  for (const [index, folder] of folders.slice(0, 2).entries()) {
    const season = seasonOfFolder(folder, folders[index + 1]);
    if (season === undefined) continue;
    return { season, seasonFolder: folder, rest: folders.slice(index + 1) };
  }
  return { season: undefined, seasonFolder: undefined, rest: folders };
}

/**
 * Reads a path: the file's name and its folder's, each for itself, scored against each other. Pure;
 * never throws. The path may be relative to a library's root or absolute.
 */
export function readPath(path: string, options: NamingOptions): PathReading {
  const chain = chainOf(path, options);
  const kind = chain.kind;
  const folder =
    chain.owner === undefined
      ? undefined
      : readName(chain.owner, { ...options, kind, isFolder: true });
  const isOwn =
    chain.owner !== undefined &&
    (chain.owner === chain.folders[0] || chain.seasonFolder !== undefined);
  const file = readName(chain.stem, {
    ...options,
    kind,
    season: chain.season,
    folderTitle:
      isOwn && folder !== undefined && isRepeated(chain.stem, folder) ? folder.title : undefined,
  });
  const marks = marksOf(file, folder, chain);
  const isSeries =
    kind === 'series' ||
    (kind === undefined && marks !== undefined) ||
    (kind === 'movie' && options.kind !== 'movie' && isMisplaced(file, folder));
  return (isSeries ? seriesPath : moviePath)({ chain, file, folder, marks });
}

const isRepeated = (stem: string, folder: NameReading): boolean =>
  folder.episodes?.form === 'number' || titleKey(stem).startsWith(titleKey(folder.title));

/** A season and an episode in a library of films, and no film's folder with a year or ids. */
const isMisplaced = (file: NameReading, folder: NameReading | undefined): boolean =>
  file.episodes?.form === 'standard' &&
  file.year === undefined &&
  folder?.year === undefined &&
  Object.keys(folder?.ids ?? {}).length === 0;

/** The file's own marks, unless its folder's are surer: a release's folder around a hash. */
function marksOf(
  file: NameReading,
  folder: NameReading | undefined,
  chain: Chain,
): Episodes | undefined {
  const own = file.episodes;
  const above = chain.seasonFolder === undefined ? folder?.episodes : undefined;
  if (own?.form === 'standard' || above === undefined) return own;
  const isSingle = above.episodes.length === 1 || above.date !== undefined;
  const isIn = own !== undefined && above.episodes.length !== 1 && own.episodes.length > 0;
  if (isIn) return { ...own, seasons: own.seasons.length > 0 ? own.seasons : above.seasons };
  if (above.form === 'standard' || (own === undefined && isSingle)) return above;
  return own === undefined
    ? above
    : { ...own, seasons: own.seasons.length > 0 ? own.seasons : above.seasons };
}

interface Read {
  readonly chain: Chain;
  readonly file: NameReading;
  readonly folder: NameReading | undefined;
  readonly marks: Episodes | undefined;
}

function choose(
  file: ScoredReading,
  folder: ScoredReading | undefined,
): [ScoredReading, ScoredReading | undefined] {
  if (folder === undefined) return [file, undefined];
  const [best, other] = folder.score > file.score ? [folder, file] : [file, folder];
  return [completeReading(best, other), other];
}

function moviePath({ chain, file, folder, marks }: Read): PathReading {
  const own = scoreReading(file, 'file', folder);
  const above = folder === undefined ? undefined : scoreReading(folder, 'folder', file);
  const [best, other] = choose(own, above);
  return {
    kind: 'movie',
    best,
    other,
    season: undefined,
    episodes: marks?.form === 'standard' ? marks : undefined,
    episodeTitle: undefined,
    folder: chain.owner,
    seasonFolder: chain.seasonFolder,
    place: chain.place,
    why: why(best, other, chain),
  };
}

function seriesPath({ chain, file, folder, marks }: Read): PathReading {
  const own = scoreReading(file, 'file', folder);
  const above = folder === undefined ? undefined : scoreReading(folder, 'folder', file);
  // A folder with seasons in it is a series' own: it names the series.
  const isRelease = marks !== undefined && marks === folder?.episodes;
  const isSeriesFolder = above !== undefined && (chain.seasonFolder !== undefined || isRelease);
  const lifted = isSeriesFolder
    ? { ...above, score: Math.min(1, Math.round((above.score + 0.4) * 100) / 100) }
    : above;
  const [best, other] = choose(own, lifted);
  const season =
    file.episodes?.seasons[0] ?? chain.season ?? marks?.seasons[0] ?? folder?.episodes?.seasons[0];
  return {
    kind: 'series',
    best,
    other,
    season,
    episodes: marks,
    episodeTitle: titleOf(file, folder, { best, isRelease }),
    folder: chain.owner,
    seasonFolder: chain.seasonFolder,
    place: chain.place,
    why: why(best, other, chain),
  };
}

/** By the file's name, or by the folder's where that is of the same episode. */
function titleOf(
  file: NameReading,
  folder: NameReading | undefined,
  { best, isRelease }: { best: ScoredReading; isRelease: boolean },
): string | undefined {
  const above = folder?.episodeTitle;
  if (isRelease && above !== undefined) return above;
  const isSame =
    folder?.episodes?.form === 'standard' &&
    folder.episodes.episodes.join() === file.episodes?.episodes.join();
  return ownTitle(file, best) ?? (isSame ? above : undefined);
}

/** The episode's title without the series' own before it. */
function ownTitle({ episodeTitle }: NameReading, best: ScoredReading): string | undefined {
  const [first = '', ...rest] = episodeTitle?.split(' - ') ?? [];
  return rest.length > 0 && titleKey(first) === titleKey(best.title)
    ? rest.join(' - ')
    : episodeTitle;
}

function why(best: ScoredReading, other: ScoredReading | undefined, chain: Chain): string[] {
  const from = best.from === 'file' ? "the file's name" : `the folder "${chain.owner ?? ''}"`;
  const said = [`the title is from ${from}`];
  if (other === undefined) said.push('no other name says anything of it');
  else {
    const agrees = titleKey(other.title) === titleKey(best.title);
    said.push(agrees ? 'both names agree' : `the other name says "${other.title}"`);
  }
  if (chain.seasonFolder !== undefined) said.push(`"${chain.seasonFolder}" is a season's folder`);
  return said;
}
