import { stackParts } from '../../naming/parts.ts';
import { readPath, type PathReading } from '../../naming/path.ts';
import type { NamingOptions } from '../../naming/reading.ts';
import { titleKey } from '../../naming/titles.ts';

/** A video of a series as grouping sees it. */
export interface EpisodeFile {
  readonly id: string;
  /** Relative to the library's root. */
  readonly path: string;
  /** The name without its extension. */
  readonly stem: string;
}

/** One version of an episode: a file, or the parts of one in order. */
export interface EpisodeVersion<File extends EpisodeFile = EpisodeFile> {
  readonly stem: string;
  readonly reading: PathReading;
  readonly parts: readonly File[];
}

/** The files that are one episode, or several episodes in one. */
export interface EpisodeGroup<File extends EpisodeFile = EpisodeFile> {
  readonly reading: PathReading;
  /** The best picture first; those that name none in the order of their names. */
  readonly versions: readonly EpisodeVersion<File>[];
}

const lines = ({ reading }: EpisodeVersion): number =>
  Number.parseInt(reading.best.release.resolution ?? '', 10) || 0;

/** Season and numbers of a reading: what makes two files one episode. Undefined: it names none. */
export function episodeKey({ season, episodes }: PathReading): string | undefined {
  if (episodes === undefined) return undefined;
  const { episodes: numbers, absolute, date, part } = episodes;
  if (numbers.length > 0) return `${season ?? ''}x${numbers.join('-')}`;
  if (date !== undefined) return `${date} ${part ?? ''}`;
  return absolute.length > 0 ? `absolute ${absolute.join('-')}` : undefined;
}

/** The episodes among the videos of one folder, in the order of their first files. Pure. */
export function groupEpisodes<File extends EpisodeFile>(
  videos: readonly File[],
  options: NamingOptions,
): EpisodeGroup<File>[] {
  const groups = new Map<string, EpisodeVersion<File>[]>();
  for (const { stem, parts } of stackParts(videos)) {
    const first = parts[0];
    if (first === undefined) continue;
    const folder = first.path.slice(0, first.path.length - nameOf(first.path).length);
    const reading = readPath(`${folder}${stem}.mkv`, { ...options, kind: 'series' });
    // In no folder of a series, files of several lie side by side.
    const owner = reading.folder === undefined ? titleKey(reading.best.title) : '';
    const key = `${owner} ${episodeKey(reading) ?? `file ${first.id}`}`;
    const list = groups.get(key);
    const version = { stem, reading, parts };
    if (list === undefined) groups.set(key, [version]);
    else list.push(version);
  }
  return [...groups.values()].map((versions) => {
    const sorted = versions.toSorted((a, b) => lines(b) - lines(a));
    const reading = sorted[0]?.reading;
    if (reading === undefined) throw new Error('a group of episodes has no files');
    return { reading, versions: sorted };
  });
}

const nameOf = (path: string): string => path.slice(path.lastIndexOf('/') + 1);
