import type { Tx } from '#storage/postgres/connect.ts';
import { defineJob, type JobAdder } from '../jobs/job.ts';
import { chunksOf } from './at-once.ts';

/** Which directories of which run of a scan. */
export interface ReadPayload {
  readonly scanId: string;
  /** The run that asks: what an earlier one asked for is asked for anew. */
  readonly epoch: number;
  readonly rootId: string;
  readonly directoryIds: readonly string[];
}

/** Reads some directories of a scan, and identifies what is in them. Before all probes. */
export const readDirectories = defineJob<ReadPayload>('library.read', {
  queue: 'library',
  attempts: 8,
  timeoutMs: 30 * 60_000,
  priority: 'normal',
});

/** What is saved in one transaction; few enough that all nodes get some. */
const directoriesPerJob = 256;

/** Asks for directories to be read, by any node. */
export async function addReads(
  tx: Tx,
  jobs: JobAdder,
  { directoryIds, ...of }: ReadPayload,
): Promise<void> {
  const payloads = chunksOf(directoryIds, directoriesPerJob).map((ids) => ({
    payload: { ...of, directoryIds: ids },
  }));
  await jobs.addMany(tx, readDirectories, payloads);
}
