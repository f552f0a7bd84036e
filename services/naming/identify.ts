/** What a path is, with everything that is known of it: names, hint files, NFO. Pure. */
import { audioExtensions, splitName, subtitleExtensions, videoExtensions } from './extensions.ts';
import type { Hints } from './hints.ts';
import type { ProviderIds } from './ids.ts';
import { isIgnoredPath } from './ignore.ts';
import { readPath, segmentsOf, type PathReading } from './path.ts';
import { extraTypeOf, type ExtraType } from './places.ts';
import { partOf } from './parts.ts';
import type { NamingOptions } from './reading.ts';
import type { ReleaseFacts } from './release.ts';
import { stubSource } from './stubs.ts';
import { splitSubtitleName, type SubtitleFacts } from './subtitles.ts';

/** What is beside a file that says more than its name. */
export interface Evidence {
  readonly hints?: Hints | undefined;
  readonly nfo?:
    | {
        readonly title: string | undefined;
        readonly year: number | undefined;
        readonly ids: ProviderIds;
      }
    | undefined;
}

/** One of the readings, for who wants another than the best. */
export interface Candidate {
  readonly from: 'hint' | 'nfo' | 'file' | 'folder';
  /** 0 to 1. */
  readonly score: number;
  readonly title: string;
  readonly year?: number;
  readonly ids?: ProviderIds;
}

/** Everything a path is read as; what it does not say is not there. */
export interface Identification {
  readonly path: string;
  readonly kind: 'movie' | 'series';
  /** The path is left out by a scan: rubbish, a sample. */
  readonly isIgnored: boolean;
  readonly role: 'video' | 'audio' | 'subtitle' | 'folder' | 'other';
  readonly title: string;
  readonly alternates?: readonly string[];
  readonly year?: number;
  readonly ids?: ProviderIds;
  readonly edition?: string;
  readonly season?: number;
  /** All seasons a pack names. */
  readonly seasons?: readonly number[];
  readonly episodes?: readonly number[];
  /** Numbers that count through all seasons, where they stand beside others; halves. */
  readonly absolute?: readonly number[];
  /** `YYYY-MM-DD`. */
  readonly airDate?: string;
  readonly episodeTitle?: string;
  readonly episodeCount?: number;
  readonly isSpecial?: boolean;
  /** How the episode is named: `standard`, `date`, `number` … */
  readonly form?: string;
  /** The number of a part or disc: `cd2`, `part 3`. */
  readonly part?: number;
  readonly version?: number;
  readonly extra?: ExtraType;
  readonly disc?: 'bdmv' | 'video_ts';
  readonly stub?: string;
  readonly subtitle?: SubtitleFacts;
  readonly release: ReleaseFacts;
  readonly extension?: string;
  /** The folder the work is named by, and that of its season. */
  readonly folder?: string;
  readonly seasonFolder?: string;
  /** What decided, best first. */
  readonly readings: readonly Candidate[];
  /** Sentences for people. */
  readonly why: readonly string[];
}

const roleOf = (extension: string): Identification['role'] => {
  if (videoExtensions.has(extension)) return 'video';
  if (audioExtensions.has(extension)) return 'audio';
  return subtitleExtensions.has(extension) ? 'subtitle' : 'other';
};

const isEmpty = (value: unknown): boolean =>
  value === undefined ||
  value === '' ||
  (Array.isArray(value) && value.length === 0) ||
  (typeof value === 'object' && value !== null && Object.keys(value).length === 0);

/** Only what is said: no empty lists, no undefined. */
const said = <T extends object>(facts: T): { [Key in keyof T]?: Exclude<T[Key], undefined> } =>
  Object.fromEntries(Object.entries(facts).filter(([, value]) => !isEmpty(value))) as never;

function candidates(reading: PathReading, { hints, nfo }: Evidence): Candidate[] {
  const { best, other } = reading;
  const list: Candidate[] = [];
  const told = (from: Candidate['from'], score: number, what: NonNullable<Evidence['nfo']>) => {
    const title = what.title ?? best.title;
    list.push({ from, score, title, ...said({ year: what.year, ids: what.ids }) });
  };
  if (hints !== undefined) told('hint', 1, hints);
  if (nfo !== undefined) told('nfo', 1, nfo);
  for (const one of [best, other]) {
    if (one === undefined) continue;
    const { from, score, title, year, ids } = one;
    list.push({ from, score, title, ...said({ year, ids }) });
  }
  return list;
}

function episodesOf(reading: PathReading, hints: Hints | undefined, name: string) {
  const { episodes, season, episodeTitle } = reading;
  const hinted = hints?.files.get(name.toLowerCase());
  return said({
    season: hinted?.season ?? season ?? hints?.season,
    seasons: (episodes?.seasons.length ?? 0) > 1 ? episodes?.seasons : undefined,
    episodes: hinted?.episodes ?? episodes?.episodes,
    absolute: episodes?.absolute,
    airDate: episodes?.date,
    episodeTitle,
    episodeCount: episodes?.count,
    isSpecial: episodes?.isSpecial,
    form: episodes?.form,
  });
}

/** Where a person or an NFO has said what it is, that decides; names fill the rest. */
function whyOf(reading: PathReading, { hints, nfo }: Evidence): string[] {
  const why = [...reading.why];
  if (nfo !== undefined) why.unshift('the NFO beside it says what it is');
  if (hints !== undefined) why.unshift('the hint file in its folder says what it is');
  return why;
}

function fileFacts(path: string, reading: PathReading, isFolder: boolean) {
  const name = segmentsOf(path).at(-1) ?? '';
  const { stem, extension } = isFolder ? { stem: name, extension: '' } : splitName(name);
  const isVideo = !audioExtensions.has(extension);
  const directory = segmentsOf(path).slice(0, -1).join('/');
  const role = isFolder ? 'folder' : roleOf(extension);
  const isSide = role === 'subtitle' || role === 'audio';
  return {
    role,
    ...said({
      extension,
      part: reading.episodes?.part ?? partOf(stem)?.part ?? reading.place.part,
      extra: isFolder ? undefined : extraTypeOf({ directory, stem, isVideo }),
      disc: reading.place.disc,
      stub: extension === 'disc' ? stubSource(stem) : undefined,
      subtitle: isSide ? splitSubtitleName(stem).facts : undefined,
    }),
  };
}

/** The path of the video that a subtitle's is of: without languages and marks. */
export function videoPath(path: string, isFolder: boolean): string {
  const slash = Math.max(path.lastIndexOf('/'), path.lastIndexOf('\\'));
  const { stem, extension } = splitName(path.slice(slash + 1));
  if (isFolder || !subtitleExtensions.has(extension)) return path;
  return `${path.slice(0, slash + 1)}${splitSubtitleName(stem).video}.${extension}`;
}

/**
 * Identifies a path. One that ends in a separator is a folder's. Never throws; takes time in
 * proportion to the path's length.
 */
export function identifyPath(
  path: string,
  options: NamingOptions,
  evidence: Evidence = {},
): Identification {
  const isFolder = /[\\/]$/.test(path);
  const reading = readPath(videoPath(path, isFolder), options);
  const readings = candidates(reading, evidence);
  const { best } = reading;
  const name = segmentsOf(path).at(-1) ?? '';
  const { hints, nfo } = evidence;
  const version = reading.episodes?.version ?? best.release.version;
  return {
    path,
    kind: reading.kind,
    isIgnored: isIgnoredPath(segmentsOf(path).join('/')),
    title: hints?.title ?? nfo?.title ?? best.title,
    ...fileFacts(path, reading, isFolder),
    ...said({
      alternates: best.alternates,
      year: hints?.year ?? nfo?.year ?? best.year,
      ids: { ...best.ids, ...nfo?.ids, ...hints?.ids },
      edition: best.edition,
      version,
      folder: reading.folder,
      seasonFolder: reading.seasonFolder,
    }),
    ...episodesOf(reading, hints, name),
    release: best.release,
    readings,
    why: whyOf(reading, evidence),
  };
}
