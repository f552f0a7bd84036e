import { MediaError, type Media } from '#storage/media/media.ts';
import type { Queryable } from '#storage/postgres/connect.ts';
import { mapAtOnce } from './at-once.ts';
import { mountsAt } from './directories-store.ts';
import { holdingFiles } from './files-store.ts';
import { parentOf } from './ignoring.ts';
import type { KnownFile, Root } from './model.ts';
import type { ScanRun } from './run.ts';
import type { Visit } from './visit.ts';

const empty = 'the folder is empty, although it held files: is its share mounted?';

/**
 * Takes back what an empty folder tells where a share used to be mounted, and files of it are on
 * record: it was not read, so all that is known of it stays, and a person is told. As for a root.
 */
export async function distrustEmpty(
  run: ScanRun,
  root: Root,
  visits: readonly Visit[],
): Promise<readonly Visit[]> {
  const suspects = visits.filter(({ directory, result }) => {
    const isEmpty =
      !(result instanceof MediaError) && result.entries.length + result.refused.length === 0;
    return isEmpty && directory.isMount;
  });
  if (suspects.length === 0) return visits;
  const paths = suspects.map(({ directory }) => directory.path);
  const held = new Set(await holdingFiles(run.deps.store.sql, root.id, paths));
  return visits.map((visit) =>
    suspects.includes(visit) && held.has(visit.directory.path)
      ? { ...visit, result: new MediaError('unavailable', empty), mtimeMs: null }
      : visit,
  );
}

/** Ids of the directories that lie on another file system than their parents. */
export async function mountsAmong(
  { deps, signal, roots }: ScanRun,
  root: Root,
  visits: readonly Visit[],
): Promise<Set<string>> {
  const usual = roots.get(root.id)?.device ?? root.device;
  const foreign = visits.flatMap(({ directory: { id, path }, result }) =>
    path === '' || result instanceof MediaError || result.device === usual
      ? []
      : [{ id, parent: parentOf(path), device: result.device }],
  );
  if (foreign.length === 0) return new Set();
  const parents = [...new Set(foreign.map(({ parent }) => parent))];
  const stats = await deps.media.statDirectories(root.path, parents, { signal });
  const deviceOf = new Map(parents.map((parent, at) => [parent, stats[at]?.device]));
  return new Set(
    foreign
      .filter(({ parent, device }) => (deviceOf.get(parent) ?? device) !== device)
      .map(({ id }) => id),
  );
}

/** What looking for shares that are away takes. */
export interface ShareSearch {
  readonly sql: Queryable;
  readonly media: Pick<Media, 'list'>;
  readonly signal: AbortSignal;
  /** Whether shares are away, as far as it was looked: it takes a listing, which may be long. */
  readonly shares: Map<string, Promise<boolean>>;
}

/** At once, as those that do not answer take their time. */
const looksAtOnce = 4;

/** Those of some files of a root that lie in shares that are not mounted now, or do not answer. */
export async function awayWithShares<File extends Pick<KnownFile, 'path'>>(
  search: ShareSearch,
  root: Pick<Root, 'id' | 'path'>,
  files: readonly File[],
): Promise<File[]> {
  const above = new Set(files.flatMap(({ path }) => foldersAbove(path)));
  const mounts = await mountsAt(search.sql, root.id, [...above]);
  const answers = await mapAtOnce(mounts, looksAtOnce, (path) => isAwayOnce(search, root, path));
  const away = mounts.filter((_, at) => answers[at]).map((path) => `${path}/`);
  return files.filter(({ path }) => away.some((share) => path.startsWith(share)));
}

/** As `isAway`, which is looked up once. */
function isAwayOnce(
  search: ShareSearch,
  root: Pick<Root, 'id' | 'path'>,
  path: string,
): Promise<boolean> {
  const key = `${root.id} ${path}`;
  const answer = search.shares.get(key) ?? isAway(search, root, path);
  search.shares.set(key, answer);
  return answer;
}

/** The folders that a file lies in, below its root. */
const foldersAbove = (path: string): string[] => {
  const steps = path.split('/').slice(0, -1);
  return steps.map((_, at) => steps.slice(0, at + 1).join('/'));
};

/** Whether a folder where a share was mounted is empty now, as it is where none is. */
async function isAway(
  { media, signal }: ShareSearch,
  root: Pick<Root, 'path'>,
  path: string,
): Promise<boolean> {
  try {
    const { entries, refused } = await media.list(root.path, path, { signal });
    return entries.length + refused.length === 0;
  } catch (error) {
    if (!(error instanceof MediaError) || error.code === 'cancelled') throw error;
    // A folder that is gone took its films with it; one that holds too much is not empty.
    return error.code !== 'not-found' && error.code !== 'too-large';
  }
}
