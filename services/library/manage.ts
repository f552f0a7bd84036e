import { isDuplicate } from '#storage/postgres/errors.ts';
import type { Tx } from '#storage/postgres/connect.ts';
import { record } from '../activity/record.ts';
import { removedTag, type Kind } from '../content/module.ts';
import { problem } from '../errors.ts';
import type { Principal } from '../principal.ts';
import { userTag } from '../users/accounts.ts';
import { forgetLibrary } from '../users/user-store.ts';
import { markRootGone } from './directories-store.ts';
import { checkPaths, type FolderDeps } from './folders.ts';
import * as store from './libraries-store.ts';
import type { LibraryFields } from './libraries-store.ts';
import type { Library, Scan, ScanMode } from './model.ts';
import { lockItems, type ScannerDeps } from './run.ts';
import { activeScan, endScan } from './scans-store.ts';
import { requestScan } from './start.ts';

/** Who asks; undefined for the server itself. */
export type Asker = Pick<Principal, 'userId' | 'username'> | undefined;

export type ManageDeps = Omit<ScannerDeps, 'turns'> & FolderDeps;

/** A new library. */
export interface NewLibrary extends LibraryFields {
  readonly kind: Kind;
  readonly paths: readonly string[];
}

const deleteTimeout = '10min';

/** Adds a library and its first scan. Throws `unprocessable` for its folders, `conflict` for names. */
export async function addLibrary(
  deps: ManageDeps,
  fields: NewLibrary,
  by: Asker,
): Promise<{ library: Library; scan: Scan | undefined }> {
  if (!deps.modules.has(fields.kind)) {
    throw problem('unprocessable', `There is no kind of content named ${fields.kind}.`);
  }
  const others = await store.allRoots(deps.store.sql);
  const paths = await checkPaths(deps, fields.paths, { others, held: [] });
  return named(() =>
    deps.store.write(async (tx, stale, tell) => {
      const library = await store.insertLibrary(tx, fields);
      await store.insertRoots(tx, library.id, paths);
      const request = { libraryId: library.id, mode: 'quick', requestedBy: by?.userId } as const;
      const requested = await requestScan(tx, deps.jobs, request);
      await note(tx, 'library.created', {
        library,
        by,
        details: { name: library.name, kind: library.kind },
      });
      stale('libraries', `library:${library.id}`);
      tell('library.changed', { libraryId: library.id, change: 'created' });
      return { library, scan: requested?.scan };
    }),
  );
}

/** What may change of a library; what is left out stays. */
export type LibraryPatch = {
  readonly [Key in keyof LibraryFields]?: LibraryFields[Key] | undefined;
} & { readonly paths?: readonly string[] | undefined };

/**
 * Changes a library. New folders are scanned at once, by a scan that replaces the one that runs.
 * Throws `not-found`, `unprocessable` for folders, `conflict` for a name that is taken.
 */
export async function changeLibrary(
  deps: ManageDeps,
  id: string,
  { patch, by }: { patch: LibraryPatch; by: Asker },
): Promise<Library> {
  const roots = await store.allRoots(deps.store.sql);
  const others = roots.filter(({ libraryId }) => libraryId !== id);
  const held = roots.filter(({ libraryId }) => libraryId === id);
  const paths = patch.paths && (await checkPaths(deps, patch.paths, { others, held }));
  return named(() =>
    deps.store.write(async (tx, stale, tell) => {
      await lockItems(tx, id);
      const now = await store.lockLibrary(tx, id);
      if (now === undefined) throw noLibrary();
      const changed = await store.updateLibraryRow(tx, id, merge(now, patch));
      if (changed === undefined) throw noLibrary();
      if (paths !== undefined) await changeRoots(tx, deps, { libraryId: id, paths, by });
      const fields = Object.keys(patch);
      await note(tx, 'library.updated', {
        library: changed,
        by,
        details: { name: now.name, fields },
      });
      stale('libraries', `library:${id}`);
      tell('library.changed', { libraryId: id, change: 'updated' });
      return changed;
    }),
  );
}

const merge = (now: Library, patch: LibraryPatch): LibraryFields => ({
  name: patch.name ?? now.name,
  language: patch.language ?? now.language,
  options: patch.options ?? now.options,
  scanIntervalMinutes: patch.scanIntervalMinutes ?? now.scanIntervalMinutes,
});

/** Folders that are left out are not forgotten before a scan had a look for their files elsewhere. */
async function changeRoots(
  tx: Tx,
  deps: ManageDeps,
  change: { libraryId: string; paths: readonly string[]; by: Asker },
): Promise<void> {
  const { libraryId, paths } = change;
  const roots = await store.rootsOf(tx, [libraryId]);
  const removed = roots.filter(({ path }) => !paths.includes(path)).map(({ id }) => id);
  const added = paths.filter((path) => !roots.some((root) => root.path === path));
  if (removed.length + added.length === 0) return;
  await store.removeRoots(tx, removed);
  for (const id of removed) await markRootGone(tx, id);
  const restored = await store.restoreRoots(tx, libraryId, added);
  const fresh = added.filter((path) => !restored.includes(path));
  await store.insertRoots(tx, libraryId, fresh);
  const active = await activeScan(tx, libraryId);
  if (active !== undefined) await endScan(tx, active.id, { state: 'cancelled' });
  const requestedBy = change.by?.userId;
  await requestScan(tx, deps.jobs, { libraryId, mode: 'quick', requestedBy });
}

/** Takes a library out of the catalogue; media files stay. Throws `not-found`. */
export async function dropLibrary(deps: ManageDeps, id: string, by: Asker): Promise<void> {
  await deps.store.write(async (tx, stale, tell) => {
    await lockItems(tx, id);
    const library = await store.lockLibrary(tx, id);
    if (library === undefined) throw noLibrary();
    await tx`select set_config('statement_timeout', ${deleteTimeout}, true)`;
    const module = deps.modules.get(library.kind);
    await module?.remove?.(tx, { libraryId: id });
    await store.deleteLibraryRow(tx, id);
    stale(...(await forgetLibrary(tx, id)).map(userTag));
    await note(tx, 'library.deleted', { library, by, details: { name: library.name } });
    stale('libraries', `library:${id}`, removedTag(id));
    stale(...(module?.listTags ?? [`${library.kind}s`]));
    tell('library.changed', { libraryId: id, change: 'deleted' });
  });
}

/** Asks for a scan; resolves to the one that waits or runs, be it new or not. Throws `not-found`. */
export async function startScan(
  deps: Omit<ScannerDeps, 'turns'>,
  { libraryId, mode, by }: { libraryId: string; mode: ScanMode; by: Asker },
): Promise<Scan> {
  return deps.store.write(async (tx, stale) => {
    const library = await store.findLibrary(tx, libraryId);
    const requestedBy = by?.userId;
    const requested = await requestScan(tx, deps.jobs, { libraryId, mode, requestedBy });
    if (library === undefined || requested === undefined) throw noLibrary();
    const { scan, isNew } = requested;
    if (isNew && by !== undefined) {
      const details = { name: library.name, mode, scanId: scan.id };
      await note(tx, 'library.scan-requested', { library, by, details });
    }
    stale(`library:${libraryId}`, 'libraries');
    return scan;
  });
}

/** Ends a scan early; undefined when there is none, the scan as it was when it had ended before. */
export async function cancelScan(
  deps: Omit<ScannerDeps, 'turns'>,
  scanId: string,
  by: Asker,
): Promise<Scan | undefined> {
  return deps.store.write(async (tx, stale, tell) => {
    const ended = await endScan(tx, scanId, { state: 'cancelled' });
    const library = ended && (await store.findLibrary(tx, ended.libraryId));
    if (ended === undefined || library === undefined) return undefined;
    const details = { name: library.name, scanId };
    await note(tx, 'library.scan-cancelled', { library, by, details });
    stale(`library:${library.id}`, 'libraries');
    tell('scan.finished', { scanId, libraryId: library.id, state: 'cancelled' });
    return ended;
  });
}

/** Why there is nothing to show. */
export const noLibrary = () => problem('not-found', 'There is no such library.');

type LibraryAction =
  `library.${'created' | 'updated' | 'deleted' | 'scan-requested' | 'scan-cancelled'}`;

async function note<Name extends LibraryAction>(
  tx: Tx,
  action: Name,
  entry: {
    library: Library;
    by: Asker;
    details: NonNullable<Parameters<typeof record<Name>>[1]['details']>;
  },
): Promise<void> {
  const { library, by, details } = entry;
  const who = { userId: by?.userId, username: by?.username };
  await record(tx, {
    action,
    ...who,
    resourceType: 'library',
    resourceId: library.id,
    details,
  });
}

async function named<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (isDuplicate(error, 'libraries_name_key')) {
      throw problem('conflict', 'Another library has this name.', { cause: error });
    }
    if (isDuplicate(error, 'library_roots_path_key')) {
      throw problem('conflict', 'Another library has this folder.', { cause: error });
    }
    throw error;
  }
}
