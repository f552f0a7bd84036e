import { MediaError } from '#storage/media/media.ts';
import type { Tx } from '#storage/postgres/connect.ts';
import { defineJob, type JobContext } from '../jobs/job.ts';
import { mapAtOnce } from './at-once.ts';
import {
  deepestKnown,
  dropArrivals,
  keepArrivals,
  takeArrivals,
  type Arrival,
} from './arrivals-store.ts';
import { discover, dueAt, markDue, markDueBelow } from './directories-store.ts';
import { ignoringAt, parentOf, upwards } from './ignoring.ts';
import { findLibrary, rootsOf } from './libraries-store.ts';
import type { Root, Scan } from './model.ts';
import { settleGone } from './phase-3-missing.ts';
import { createRun, type Count, type ScannerDeps, type ScanRun } from './run.ts';
import { requestScan } from './start.ts';
import { takeIn } from './take.ts';

/**
 * Looks at what is said to have come or gone. Somebody waits for it, so it does not stand in line
 * with scans and probes.
 */
export const lookAtArrivals = defineJob<{ libraryId: string }>('library.arrivals', {
  queue: 'metadata',
  attempts: 8,
  timeoutMs: 10 * 60_000,
  priority: 'high',
  backoff: { firstMs: 2_000, maxMs: 120_000 },
});

const lookupsAtOnce = 16;
const pageSize = 256;
/** Beyond so many directories a scan, which all nodes read for, is the better way. */
const directoriesMax = 4_000;
/**
 * What another machine has just written may not show here for as long as a network file system
 * trusts what it knows of a folder: up to a minute for NFS.
 */
const triesMax = 6;
const againMs = 2_000;

/** Milliseconds until what was not found is looked for again. */
const pauseAfter = (tries: number): number => againMs * 2 ** tries;

/**
 * Does `library.arrivals`: reads the directories in which something is said to have come or gone,
 * and nothing else, and takes in and identifies what is there. It needs no scan and may run beside
 * one: each directory is taken in by whoever read it last.
 */
export async function runArrivals(
  deps: ScannerDeps,
  { libraryId }: { libraryId: string },
  { signal }: Pick<JobContext, 'signal'>,
): Promise<void> {
  const arrivals = await deps.store.write((tx) => takeArrivals(tx, libraryId));
  const run = arrivals.length > 0 ? await arrivalRun(deps, libraryId, signal) : undefined;
  if (run === undefined) return;
  const later: Arrival[] = [];
  for (const [rootId, list] of Map.groupBy(arrivals, (arrival) => arrival.rootId)) {
    const root = run.roots.get(rootId);
    if (root !== undefined) later.push(...(await lookIn(run, root, list)));
  }
  await settleGone(run);
  const kept = new Set(later.map(({ id }) => id));
  await deps.store.write(async (tx) => {
    const done = arrivals.filter(({ id }) => !kept.has(id)).map(({ id }) => id);
    await dropArrivals(tx, done);
    if (kept.size === 0) return;
    const delayMs = Math.min(...later.map(({ tries }) => pauseAfter(tries)));
    const key = `arrivals:${libraryId}:${await keepArrivals(tx, libraryId, [...kept])}:${delayMs}`;
    await deps.jobs.add(tx, lookAtArrivals, { libraryId }, { key, delayMs });
  });
}

/** A run that is no scan: it has no row, reads some directories, and judges nothing else. */
async function arrivalRun(
  deps: ScannerDeps,
  libraryId: string,
  signal: AbortSignal,
): Promise<ScanRun | undefined> {
  const { sql } = deps.store;
  const library = await findLibrary(sql, libraryId);
  const module = library && deps.modules.get(library.kind);
  if (library === undefined || module === undefined) return undefined;
  const roots = await rootsOf(sql, [libraryId]);
  const now = new Date(deps.now());
  // Directories keep by which scan they were read: by none is said by an id that no scan has.
  const scan: Scan = {
    ...{ id: libraryId, libraryId, mode: 'quick', state: 'running', phase: 'walk', epoch: 0 },
    ...{ counters: {}, ignoredBy: [], error: null, requestedBy: null },
    ...{ createdAt: now, startedAt: now, finishedAt: null },
  };
  const report = () => undefined;
  return createRun({ deps, scan, library, module, roots, signal, report, isOnRecord: false });
}

/** Looks at arrivals of one root; resolves to those that are to be looked for again. */
async function lookIn(run: ScanRun, root: Root, list: readonly Arrival[]): Promise<Arrival[]> {
  if (!(await isAsKnown(run, root))) {
    // Only a scan may judge what became of a whole root; it finds what has come, too.
    await askForScan(run);
    return [];
  }
  const found = await mapAtOnce(list, lookupsAtOnce, (arrival) => locate(run, root, arrival));
  const [later, seen] = partition(found, ({ arrival, isThere }) => {
    return !isThere && !arrival.isGone && arrival.tries < triesMax;
  });
  const places = [...Map.groupBy(seen, ({ directory }) => directory)].map(([directory, of]) => ({
    ...{ directory, isDeep: of.some(({ isDeep }) => isDeep) },
  }));
  const starts: Start[] = [];
  for (const place of places) {
    const start = await begin(run, root, place);
    if (start !== undefined) starts.push(start);
  }
  await readAll(run, root, starts);
  return later.map(({ arrival }) => arrival);
}

function partition<T>(list: readonly T[], isFirst: (one: T) => boolean): [T[], T[]] {
  const { first = [], second = [] } = Object.groupBy(list, (one) =>
    isFirst(one) ? 'first' : 'second',
  );
  return [first, second];
}

/** Whether a root is the one that a scan has found, and answers. */
async function isAsKnown({ deps, signal, log }: ScanRun, root: Root): Promise<boolean> {
  if (root.unavailableSince !== null || root.device === null) return false;
  try {
    const [top] = await deps.media.statDirectories(root.path, [''], { signal });
    return top?.device === root.device;
  } catch (error) {
    if (!(error instanceof MediaError) || error.code === 'cancelled') throw error;
    log.warn('a folder in which something arrived does not answer', { error: error.message });
    return false;
  }
}

async function askForScan({ deps, library }: ScanRun): Promise<void> {
  const request = { libraryId: library.id, mode: 'quick', requestedBy: undefined } as const;
  await deps.store.write((tx) => requestScan(tx, deps.jobs, request));
}

/** Where something arrived, and what is there now. */
interface Found {
  readonly arrival: Arrival;
  /** The directory to read: its own, or the nearest above that is there. */
  readonly directory: string;
  /** It is a directory itself, of which all is to be read. */
  readonly isDeep: boolean;
  readonly isThere: boolean;
}

async function locate(run: ScanRun, root: Root, arrival: Arrival): Promise<Found> {
  const { media } = run.deps;
  const { path } = arrival;
  const above = [...upwards(path)];
  const stats = await media.statDirectories(root.path, above, { signal: run.signal });
  const directory = above.find((_, at) => stats[at] !== undefined) ?? '';
  if (directory === path) return { arrival, directory, isDeep: true, isThere: true };
  const isThere = directory === parentOf(path) && (await isFile(run, root, path));
  return { arrival, directory, isDeep: false, isThere };
}

async function isFile({ deps, signal }: ScanRun, root: Root, path: string): Promise<boolean> {
  try {
    await deps.media.stat(root.path, path, { signal });
    return true;
  } catch (error) {
    if (!(error instanceof MediaError)) throw error;
    // What may not be read is there: reading its directory will say so.
    if (error.code === 'not-found') return false;
    if (error.code === 'forbidden' || error.code === 'unreadable') return true;
    throw error;
  }
}

interface Start {
  readonly path: string;
  readonly isDeep: boolean;
}

/** Lets a directory wait to be read; one that is not on record, with those above it that are not. */
async function begin(
  run: ScanRun,
  root: Root,
  { directory, isDeep }: { directory: string; isDeep: boolean },
): Promise<Start | undefined> {
  const { sql } = run.deps.store;
  const above = [...upwards(directory)];
  const known = await deepestKnown(sql, root.id, above);
  if (known === undefined) {
    await askForScan(run); // not even the root is on record
    return undefined;
  }
  if (known.path === directory) {
    if (isDeep && directory === '') await askForScan(run);
    else await run.change((tx) => waitFor(tx, root, { id: known.id, path: directory, isDeep }));
    return { path: directory, isDeep };
  }
  const path = above[above.indexOf(known.path) - 1] ?? directory;
  const name = path.slice(path.lastIndexOf('/') + 1);
  if (run.module.ignores({ path, name })) return undefined;
  if ((await ignoringAt(run, root, path))(path, true) !== undefined) return undefined;
  await run.change(async (tx) => {
    await discover(tx, [{ rootId: root.id, parentId: known.id, path }]);
    return {};
  });
  return { path, isDeep: true };
}

async function waitFor(
  tx: Tx,
  root: Root,
  { id, path, isDeep }: Start & { readonly id: string },
): Promise<Count> {
  await markDue(tx, [id]);
  if (isDeep) await markDueBelow(tx, root.id, [path]);
  return {};
}

/** Reads what waits at some places until nothing new is found there. */
async function readAll(run: ScanRun, root: Root, places: readonly Start[]): Promise<void> {
  if (places.length === 0) return;
  const { sql } = run.deps.store;
  const seen: string[] = [];
  while (seen.length < directoriesMax) {
    const wanted = { rootId: root.id, places, not: seen, limit: pageSize };
    const directories = await dueAt(sql, wanted);
    if (directories.length === 0) break;
    seen.push(...directories.map(({ id }) => id));
    // Whether something is gone from the root itself is for a scan to judge.
    const [top, below] = partition(directories, ({ path }) => path === '');
    await takeIn(run, root, { directories: top, onlyAdds: true });
    await takeIn(run, root, { directories: below, onlyAdds: false });
  }
  const left = await dueAt(sql, { rootId: root.id, places, not: [], limit: 1 });
  if (left.length > 0) await askForScan(run);
}
