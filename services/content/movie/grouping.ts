import { readName } from '../../naming/name.ts';
import { stackParts } from '../../naming/parts.ts';
import type { NameReading, NamingOptions } from '../../naming/reading.ts';
import type { ReleaseFacts } from '../../naming/release.ts';
import { completeReading, scoreReading, type ScoredReading } from '../../naming/score.ts';
import { takeIds } from '../../naming/ids.ts';
import type { Place } from '../../naming/places.ts';
import { titleKey } from '../../naming/titles.ts';

/** A video as grouping sees it. */
export interface VideoFile {
  readonly id: string;
  readonly stem: string;
  readonly sizeBytes: number;
  readonly place: Place;
}

/** One version of a film: a file, or the parts of one in order. */
export interface Version<File extends VideoFile = VideoFile> {
  readonly stem: string;
  readonly label: string | undefined;
  readonly edition: string | undefined;
  readonly release: ReleaseFacts;
  readonly parts: readonly File[];
  /** Files of a disc beside its main title: kept with the film, not shown as versions. */
  readonly auxiliary: readonly File[];
}

/** The files of one folder that are one film. */
export interface FilmGroup<File extends VideoFile = VideoFile> {
  readonly reading: ScoredReading;
  readonly runnerUp: ScoredReading | undefined;
  readonly versions: readonly Version<File>[];
  /** The only film of its folder: what lies beside it is its own. */
  readonly hasFolder: boolean;
}

type Entry<File extends VideoFile> = Pick<Version<File>, 'stem' | 'parts' | 'auxiliary'> & {
  reading: NameReading;
};

/** The films among the videos of one folder. `folder` is its name, undefined for a root. */
export function groupFilms<File extends VideoFile>(
  folder: string | undefined,
  videos: readonly File[],
  options: NamingOptions,
): FilmGroup<File>[] {
  const entries = [...discs(folder, videos, options), ...stacks(videos.filter(isLoose), options)];
  const folderReading =
    folder === undefined ? undefined : readName(folder, { ...options, kind: 'movie' });
  const groups = new Map<string, Entry<File>[]>();
  const shared = sharedName(folder, folderReading, entries);
  for (const entry of entries) {
    const key = shared(entry) ? '' : readingKey(entry, folderReading);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [entry]);
    else group.push(entry);
  }
  const hasFolder = groups.size === 1 && folderReading !== undefined;
  return [...groups.values()].map((members) => ({
    ...choose(members, hasFolder ? folderReading : undefined),
    versions: label(members, folder),
    hasFolder,
  }));
}

const isLoose = (file: VideoFile): boolean =>
  file.place.disc === undefined && file.place.part === undefined;

/** Names that begin with the folder's and go on with a mark of a version are one film's. */
function sharedName<File extends VideoFile>(
  folder: string | undefined,
  reading: NameReading | undefined,
  entries: readonly Entry<File>[],
): (entry: Entry<File>) => boolean {
  if (folder === undefined || reading === undefined) return () => false;
  const prefixes = folderPrefixes(folder);
  const yearOf = (entry: Entry<File>) => entry.reading.year ?? reading.year;
  const candidates = entries.filter((entry) => isVersionOf(entry.stem, prefixes));
  const years = new Set(candidates.map(({ reading: { year } }) => year).filter(Boolean));
  if (reading.year === undefined && years.size > 1) return () => false;
  const chosen = new Set(
    candidates.filter((entry) => reading.year === undefined || yearOf(entry) === reading.year),
  );
  return (entry) => chosen.has(entry);
}

/** The folder's name, whole and stripped of ids, brackets and year. */
function folderPrefixes(folder: string): string[] {
  const bare = takeIds(folder).text;
  const unbracketed = bare.replace(/\s*[[{][^\]}]*[\]}]\s*$/g, '');
  const yearless = unbracketed.replace(/\s*\(\d{4}\)\s*$/, '');
  return [...new Set([folder, bare, unbracketed, yearless])]
    .map((prefix) => prefix.trim().toLowerCase())
    .filter(Boolean);
}

const tailAfter = (stem: string, prefixes: readonly string[]): string | undefined => {
  const lower = stem.toLowerCase();
  const prefix = prefixes.find((candidate) => lower.startsWith(candidate));
  return prefix === undefined ? undefined : stem.slice(prefix.length);
};

function isVersionOf(stem: string, prefixes: readonly string[]): boolean {
  const tail = tailAfter(stem, prefixes);
  return tail !== undefined && /^\s*$|^\s*[-_.[]/.test(tail) && episodeIn(stem) === '';
}

/** The episode that the name of a film says it is (`S01E02`); '' for none. Pure. */
export const episodeIn = (stem: string): string =>
  /s\d{1,2}e\d{1,3}/i.exec(stem)?.[0].toLowerCase() ?? '';

function readingKey<File extends VideoFile>(
  entry: Entry<File>,
  folder: NameReading | undefined,
): string {
  const key = titleKey(entry.reading.title);
  const isFolders = folder !== undefined && titleKey(folder.title) === key;
  const year = entry.reading.year ?? (isFolders ? folder.year : undefined);
  return `${key}|${year ?? ''}|${episodeIn(entry.stem)}`;
}

/** Parts of one video: names alike but for a part number, at least two of the same kind. */
const stacks = <File extends VideoFile>(
  videos: readonly File[],
  options: NamingOptions,
): Entry<File>[] =>
  stackParts(videos).map(({ stem, parts }) => ({
    stem,
    parts,
    auxiliary: [],
    reading: readName(stem, { ...options, kind: 'movie' }),
  }));

/** Disc structures and `CD1`, `CD2` folders: one video each, or one in parts, named by the folder. */
function discs<File extends VideoFile>(
  folder: string | undefined,
  videos: readonly File[],
  options: NamingOptions,
): Entry<File>[] {
  const files = videos.filter((file) => !isLoose(file));
  if (files.length === 0) return [];
  const byDisc = Map.groupBy(files, ({ place }) => place.disc ?? 'folder');
  return [...byDisc].map(([disc, members]) => {
    const byPart = [...Map.groupBy(members, ({ place }) => place.part ?? 1)];
    const parts = byPart
      .sort(([a], [b]) => a - b)
      .flatMap(([, of]) => (disc === 'folder' ? of : mainTitle(of)));
    const main = new Set(parts);
    const stem = folder ?? members[0]?.stem ?? '';
    const auxiliary = members.filter((file) => !main.has(file));
    return { stem, parts, auxiliary, reading: readName(stem, { ...options, kind: 'movie' }) };
  });
}

/** The longest title of a disc: the largest stream, or all pieces of the largest title set. */
function mainTitle<File extends VideoFile>(files: readonly File[]): File[] {
  const sets = Map.groupBy(files, ({ stem }) => /^vts_(\d\d)_\d$/i.exec(stem)?.[1] ?? stem);
  const size = (set: readonly File[]) => set.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  const [largest = []] = [...sets.values()].sort((a, b) => size(b) - size(a));
  return [...largest].sort((a, b) => (a.stem < b.stem ? -1 : 1));
}

function choose<File extends VideoFile>(
  entries: readonly Entry<File>[],
  folder: NameReading | undefined,
): { reading: ScoredReading; runnerUp: ScoredReading | undefined } {
  const files = entries
    .map(({ reading }) => scoreReading(reading, 'file', folder))
    .sort((a, b) => b.score - a.score || a.title.length - b.title.length);
  const file = files[0];
  if (file === undefined) throw new Error('a group of films has no files');
  if (folder === undefined) return { reading: file, runnerUp: files[1] };
  const scored = scoreReading(folder, 'folder', file);
  const [best, other] = scored.score > file.score ? [scored, file] : [file, scored];
  return { reading: completeReading(best, other), runnerUp: other };
}

function label<File extends VideoFile>(
  entries: readonly Entry<File>[],
  folder: string | undefined,
): Version<File>[] {
  const prefixes = folder === undefined ? [] : folderPrefixes(folder);
  return entries.map(({ reading, ...entry }) => {
    const tail = entries.length > 1 ? (tailAfter(entry.stem, prefixes) ?? '') : '';
    const { edition, release } = reading;
    return {
      ...entry,
      edition,
      release,
      label: discLabel(entry) ?? (tailLabel(tail) || nameLabel(reading)),
    };
  });
}

const discLabel = ({ parts }: { parts: readonly VideoFile[] }): string | undefined => {
  const disc = parts[0]?.place.disc;
  if (disc === undefined) return undefined;
  return disc === 'bdmv' ? 'Blu-ray' : 'DVD';
};

/** What follows the shared name; a release's dotted tail says it worse than its own words do. */
function tailLabel(tail: string): string {
  const yearless = tail.replace(/^(?:\s*\(\d{4}\)|[._]\d{4}(?=[._]))/, '');
  const text = yearless.replace(/^[\s._-]+|[\s._-]+$/g, '');
  if (/^[^\s[\]]+\.\S+$/.test(text)) return '';
  const inner = /^\[([^[\]]*)\]$/.exec(text)?.[1];
  return inner ?? text;
}

function nameLabel({ edition, release }: NameReading): string | undefined {
  const { resolution, format3d } = release;
  const words = [edition, resolution, format3d].filter((word) => word !== undefined);
  return words.length === 0 ? undefined : words.join(' ');
}
