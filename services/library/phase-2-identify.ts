import { MediaError } from '#storage/media/media.ts';
import type { Queryable, Tx } from '#storage/postgres/connect.ts';
import type { DirectoryView, Identified, StoredFile } from '../content/module.ts';
import type { Tell } from '../events.ts';
import { chunksOf } from './at-once.ts';
import { announce } from './announce.ts';
import { subdirectories } from './directories-store.ts';
import {
  countUnsettled,
  hintsAbove,
  presentFiles,
  settle,
  dueProbes,
  unsettledDirectories,
  type UnsettledDirectory,
} from './identify-store.ts';
import { addProbes } from './probe-jobs.ts';
import { tagsOf, type Count, type ScanRun } from './run.ts';

const directoriesMax = 200;
const filesMax = 400;
const textBytesMax = 1_048_576;
const textsPerCall = 64;

/**
 * Phase 2: gives the recorded files their works, some hundred files per transaction. It goes along
 * with the walk, so that works appear while a slow share is still being read, and ends when the
 * walk has ended and nothing is left. What is left is in the database (`directories.is_settled`).
 */
export async function identify(run: ScanRun, walk: WalkProgress): Promise<void> {
  let done = 0;
  for (;;) {
    // Asked before looking: what the walk saves from here on is seen at the next turn.
    const isLast = walk.isOver();
    const count = await identifySome(run);
    done += count;
    if (count === 0 && isLast) return;
    if (count === 0) await walk.moreSaved();
    else if (isLast) await reportLeft(run, done);
  }
}

/** What identifying has to know of the walk beside it. */
export interface WalkProgress {
  isOver(): boolean;
  /** Resolves once something was saved since it was last asked, or the walk is over. */
  moreSaved(): Promise<void>;
}

async function reportLeft(run: ScanRun, done: number): Promise<void> {
  const left = await countUnsettled(run.deps.store.sql, [...run.roots.keys()]);
  run.report('identify', done, done + left);
}

async function identifySome(run: ScanRun): Promise<number> {
  const { sql } = run.deps.store;
  const directories = await nextDirectories(run);
  if (directories.length === 0) return 0;
  const views = await viewsOf(sql, directories);
  const texts = await readTexts(run, [...views, ...(await aboveThem(sql, views))]);
  await run.change((tx, stale, tell) =>
    identifyIn({ run, tx, stale, tell }, { directories, views, texts }),
  );
  return directories.length;
}

/** The hint files above directories, which say what lies in them. */
export async function aboveThem(
  sql: Queryable,
  directories: readonly { readonly rootId: string; readonly path: string }[],
): Promise<Readable[]> {
  const listed = new Set(directories.map(({ rootId, path }) => `${rootId} ${path}`));
  const found = await hintsAbove(sql, directories);
  return found
    .filter(({ rootId, path }) => !listed.has(`${rootId} ${path.slice(0, path.lastIndexOf('/'))}`))
    .map(({ rootId, ...file }) => ({ rootId, files: [file] }));
}

/** What directories hold, as it is recorded. */
export async function viewsOf(
  sql: Queryable,
  directories: readonly UnsettledDirectory[],
): Promise<DirectoryView[]> {
  const ids = directories.map(({ id }) => id);
  const [files, children] = await Promise.all([presentFiles(sql, ids), subdirectories(sql, ids)]);
  const filesOf = Map.groupBy(files, ({ directoryId }) => directoryId);
  const childrenOf = Map.groupBy(children, ({ parentId }) => parentId);
  return directories.map(({ id, rootId, path }) => ({
    rootId,
    path,
    files: filesOf.get(id) ?? [],
    directories: (childrenOf.get(id) ?? []).map((child) => lastStep(child.path)),
  }));
}

async function nextDirectories(run: ScanRun): Promise<UnsettledDirectory[]> {
  const rootIds = [...run.roots.keys()];
  const next = await unsettledDirectories(run.deps.store.sql, rootIds, directoriesMax);
  let files = 0;
  const end = next.findIndex(({ fileCount }) => (files += fileCount) > filesMax);
  return end === -1 ? next : next.slice(0, Math.max(1, end));
}

/** Directories to identify, with what they hold. */
export interface Work {
  readonly directories: readonly UnsettledDirectory[];
  readonly views: readonly DirectoryView[];
  readonly texts: ReadonlyMap<string, Uint8Array>;
}

/** The transaction in which it is done. */
export interface Within {
  readonly run: ScanRun;
  readonly tx: Tx;
  readonly stale: (...tags: string[]) => void;
  readonly tell: Tell;
}

/** Gives the files of directories their works, and asks for what follows from that. */
export async function identifyIn(
  { run, tx, stale, tell }: Within,
  { directories, views, texts }: Work,
): Promise<Count> {
  const { deps, module, library } = run;
  const { id, language, options } = library;
  const filled = views.filter(({ files }) => files.length > 0);
  const batch = { library: { id, language, options }, directories: filled, texts };
  const none: Identified = { added: [], updated: [] };
  const found = filled.length > 0 ? await module.identify(tx, batch) : none;
  await settle(tx, directories);
  const ids = directories.map((directory) => directory.id);
  await addProbes(tx, deps.jobs, { libraryId: id, fileIds: await dueProbes(tx, ids) });
  const changed = [...found.added, ...found.updated];
  if (changed.length > 0) {
    await deps.onItemsChanged?.(tx, module.kind, changed);
    stale(...tagsOf(module, id, found.updated));
    announce(run, tell, found);
  }
  return { itemsAdded: found.added.length, itemsUpdated: found.updated.length };
}

/** Files by an id of the caller's, in the root they lie in. */
export interface Readable {
  readonly rootId: string;
  readonly files: readonly Pick<StoredFile, 'id' | 'path' | 'role' | 'sizeBytes'>[];
}

/** NFO and hint files, read in bulk, by id; one that cannot be read is left out. */
export async function readTexts(
  run: ScanRun,
  views: readonly Readable[],
): Promise<Map<string, Uint8Array>> {
  const texts = new Map<string, Uint8Array>();
  const wanted = views.flatMap(({ rootId, files }) =>
    files
      .filter(({ role, sizeBytes }) => role === 'nfo' && sizeBytes <= textBytesMax)
      .map(({ id, path }) => ({ id, path, rootId })),
  );
  for (const [rootId, files] of Map.groupBy(wanted, (file) => file.rootId)) {
    const root = run.roots.get(rootId);
    if (root === undefined) continue;
    for (const chunk of chunksOf(files, textsPerCall)) {
      const bytes = await readChunk(run, root.path, chunk);
      chunk.forEach(({ id }, at) => {
        const text = bytes[at];
        if (text !== undefined && !(text instanceof MediaError)) texts.set(id, text);
      });
    }
  }
  return texts;
}

async function readChunk(
  run: ScanRun,
  rootPath: string,
  files: readonly { path: string }[],
): Promise<(Uint8Array | MediaError)[]> {
  const paths = files.map(({ path }) => path);
  const { signal } = run;
  try {
    return await run.deps.media.readMany(rootPath, paths, { signal, maxBytes: textBytesMax });
  } catch (error) {
    if (!(error instanceof MediaError) || error.code === 'cancelled') throw error;
    // Names alone identify well enough; the directory comes again when it changes.
    run.log.warn('NFO files could not be read', { error: error.message, count: paths.length });
    return [];
  }
}

const lastStep = (path: string): string => path.slice(path.lastIndexOf('/') + 1);
