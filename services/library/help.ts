import { MediaError } from '#storage/media/media.ts';
import type { JobContext } from '../jobs/job.ts';
import { chunksOf, inOrder } from './at-once.ts';
import { dueAmong, type KnownDirectory } from './directories-store.ts';
import { unsettledAmong } from './identify-store.ts';
import { findLibrary, rootsOf } from './libraries-store.ts';
import type { Root } from './model.ts';
import { aboveThem, identifyIn, readTexts, viewsOf, type Within } from './phase-2-identify.ts';
import type { ReadPayload } from './read-jobs.ts';
import { createRun, ScanOverError, type Count, type ScannerDeps, type ScanRun } from './run.ts';
import { apply, insist, saveDue, workOut, type Batch, type Proof } from './save-listings.ts';
import { findScan } from './scans-store.ts';
import { toVisit, type Visit } from './visit.ts';

/** Read by one call, saved and identified in one transaction. */
const directoriesAtOnce = 64;
const filesAtOnce = 400;

/**
 * Does `library.read`: reads some directories of a scan that another node may run, and takes in and
 * identifies what is in them, so that each is either done or still to do. It only ever adds: what
 * cannot be read here, and directories that lack something they had, stay for the run of the scan,
 * which has looked at the roots and may judge that something is gone.
 */
export async function runReads(
  deps: ScannerDeps,
  payload: ReadPayload,
  { signal }: Pick<JobContext, 'signal'>,
): Promise<void> {
  const run = await joinScan(deps, payload, signal);
  const root = run?.roots.get(payload.rootId);
  if (run === undefined || root === undefined) return;
  if (root.removedAt !== null || root.unavailableSince !== null) return;
  try {
    const due = await dueAmong(deps.store.sql, payload.directoryIds);
    const groups = chunksOf(due, directoriesAtOnce);
    for await (const visits of inOrder(groups, 1, (group) => look(run, root, group))) {
      for (const batch of portions(visits)) {
        await saveDue(batch, (left, prove) => take(run, root, { visits: left, prove }));
      }
    }
  } catch (error) {
    if (!(error instanceof ScanOverError)) throw error;
  }
}

/** Undefined when that run of the scan is over. */
async function joinScan(
  deps: ScannerDeps,
  { scanId, epoch }: ReadPayload,
  signal: AbortSignal,
): Promise<ScanRun | undefined> {
  const { sql } = deps.store;
  const scan = await findScan(sql, scanId);
  if (scan?.state !== 'running' || scan.epoch !== epoch) return undefined;
  const library = await findLibrary(sql, scan.libraryId);
  const module = library && deps.modules.get(library.kind);
  if (library === undefined || module === undefined) return undefined;
  const roots = await rootsOf(sql, [library.id], { withRemoved: true });
  return createRun({ deps, scan, library, module, roots, signal, report: () => undefined });
}

/** What can be read of them here. */
async function look(
  { deps, signal, log }: ScanRun,
  root: Root,
  group: readonly KnownDirectory[],
): Promise<Visit[]> {
  const readAt = deps.now();
  try {
    const paths = group.map(({ path }) => path);
    const results = await deps.media.listMany(root.path, paths, { signal });
    return group.flatMap((directory, at) => {
      const result = results[at];
      if (result === undefined || result instanceof MediaError) return [];
      return [toVisit(directory, result, readAt)];
    });
  } catch (error) {
    if (!(error instanceof MediaError) || error.code === 'cancelled') throw error;
    log.warn('this node cannot read what a scan asks for', {
      rootId: root.id,
      error: error.message,
    });
    return [];
  }
}

/** Whole directories, of some hundred files together. */
function portions(visits: readonly Visit[]): Visit[][] {
  const all: Visit[][] = [];
  let files = Infinity;
  for (const visit of visits) {
    const more = visit.result instanceof MediaError ? 0 : visit.result.entries.length;
    if (files + more > filesAtOnce) {
      all.push([]);
      files = 0;
    }
    all.at(-1)?.push(visit);
    files += more;
  }
  return all;
}

interface Taken {
  readonly visits: readonly Visit[];
  readonly prove: Proof;
}

async function take(run: ScanRun, root: Root, { visits, prove }: Taken): Promise<void> {
  await insist(async () => {
    const batch = await additionsOf(run, root, visits);
    if (batch.contents.length === 0) return;
    const texts = await textsOf(run, batch);
    const above = await readTexts(run, await aboveThem(run.deps.store.sql, placesOf(batch)));
    await run.change(async (tx, stale, tell) => {
      await prove(tx);
      const count = await apply(tx, run, batch);
      return {
        ...count,
        ...(await identifyBatch({ run, tx, stale, tell }, batch, { texts, above })),
      };
    });
  });
}

/** Leaves out the directories that would lose something. */
async function additionsOf(run: ScanRun, root: Root, visits: readonly Visit[]): Promise<Batch> {
  const batch = await workOut(run, root, visits);
  const losing = new Set([
    ...batch.plan.missing.map(({ directoryId }) => directoryId),
    ...batch.gone.map(({ parentId }) => parentId),
  ]);
  if (losing.size === 0) return batch;
  const rest = visits.filter(({ directory }) => !losing.has(directory.id));
  // What was taken for moved may have come from one of those: then it is missing there now.
  return rest.length === visits.length ? batch : additionsOf(run, root, rest);
}

/** NFO files by path, as they have no rows yet. */
function textsOf(run: ScanRun, { root, contents }: Batch): Promise<Map<string, Uint8Array>> {
  const files = contents.flatMap((content) =>
    content.files.map(({ path, role, sizeBytes }) => ({ id: path, path, role, sizeBytes })),
  );
  return readTexts(run, [{ rootId: root.id, files }]);
}

const placesOf = ({ root, contents }: Batch) =>
  contents.map(({ visit }) => ({ rootId: root.id, path: visit.directory.path }));

interface Read {
  /** By path. */
  readonly texts: ReadonlyMap<string, Uint8Array>;
  /** By id. */
  readonly above: ReadonlyMap<string, Uint8Array>;
}

async function identifyBatch(
  within: Within,
  { contents }: Batch,
  { texts, above }: Read,
): Promise<Count> {
  const ids = contents.map(({ visit }) => visit.directory.id);
  const directories = await unsettledAmong(within.tx, ids);
  if (directories.length === 0) return {};
  const views = await viewsOf(within.tx, directories);
  const byId = new Map(above);
  for (const { id, path } of views.flatMap(({ files }) => files)) {
    const text = texts.get(path);
    if (text !== undefined) byId.set(id, text);
  }
  return identifyIn(within, { directories, views, texts: byId });
}
