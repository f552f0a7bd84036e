import { MediaError, type DirectoryStat } from '#storage/media/media.ts';
import { ensureTop, markRootGone, topDirectory } from './directories-store.ts';
import { rootFound, rootLost, topOf } from './libraries-store.ts';
import { beginGraceAnew } from './missing-store.ts';
import type { Root } from './model.ts';
import type { ScannerDeps, ScanRun } from './run.ts';
import { seenBy } from './views-store.ts';

/** Looks at every root before anything is concluded from what is, or is not, in it. */
export async function inspectRoots(run: ScanRun): Promise<void> {
  for (const root of run.roots.values()) {
    if (root.removedAt === null) await inspectRoot(run, root);
  }
}

/**
 * Finds out whether a root can be trusted now, and records it. It cannot when it does not answer,
 * when it is empty although files are on record (a share that is not mounted leaves an empty
 * folder), or when another device is there with nothing on it that we know. Then all its files
 * count as missing, and nothing is ever deleted for it; unless another node sees it: then it is
 * left as it is, and only this run passes it over. Resolves to whether it is available here.
 */
export async function inspectRoot(run: ScanRun, root: Root): Promise<boolean> {
  const found = await look({ ...run.deps, signal: run.signal }, root);
  if (typeof found === 'string') {
    await lose(run, root, found);
    return false;
  }
  await run.change(async (tx, stale) => {
    await rootFound(tx, root.id, found.device);
    await ensureTop(tx, root.id);
    if (root.unavailableSince === null) return {};
    await beginGraceAnew(tx, root.id, root.unavailableSince);
    stale(`library:${run.library.id}`, 'libraries');
    return {};
  });
  const { device } = found;
  run.roots.set(root.id, { ...root, device, unavailableSince: null, unavailableReason: null });
  return true;
}

/** Looks again, cheaply, whether a root is still the one that was inspected. */
export async function confirmRoot(run: ScanRun, root: Root): Promise<boolean> {
  const now = await lookAt({ ...run.deps, signal: run.signal }, root);
  if (typeof now !== 'string' && now.device === run.roots.get(root.id)?.device) return true;
  return inspectRoot(run, root);
}

/** What looking at a root takes. */
export interface Eyes extends Pick<ScannerDeps, 'media'> {
  readonly store: Pick<ScannerDeps['store'], 'sql'>;
  readonly signal: AbortSignal;
  /** Longest time for one call. */
  readonly timeoutMs?: number;
}

/** A root's own facts, if it can be trusted here and now; else why not. */
export async function look(eyes: Eyes, root: Root): Promise<DirectoryStat | string> {
  const found = await lookAt(eyes, root);
  return typeof found === 'string' ? found : ((await distrust(eyes, root, found)) ?? found);
}

const patienceOf = ({ signal, timeoutMs }: Eyes) => ({
  signal,
  ...(timeoutMs === undefined ? {} : { timeoutMs }),
});

/** A root's own facts, or why there are none. */
async function lookAt(eyes: Eyes, root: Root): Promise<DirectoryStat | string> {
  return ask(async () => {
    const [found] = await eyes.media.statDirectories(root.path, [''], patienceOf(eyes));
    return found ?? 'it is not there';
  });
}

async function ask<T>(question: () => Promise<T>): Promise<T | string> {
  try {
    return await question();
  } catch (error) {
    if (!(error instanceof MediaError) || error.code === 'cancelled') throw error;
    return error.message;
  }
}

async function distrust(eyes: Eyes, root: Root, found: DirectoryStat): Promise<string | undefined> {
  const { store, media } = eyes;
  const isOther = root.device !== null && root.device !== found.device;
  const top = await topDirectory(store.sql, root.id);
  if (!isOther && !top?.isGone && top?.mtimeMs === found.mtimeMs) return undefined;
  const listing = await ask(() => media.list(root.path, '', patienceOf(eyes)));
  if (typeof listing === 'string') return listing;
  const names = [...listing.entries, ...listing.refused].map(({ name }) => name);
  if (names.length > 0 && !isOther) return undefined;
  const known = await topOf(store.sql, root.id, names);
  if (!known.hasFiles || known.hasKnownName) return undefined;
  return names.length === 0
    ? 'the folder is empty, although it held files: is its share mounted?'
    : 'another device is mounted here, and nothing on it is known';
}

/** Records that a root is not available, and that nothing in it is there for now. */
async function lose(run: ScanRun, root: Root, reason: string): Promise<void> {
  const { id: rootId } = root;
  const now = new Date(run.deps.now());
  run.roots.set(rootId, { ...root, unavailableSince: now, unavailableReason: reason });
  const seers = await seenBy(run.deps.store.sql, rootId, run.deps.nodeId);
  if (seers.length > 0) {
    run.log.warn('this node does not see a folder that others see', { rootId, reason, seers });
    return;
  }
  run.log.warn('a folder of the library is not available', { rootId, reason });
  await run.change(async (tx, stale) => {
    await rootLost(tx, root.id, reason);
    await markRootGone(tx, root.id);
    stale(`library:${run.library.id}`, 'libraries');
    return {};
  });
}
