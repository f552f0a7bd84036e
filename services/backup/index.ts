import type { HandlersOf } from '#api/handler.ts';
import type { components } from '#api/types.ts';
import { record } from '../activity/record.ts';
import { problem } from '../errors.ts';
import { failureIn } from '../failures.ts';
import type { JobAdder, JobHandler } from '../jobs/job.ts';
import { BackupError } from './errors.ts';
import { explainFile } from './explain.ts';
import { listBackups, type StoredBackup } from './folder.ts';
import { backUpWhenDue, backupJobs, backupKey, makeBackup, type BackupJobDeps } from './job.ts';

export interface BackupDeps extends BackupJobDeps {
  readonly jobs: JobAdder;
}

/** Backups of the database and of what it depends on: made on demand and by schedule. */
export interface Backups {
  readonly handlers: HandlersOf<'listBackups' | 'makeBackup'>;
  readonly jobs: readonly JobHandler[];
  /** Adds the backup that is due by the settings; for the leader to call about once a minute. */
  readonly whenDue: () => Promise<void>;
}

/** Makes the backups. */
export function createBackups(deps: BackupDeps): Backups {
  const { store, settings, jobs } = deps;
  const log = deps.log.child({ module: 'backup' });
  const folder = async () => {
    const set = await settings.get('backup.dir');
    if (set !== '') return set;
    throw problem('conflict', 'No folder is set for backups: set backup.dir to one');
  };
  return {
    handlers: {
      async listBackups() {
        const where = await folder();
        try {
          return { body: { folder: where, items: (await listBackups(where)).map(toJson) } };
        } catch (error) {
          const told = explainFile(error, where);
          if (!(told instanceof BackupError)) throw error;
          throw problem('conflict', `On this node ${told.message}`, { cause: error });
        }
      },
      async makeBackup({ principal }) {
        await folder();
        const jobId = await store.write(async (tx) => {
          const id = await jobs.add(tx, makeBackup, {}, { key: backupKey, priority: 'normal' });
          if (id === undefined)
            throw problem('conflict', 'A backup waits or is being made already');
          const { userId, username } = principal ?? {};
          await record(tx, { action: 'backup.requested', userId, username });
          return id;
        });
        return { body: { jobId } };
      },
    },
    jobs: backupJobs({ ...deps, log }),
    whenDue: () => backUpWhenDue({ store, settings, jobs, log, now: deps.now }),
  };
}

function toJson(backup: StoredBackup): components['schemas']['Backup'] {
  const { name, sizeBytes, madeAt, isSealed, about, fault } = backup;
  return {
    ...{ name, sizeBytes, isSealed },
    madeAt: madeAt.toISOString(),
    application: about?.application ?? null,
    schemaVersion: about?.schemaVersion ?? null,
    clusterId: about?.clusterId ?? null,
    rows: about?.rows ?? null,
    fault: fault ?? null,
    ...(fault !== undefined && toFault(fault)),
  };
}

const toFault = (fault: string) => {
  const { code: faultCode, values: faultValues } = failureIn(fault);
  return { faultCode, faultValues };
};
