import type { Queryable } from '#storage/postgres/connect.ts';
import { defineJob, type JobContext } from '../jobs/job.ts';
import { releaseItems } from './items.ts';
import { allLibraries } from './libraries-store.ts';
import { deleteGoneDirectories, deleteMissingFiles } from './missing-store.ts';
import { lockItems, type ScannerDeps } from './run.ts';
import { activeScans, pruneScans } from './scans-store.ts';
import { addScanJob, requestScan } from './start.ts';
import { forgettableUntil } from './vanished.ts';

/** Starts the scans that are due, and sees to it that every unfinished scan has a job. */
export const scanAll = defineJob<object>('library.scan-all', {
  queue: 'library',
  attempts: 3,
  timeoutMs: 60_000,
  cron: '*/5 * * * *',
});

/** Forgets what has been missing for longer than the time of grace. */
export const clean = defineJob<object>('library.clean', {
  queue: 'maintenance',
  attempts: 3,
  timeoutMs: 3_600_000,
  cron: '23 4 * * *',
});

const scansKept = 50;
const filesPerStep = 1_000;
const dayMs = 24 * 3_600_000;

/** Does `library.scan-all`. */
export async function scanDue(deps: ScannerDeps): Promise<void> {
  const { store, jobs } = deps;
  const active = await activeScans(store.sql);
  const due = await dueLibraries(store.sql, new Date(deps.now()));
  if (active.length + due.length === 0) return;
  await store.write(async (tx) => {
    for (const scan of active) await addScanJob(tx, jobs, scan.id);
    for (const libraryId of due) {
      await requestScan(tx, jobs, { libraryId, mode: 'quick', requestedBy: undefined });
    }
  });
}

/** Libraries that are to be scanned by themselves and whose last scan began too long ago. */
async function dueLibraries(sql: Queryable, now: Date): Promise<string[]> {
  const rows = await sql<{ id: string }[]>`
    select l.id from libraries l
    where l.scan_interval_minutes > 0 and not exists (
      select from library_scans s
      where s.library_id = l.id and (s.state in ('queued', 'running')
        or s.created_at > ${now}::timestamptz - make_interval(mins => l.scan_interval_minutes)))
    order by l.id`;
  return rows.map(({ id }) => id);
}

/**
 * Does `library.clean`: the only place where the catalogue forgets files by itself, and never those
 * of a folder that is not available, nor, before a person confirms it, those of a library of which
 * very much is missing. Works whose last file went are deleted with them.
 */
export async function cleanMissing(
  deps: ScannerDeps,
  { graceDays, percent }: { graceDays: number; percent: number },
  { signal }: Pick<JobContext, 'signal'>,
): Promise<void> {
  const before = new Date(deps.now() - graceDays * dayMs);
  for (const library of await allLibraries(deps.store.sql)) {
    const module = deps.modules.get(library.kind);
    if (module === undefined) continue;
    const libraryId = library.id;
    for (let count = filesPerStep; count === filesPerStep;) {
      signal.throwIfAborted();
      await deps.store.write(async (tx, stale) => {
        await lockItems(tx, libraryId);
        const until = await forgettableUntil(tx, libraryId, { before, percent });
        if (until === undefined) {
          count = 0;
          deps.log.warn('much of a library is missing, and kept until somebody confirms it', {
            libraryId,
          });
          return;
        }
        const page = { libraryId, before: until, limit: filesPerStep };
        const deleted = await deleteMissingFiles(tx, page);
        count = deleted.count;
        const { itemIds } = deleted;
        const { onItemsChanged } = deps;
        await releaseItems(tx, { module, libraryId, itemIds, onItemsChanged, stale });
      });
    }
  }
  await deps.store.write(async (tx) => {
    await deleteGoneDirectories(tx, before);
    await pruneScans(tx, scansKept);
  });
}
