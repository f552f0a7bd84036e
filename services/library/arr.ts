/** What Radarr and Sonarr say of files in the bodies of their webhooks. Pure. */
import type { Told } from './arrivals.ts';

/** Who sends. */
export type ArrSource = 'radarr' | 'sonarr';

type Fields = Readonly<Record<string, unknown>>;

const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const fieldsOf = (value: unknown): Fields => (isFields(value) ? value : {});
const listOf = (value: unknown): Fields[] => (Array.isArray(value) ? value.filter(isFields) : []);
const textOf = (value: unknown): string | undefined =>
  typeof value === 'string' && value !== '' ? value : undefined;

/** How each sender calls its parts. */
const words = {
  radarr: {
    work: 'movie',
    folder: 'folderPath',
    files: ['movieFile', 'movieFiles'],
    renamed: 'renamedMovieFiles',
  },
  sonarr: {
    work: 'series',
    folder: 'path',
    files: ['episodeFile', 'episodeFiles'],
    renamed: 'renamedEpisodeFiles',
  },
} as const;

/** Events that tell of files, and whether what they name is gone. Others tell of none. */
const events: Readonly<Record<string, 'came' | 'gone'>> = {
  Download: 'came',
  Rename: 'came',
  MovieFileDelete: 'gone',
  EpisodeFileDelete: 'gone',
  MovieDelete: 'gone',
  SeriesDelete: 'gone',
};

/**
 * The paths, as the sender has them, to which a webhook says files came or from which they went;
 * none for events that are not about files, as `Grab`, `Health` and `Test`.
 *
 * A file's own `path` may still be that of the download (Sonarr 3), so its place in its work's
 * folder counts before it. Fields may be missing, as in older versions; then the folder itself is
 * told.
 */
export function arrivalsOf(source: ArrSource, body: unknown): Told[] {
  const message = fieldsOf(body);
  const what = Object.hasOwn(events, String(message['eventType']))
    ? events[String(message['eventType'])]
    : undefined;
  if (what === undefined) return [];
  const { work, folder, files, renamed } = words[source];
  const home = textOf(fieldsOf(message[work])[folder]);
  const [one, many] = files;
  const named = [...listOf([message[one]]), ...listOf(message[many])];
  const came = [...named, ...listOf(message[renamed])].flatMap((file) => pathOf(home, file) ?? []);
  const went = [
    ...listOf(message['deletedFiles']).flatMap((file) => pathOf(home, file) ?? []),
    ...listOf(message[renamed]).flatMap((file) => previousOf(home, file) ?? []),
  ];
  if (came.length === 0 && home !== undefined) came.push(home);
  const told = new Map<string, Told>();
  for (const path of went) told.set(path, { path, isGone: true });
  for (const path of came) told.set(path, { path, isGone: what === 'gone' });
  return [...told.values()];
}

const inside = (home: string, path: string): string =>
  `${home.replace(/[\\/]+$/, '')}/${path.replace(/^[\\/]+/, '')}`;

function pathOf(home: string | undefined, file: Fields): string | undefined {
  const relative = textOf(file['relativePath']);
  if (home !== undefined && relative !== undefined) return inside(home, relative);
  return textOf(file['path']);
}

function previousOf(home: string | undefined, file: Fields): string | undefined {
  const relative = textOf(file['previousRelativePath']);
  if (home !== undefined && relative !== undefined) return inside(home, relative);
  return textOf(file['previousPath']);
}
