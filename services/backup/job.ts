import { join } from 'node:path';
import type { Store } from '../changes.ts';
import { record } from '../activity/record.ts';
import { enqueueDue, scheduleOf } from '../jobs/cron.ts';
import {
  defineJob,
  GiveUpError,
  on,
  type JobAdder,
  type JobContext,
  type JobHandler,
} from '../jobs/job.ts';
import type { Log } from '../log.ts';
import type { Settings } from '../settings/index.ts';
import { explainFile } from './explain.ts';
import { writeWhole } from './file.ts';
import { nameOf, prune } from './folder.ts';
import { verifyBackup } from './read.ts';
import { backupJobName } from './tables.ts';
import { writeBackup, type ReadPicture, type Written } from './write.ts';

/** Makes a backup in the folder of backups. */
export const makeBackup = defineJob<object>(backupJobName, {
  // Not that of maintenance, which rests while somebody watches: somebody may always be.
  queue: 'library',
  attempts: 5,
  timeoutMs: 6 * 3_600_000,
  priority: 'low',
  backoff: { firstMs: 60_000, maxMs: 900_000 },
});

/** While one waits or runs, another is not added. */
export const backupKey = 'backup';

export interface BackupJobDeps {
  readonly store: Store;
  readonly settings: Pick<Settings, 'get'>;
  readonly readPicture: ReadPicture;
  readonly application: string;
  /** Undefined until there is a cluster. */
  readonly clusterId: () => string | undefined;
  readonly log: Log;
  readonly now: () => number;
}

export const backupJobs = (deps: BackupJobDeps): JobHandler[] => [
  on(makeBackup, (_payload, context) => make(deps, context)),
];

async function make(deps: BackupJobDeps, context: JobContext): Promise<void> {
  const { settings, store } = deps;
  const folder = await settings.get('backup.dir');
  if (folder === '') throw new GiveUpError('no folder is set for backups (backup.dir)');
  try {
    const { name, written } = await writeOne(deps, folder, context);
    const keep = await settings.get('backup.keep');
    const gone = await prune(folder, { keep, latest: name, now: deps.now() });
    const rows = written.end.tables.reduce((sum, table) => sum + table.rows, 0);
    await store.write((tx) =>
      record(tx, {
        action: 'backup.made',
        resourceType: 'backup',
        resourceId: name,
        details: { rows, removed: gone },
      }),
    );
    context.log.info('backup made', { name, rows, removed: gone.length });
  } catch (error) {
    context.signal.throwIfAborted();
    const told = explainFile(error, folder) as Error;
    await store.write((tx) =>
      record(tx, { action: 'backup.failed', success: false, details: { reason: told.message } }),
    );
    throw told;
  }
}

async function writeOne(
  deps: BackupJobDeps,
  folder: string,
  context: JobContext,
): Promise<{ name: string; written: Written }> {
  const { store, settings, readPicture, application } = deps;
  const recipient = await settings.get('backup.recipient');
  const lock = recipient === '' ? undefined : { recipients: [recipient] };
  const name = nameOf(deps.clusterId(), new Date(deps.now()), { isSealed: lock !== undefined });
  const options = {
    ...{ sql: store.sql, readPicture, application, lock },
    signal: context.signal,
    onProgress: (at: { rows: number; totalRows: number; table: string }) =>
      context.progress(at.rows, at.totalRows, at.table),
  };
  const written = await writeWhole(
    join(folder, name),
    (sink) => writeBackup(options, sink),
    async (file) => {
      // Whoever has the secret key reads a sealed one; a node does not.
      if (lock === undefined) await verifyBackup(file, undefined);
    },
  );
  return { name, written };
}

export interface ScheduleDeps {
  readonly store: Store;
  readonly settings: Pick<Settings, 'get'>;
  readonly jobs: JobAdder;
  readonly log: Log;
  readonly now: () => number;
}

/**
 * Adds the backup that is due by the settings, once, whoever asks and however often; the leader
 * does, about once a minute.
 */
export async function backUpWhenDue({ store, settings, jobs, log, now }: ScheduleDeps) {
  const cron = await settings.get('backup.schedule');
  if (cron === '' || (await settings.get('backup.dir')) === '') return;
  const schedule = scheduleOf({ ...makeBackup, options: { ...makeBackup.options, cron } });
  if (schedule !== undefined) await enqueueDue({ sql: store.sql, jobs, log, now }, [schedule]);
}
