import type { Tx } from '#storage/postgres/connect.ts';
import { defineJob, type JobAdder } from '../jobs/job.ts';
import type { Scan, ScanMode } from './model.ts';
import { activeScan, insertScan } from './scans-store.ts';

/**
 * Carries one scan out. A scan resumes where a try was cut off, so there are more tries than usual:
 * a node that restarts often must not leave a library half scanned.
 */
export const libraryScan = defineJob<{ scanId: string }>('LibraryScan', {
  queue: 'library',
  attempts: 25,
  timeoutMs: 24 * 3_600_000,
  priority: 'low',
});

/** Who wants which library scanned, and how. */
export interface ScanRequest {
  readonly libraryId: string;
  readonly mode: ScanMode;
  readonly requestedBy: string | undefined;
}

const triesMax = 5;

/**
 * Makes a scan and its job in the caller's transaction, or finds the one that waits or runs.
 * Undefined when there is no such library.
 */
export async function requestScan(
  tx: Tx,
  jobs: JobAdder,
  request: ScanRequest,
): Promise<{ scan: Scan; isNew: boolean } | undefined> {
  // The active scan may end between the two looks; then there is room for a new one.
  for (let tries = 0; tries < triesMax; tries++) {
    const made = await insertScan(tx, request);
    const scan = made ?? (await activeScan(tx, request.libraryId));
    if (scan === undefined) continue;
    await addScanJob(tx, jobs, scan.id);
    return { scan, isNew: made !== undefined };
  }
  return undefined;
}

/** Makes sure that a scan has a job: a no-op while one waits or runs. */
export async function addScanJob(tx: Tx, jobs: JobAdder, scanId: string): Promise<void> {
  await jobs.add(tx, libraryScan, { scanId }, { key: `scan:${scanId}` });
}
