import type { JobContext } from '../jobs/job.ts';
import { dueAmong } from './directories-store.ts';
import { findLibrary, rootsOf } from './libraries-store.ts';
import type { ReadPayload } from './read-jobs.ts';
import { createRun, ScanOverError, type ScannerDeps, type ScanRun } from './run.ts';
import { findScan } from './scans-store.ts';
import { takeIn } from './take.ts';

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
    await takeIn(run, root, { directories: due, onlyAdds: true });
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
