import { MediaError } from '#storage/media/media.ts';
import type { Tx } from '#storage/postgres/connect.ts';
import { hintFile } from '../naming/hints.ts';
import { chunksOf } from './at-once.ts';
import * as directoriesStore from './directories-store.ts';
import * as filesStore from './files-store.ts';
import { saveRules } from './ignore-store.ts';
import { ignoringOf, isStillSo, type Ignoring } from './ignoring.ts';
import { joinPath, type Root, type SeenFile } from './model.ts';
import { distrustEmpty, mountsAmong } from './mount-points.ts';
import { findMoves } from './moves.ts';
import { compare, planFiles, type Comparison, type FilePlan } from './reconcile.ts';
import type { Count, ScanRun } from './run.ts';
import type { Visit } from './visit.ts';

/**
 * A row that was to follow its file went away in between, or what is to be left out is another now;
 * the batch is worked out anew.
 */
class OutdatedError extends Error {}

/** Others have read some of the directories meanwhile; these are left. */
class ReadElsewhereError extends Error {
  readonly left: ReadonlySet<string>;
  constructor(left: ReadonlySet<string>) {
    super('some of the directories were read by another node');
    this.left = left;
  }
}

const triesMax = 5;
const rowsPerStatement = 2_000;
/** Refused names kept per directory. */
const refusedMax = 100;
/** Of a directory's path: PostgreSQL's index takes 2,704 bytes a row, the root's id included. */
const pathMaxBytes = 2_600;

/**
 * Takes in what some directories hold, in one transaction: rows of files that are new, changed,
 * moved here or no longer there, and of sub-directories. Doing it again changes nothing. Resolves
 * to how many sub-directories are new.
 */
export async function saveListings(
  run: ScanRun,
  root: Root,
  { visits, prove }: { visits: readonly Visit[]; prove: Proof },
): Promise<number> {
  const trusted = await distrustEmpty(run, root, visits);
  return insist(async () => {
    const batch = await workOut(run, root, trusted);
    await run.change(async (tx) => {
      await prove(tx);
      return apply(tx, run, batch);
    });
    return batch.discovered.length;
  });
}

/** Fails when what is about to be saved was saved by another meanwhile. */
export type Proof = (tx: Tx) => Promise<void>;

/**
 * Saves directories that others read too: those that were taken in by another since they were
 * looked up are left out, be it that they wait no more or were read later than here. So each is
 * taken in once, and never by a node that slept over it. Undefined when none is left.
 */
export async function saveUnread<T>(
  visits: readonly Visit[],
  save: (left: readonly Visit[], prove: Proof) => Promise<T>,
): Promise<T | undefined> {
  for (let left = visits; left.length > 0;) {
    const directories = left.map(({ directory }) => directory);
    const prove: Proof = async (tx) => {
      const unread = await directoriesStore.unreadAmong(tx, directories);
      if (unread.length !== directories.length) throw new ReadElsewhereError(new Set(unread));
    };
    try {
      return await save(left, prove);
    } catch (error) {
      if (!(error instanceof ReadElsewhereError)) throw error;
      left = left.filter(({ directory }) => error.left.has(directory.id));
    }
  }
  return undefined;
}

/** Does something anew when what it was concluded from is another in between. */
export async function insist<T>(work: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof OutdatedError) || tries === triesMax) throw error;
    }
  }
}

/** What of a directory's content is of interest. */
export interface Content {
  readonly visit: Visit;
  readonly files: readonly SeenFile[];
  readonly subdirectories: readonly string[];
  readonly refused: readonly { name: string; reason: string }[];
  readonly leftOut: directoriesStore.LeftOut;
}

/** Some directories as they were read, and what that means for the catalogue. */
export interface Batch {
  readonly root: Root;
  readonly visits: readonly Visit[];
  readonly ignoring: Ignoring;
  /** Ids of those directories at which another file system is mounted. */
  readonly mounts: ReadonlySet<string>;
  readonly contents: readonly Content[];
  readonly comparison: Comparison;
  readonly plan: FilePlan;
  readonly discovered: readonly { rootId: string; parentId: string; path: string }[];
  /** Sub-directories that are there no more. */
  readonly gone: readonly { parentId: string; path: string }[];
}

function contentOf(
  { module }: ScanRun,
  root: Root,
  { visit, ignoring }: { visit: Visit; ignoring: Ignoring },
): Content[] {
  const { directory, result } = visit;
  if (result instanceof MediaError) return [];
  const files: SeenFile[] = [];
  const subdirectories: string[] = [];
  const refused = result.refused.filter(
    ({ name }) => ignoring.by(joinPath(directory.path, name), false) === undefined,
  );
  refused.push(...(ignoring.unread.get(directory.id) ?? []));
  const leftOut: Record<string, number> = {};
  const isLeftOut = (path: string, isDirectory: boolean): boolean => {
    const by = ignoring.by(path, isDirectory);
    if (by !== undefined) leftOut[by] = (leftOut[by] ?? 0) + 1;
    return by !== undefined;
  };
  for (const { type, name, ...facts } of result.entries) {
    const path = joinPath(directory.path, name);
    if (type === 'directory') {
      if (module.ignores({ path, name }) || isLeftOut(path, true)) continue;
      if (Buffer.byteLength(path) <= pathMaxBytes) subdirectories.push(path);
      else refused.push({ name, reason: 'the path is too long' });
      continue;
    }
    const place = { directory: directory.path, name, sizeBytes: facts.sizeBytes };
    const role = module.classify(place);
    if (role === undefined || isLeftOut(path, false)) continue;
    files.push({ rootId: root.id, directoryId: directory.id, path, name, role, ...facts });
  }
  return [{ visit, files, subdirectories, refused: refused.slice(0, refusedMax), leftOut }];
}

/** Finds out what is to be done; changes nothing. */
export async function workOut(run: ScanRun, root: Root, visits: readonly Visit[]): Promise<Batch> {
  const { store, media } = run.deps;
  const mounts = await mountsAmong(run, root, visits);
  const ignoring = await ignoringOf(run, root, visits);
  const contents = visits.flatMap((visit) => contentOf(run, root, { visit, ignoring }));
  const ids = contents.map(({ visit }) => visit.directory.id);
  const [known, children] = await Promise.all([
    filesStore.knownFiles(store.sql, ids),
    directoriesStore.subdirectories(store.sql, ids),
  ]);
  const comparison = compare(
    contents.flatMap(({ files }) => files),
    known,
  );
  const { signal, roots } = run;
  const looking = { sql: store.sql, media, signal, shares: new Map<string, Promise<boolean>>() };
  const search = { ...looking, libraryId: run.library.id, roots };
  const plan = planFiles(comparison, await findMoves(search, comparison, new Set(ids)));
  const there = new Set(contents.flatMap(({ subdirectories }) => subdirectories));
  const before = new Set(children.map(({ path }) => path));
  const discovered = contents.flatMap(({ visit, subdirectories }) =>
    subdirectories
      .filter((path) => !before.has(path))
      .map((path) => ({ rootId: root.id, parentId: visit.directory.id, path })),
  );
  const gone = children.filter(({ path }) => !there.has(path));
  return { root, visits, ignoring, mounts, contents, comparison, plan, discovered, gone };
}

/** Does it. @throws OutdatedError: it is to be worked out anew, see `insist` */
export async function apply(tx: Tx, run: ScanRun, batch: Batch): Promise<Count> {
  const { root, ignoring } = batch;
  if (!(await isStillSo(tx, root, ignoring))) throw new OutdatedError();
  if (ignoring.changed.length > 0) await saveRules(tx, root.id, ignoring.changed);
  await applyDirectories(tx, run, batch);
  await applyFiles(tx, run, batch.plan);
  return countOf(run, batch);
}

async function applyDirectories(tx: Tx, run: ScanRun, batch: Batch): Promise<void> {
  const { root, contents, discovered, gone, mounts } = batch;
  const scanId = run.scan.id;
  const changed = changedDirectories(batch.plan);
  if (contents.length > 0) {
    const read = contents.map(({ visit, refused, leftOut }) => {
      const { id } = visit.directory;
      const is = { isChanged: changed.has(id), isMount: mounts.has(id) };
      return { id, mtimeMs: visit.mtimeMs, refused, leftOut, ...is };
    });
    await directoriesStore.saveRead(tx, scanId, read);
  }
  if (discovered.length > 0) await directoriesStore.discover(tx, discovered);
  const gonePaths = gone.map(({ path }) => path);
  if (gone.length > 0) await directoriesStore.markGone(tx, root.id, gonePaths);
  const hinted = hintedDirectories(batch.plan);
  if (hinted.length > 0) await directoriesStore.unsettleBelow(tx, root.id, hinted);
  const failed = failedOf(batch);
  const absent = failed.filter(({ isAbsent }) => isAbsent).map(({ id }) => id);
  const unreadable = failed.filter(({ isAbsent }) => !isAbsent);
  if (absent.length > 0) await directoriesStore.doubt(tx, scanId, absent);
  if (unreadable.length > 0) await directoriesStore.saveUnreadable(tx, scanId, unreadable);
}

/** Directories whose hint files, which say what lies below them, came, went or changed. */
function hintedDirectories({ insert, move, update, missing }: FilePlan): string[] {
  const told = [
    ...insert,
    ...move.map(({ seen }) => seen),
    ...update.filter(({ isNewContent }) => isNewContent).map(({ seen }) => seen),
    ...missing,
  ].filter(({ name }) => name === hintFile);
  return told.map(({ path }) => path.slice(0, Math.max(path.lastIndexOf('/'), 0))).filter(Boolean);
}

/** Directories that could not be read, without those that are known to be gone by now. */
function failedOf({ visits, gone }: Batch): { id: string; error: string; isAbsent: boolean }[] {
  const isGone = (path: string) =>
    gone.some((above) => path === above.path || path.startsWith(`${above.path}/`));
  return visits.flatMap(({ directory, result }) =>
    result instanceof MediaError && !isGone(directory.path)
      ? [{ id: directory.id, error: result.message, isAbsent: result.code === 'not-found' }]
      : [],
  );
}

/** The directories whose files have to be identified (again). */
function changedDirectories({ insert, move, update, missing }: FilePlan): Set<string> {
  const told = update.filter(
    ({ row, seen, isNewContent }) => isNewContent || row.role !== seen.role || row.itemId === null,
  );
  return new Set([
    ...insert.map(({ directoryId }) => directoryId),
    ...move.map(({ seen }) => seen.directoryId),
    ...told.map(({ seen }) => seen.directoryId),
    ...missing.map(({ directoryId }) => directoryId),
  ]);
}

/** The order matters: a place must be left by one row before another can take it. */
async function applyFiles(tx: Tx, run: ScanRun, plan: FilePlan): Promise<void> {
  const libraryId = run.library.id;
  const missing = plan.missing.map(({ id }) => id);
  const moving = plan.move.map(({ row }) => row.id);
  const leaving = plan.move.filter(({ leaves }) => leaves).map(({ row }) => row.id);
  if (missing.length > 0) await filesStore.markMissing(tx, missing);
  if (moving.length > 0) await filesStore.detachFiles(tx, moving);
  if (plan.trace.length > 0) await filesStore.traceFiles(tx, libraryId, plan.trace);
  for (const chunk of chunksOf(plan.update, rowsPerStatement)) {
    await filesStore.updateFiles(tx, chunk);
  }
  if (leaving.length > 0) {
    const directories = await filesStore.splitFiles(tx, leaving);
    await directoriesStore.unsettle(tx, directories);
  }
  for (const chunk of chunksOf(plan.move, rowsPerStatement)) {
    if ((await filesStore.moveFiles(tx, chunk)) !== chunk.length) throw new OutdatedError();
  }
  for (const chunk of chunksOf(plan.insert, rowsPerStatement)) {
    await filesStore.insertFiles(tx, libraryId, chunk);
  }
}

function countOf(run: ScanRun, batch: Batch): Count {
  const { plan, contents, comparison } = batch;
  const since = run.scan.startedAt ?? run.scan.createdAt;
  // What this very scan took for missing, and now has found again.
  const found = plan.move.filter(
    ({ row }) => row.missingSince !== null && row.missingSince >= since,
  );
  return {
    directoriesRead: contents.length,
    files: comparison.same.length + comparison.rewritten.length + comparison.arrivals.length,
    filesNew: plan.insert.length,
    filesChanged: plan.update.filter(({ isNewContent }) => isNewContent).length,
    filesMoved: plan.move.length,
    filesMissing: plan.missing.length - found.length,
    filesReturned: plan.update.filter(({ row }) => row.missingSince !== null).length,
    refused: contents.reduce((sum, { refused }) => sum + refused.length, 0),
    unreadable: failedOf(batch).filter(({ isAbsent }) => !isAbsent).length,
  };
}
