import { MediaError } from '#storage/media/media.ts';
import { holdingFiles } from './files-store.ts';
import { parentOf } from './ignoring.ts';
import type { Root } from './model.ts';
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
