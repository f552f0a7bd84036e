import type { Tx } from '#storage/postgres/connect.ts';
import { defineJob, type JobAdder } from '../jobs/job.ts';
import { chunksOf } from './at-once.ts';

/** Probes some files of one library. */
export const probeFiles = defineJob<{ libraryId: string; fileIds: string[] }>('library.probe', {
  queue: 'library',
  attempts: 8,
  timeoutMs: 30 * 60_000,
  priority: 'low',
});

/** Files per job: so many that its own bookkeeping is little, few enough to share among nodes. */
const filesPerJob = 128;

/** Asks for files to be probed, by any node. */
export async function addProbes(
  tx: Tx,
  jobs: JobAdder,
  { libraryId, fileIds }: { libraryId: string; fileIds: readonly string[] },
): Promise<void> {
  if (fileIds.length === 0) return;
  const payloads = chunksOf(fileIds, filesPerJob).map((ids) => ({
    payload: { libraryId, fileIds: ids },
  }));
  await jobs.addMany(tx, probeFiles, payloads);
}
