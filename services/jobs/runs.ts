import type { Sql } from '#storage/postgres/connect.ts';
import type { EventPublisher } from '../events.ts';
import type { Log } from '../log.ts';
import type { Claimed } from './claims.ts';
import type { JobHandler, QueueName } from './job.ts';
import type { Outcome, StoredState } from './outcomes.ts';
import { createProgressBook } from './progress.ts';
import { publishJob } from './publish.ts';
import { judge, startRun, type Ending, type Run, type StopReason } from './run.ts';
import { createSettler } from './settle.ts';
import type { Slots } from './slots.ts';

/** What one try came to; `returned` and `lost` tries were not the job's fault and do not count. */
export interface JobFinish {
  readonly jobId: string;
  readonly name: string;
  readonly queue: QueueName;
  readonly outcome: Outcome['kind'] | 'lost';
  readonly durationMs: number;
  /** From when it was due until it started. */
  readonly waitedMs: number;
}

/** The jobs in this process's hands: claimed, and their outcome not yet written. */
export interface Runs {
  start(job: Claimed): void;
  held(): readonly Run[];
  find(jobId: string): Run | undefined;
  /** True when so many outcomes wait to be written that no more jobs should be taken. */
  isFull(): boolean;
  /** Tells all that run here to stop; their jobs are given back. */
  stopAll(reason: StopReason): void;
  /** Returns a claim that was never started to the queue. */
  giveBack(job: { id: string; claims: number }): void;
  /** Stops all, waits for their end (bounded by the grace) and for the writing of outcomes. */
  close(reason: StopReason): Promise<void>;
}

interface RunsDeps {
  readonly sql: Sql;
  readonly log: Log;
  readonly now: () => number;
  readonly random: () => number;
  readonly events: EventPublisher;
  readonly times: { readonly graceMs: number; readonly progressMs: number };
  readonly slots: Slots;
  readonly handlers: ReadonlyMap<string, JobHandler>;
  readonly onFinish: (finish: JobFinish) => void;
  /** A slot of the queue is free. */
  readonly onFree: (queue: QueueName) => void;
  /** The backlog of outcomes is short again. */
  readonly onRoom: () => void;
}

const outcomesMax = 500;
const drainMs = 5_000;

/** Makes the set of runs of one worker. */
export function createRuns(deps: RunsDeps): Runs {
  const { sql, log, events, slots, times } = deps;
  const held = new Map<string, Run>();
  const isFull = () => settler.backlog() >= outcomesMax;
  const progress = createProgressBook({
    sql,
    log,
    everyMs: times.progressMs,
    onProgress: (job, at) => publishJob(events, { ...job, state: 'running' }, at),
  });
  const settler = createSettler({ sql, log, onWritten: settled });

  function settled(outcome: Outcome, state: StoredState | undefined): void {
    if (!isFull()) deps.onRoom();
    const run = held.get(outcome.id);
    if (run?.job.claims !== outcome.claims) return;
    held.delete(outcome.id);
    if (state === undefined) log.warn('job outcome came too late', { jobId: outcome.id });
    else publishJob(events, { ...run.job, state });
  }

  function start(job: Claimed): void {
    const handler = deps.handlers.get(job.name);
    if (handler === undefined) throw new Error(`claimed ${job.name}, which has no handler`);
    held.get(job.id)?.stop('lost');
    const startedAt = deps.now();
    const report = (done: number, total: number, note?: string) => {
      if (held.get(job.id) === run) progress.report(job, { done, total, note });
    };
    const run = startRun(job, { handler, log, graceMs: times.graceMs, progress: report });
    held.set(job.id, run);
    slots.take(job.queue);
    publishJob(events, { ...job, state: 'running' });
    void run.ended.then((ending) => end({ run, ending, handler, startedAt }));
  }

  function end(over: { run: Run; ending: Ending; handler: JobHandler; startedAt: number }): void {
    const { id: jobId, name, queue, attempt, waitedMs } = over.run.job;
    const outcome = judge({ ...over, job: over.run.job, random: deps.random });
    if (outcome !== undefined) settler.put(outcome, progress.take(jobId));
    else if (held.get(jobId) === over.run) held.delete(jobId);
    if (outcome !== undefined && 'message' in outcome) {
      const { kind, message } = outcome;
      log.warn('job failed', { jobId, name, attempt, kind, reason: message });
    }
    slots.free(queue);
    deps.onFree(queue);
    const durationMs = deps.now() - over.startedAt;
    deps.onFinish({ jobId, name, queue, outcome: outcome?.kind ?? 'lost', durationMs, waitedMs });
  }

  return {
    start,
    held: () => [...held.values()],
    find: (jobId) => held.get(jobId),
    isFull,
    stopAll(reason) {
      for (const run of held.values()) run.stop(reason);
    },
    giveBack: ({ id, claims }) => settler.put({ id, claims, kind: 'returned' }),
    async close(reason) {
      const runs = [...held.values()];
      for (const run of runs) run.stop(reason);
      await Promise.all(runs.map((run) => run.ended));
      await progress.close();
      await settler.close(drainMs);
    },
  };
}
