import type { Sql } from '#storage/postgres/connect.ts';
import type { Log } from '../log.ts';
import type { Claimed } from './claims.ts';
import { safeMessage } from './failure.ts';
import { writeProgress, type Progress } from './outcomes.ts';

/** What a handler says of its progress. */
export interface Said {
  readonly done: number;
  readonly total: number;
  readonly note: string | undefined;
}

/** Collects how far jobs are, and writes it at most once per interval for all of them together. */
export interface ProgressBook {
  report(job: Claimed, said: Said): void;
  /** Takes out what is not written yet, for the job's end. */
  take(jobId: string): Progress | undefined;
  close(): Promise<void>;
}

interface ProgressDeps {
  readonly sql: Sql;
  readonly log: Log;
  readonly everyMs: number;
  readonly onProgress: (job: Claimed, progress: Progress) => void;
}

const noteMax = 200;

/** Makes a progress book. What cannot be written is dropped: the next report says more. */
export function createProgressBook({ sql, log, everyMs, onProgress }: ProgressDeps): ProgressBook {
  const pending = new Map<string, { job: Claimed; progress: Progress }>();
  let timer: NodeJS.Timeout | undefined;
  let writing: Promise<void> | undefined;

  const flush = async () => {
    const batch = [...pending.values()];
    pending.clear();
    if (batch.length === 0) return;
    for (const { job, progress } of batch) onProgress(job, progress);
    await writeProgress(
      sql,
      batch.map(({ progress }) => progress),
    ).catch((error: unknown) => log.debug('progress not written', { error }));
  };
  const arm = () => {
    timer ??= setTimeout(() => {
      writing = flush().finally(() => {
        timer = undefined;
        if (pending.size > 0) arm();
      });
    }, everyMs);
  };

  return {
    report(job, said) {
      pending.set(job.id, { job, progress: toProgress(job, said) });
      arm();
    },
    take(jobId) {
      const found = pending.get(jobId)?.progress;
      pending.delete(jobId);
      return found;
    },
    async close() {
      clearTimeout(timer);
      await writing;
      await flush();
      clearTimeout(timer);
    },
  };
}

function toProgress({ id, claims }: Claimed, said: Said): Progress {
  const count = (value: number) =>
    Number.isFinite(value) ? Math.min(Math.max(0, Math.trunc(value)), Number.MAX_SAFE_INTEGER) : 0;
  const note = said.note === undefined ? undefined : safeMessage(said.note).slice(0, noteMax);
  return { id, claims, done: count(said.done), total: count(said.total), note };
}
