import type { Log } from '../log.ts';
import { backoffMs } from './backoff.ts';
import type { Claimed } from './claims.ts';
import { failureOf, safeMessage } from './failure.ts';
import type { JobHandler } from './job.ts';
import type { Outcome } from './outcomes.ts';

/** Why a run was told to stop. Lost: the job is in other hands, or nobody's, already. */
export type StopReason = 'timeout' | 'cancel' | 'shutdown' | 'lost';

const stopMessages: Readonly<Record<StopReason, string>> = {
  timeout: 'the job has taken too long',
  cancel: 'the job was cancelled',
  shutdown: 'the node is shutting down',
  lost: 'the job is not ours any more',
};

/** What ended a run: its own return or throw, and what it had been told before. */
export interface Ending {
  readonly error?: unknown;
  readonly reason?: StopReason | undefined;
}

/** One try in progress. */
export interface Run {
  readonly job: Claimed;
  /** Aborts the handler's signal; one that does not heed it is left alone after the grace. */
  stop(reason: StopReason): void;
  /** Never rejects. */
  readonly ended: Promise<Ending>;
}

interface RunDeps {
  readonly handler: JobHandler;
  readonly log: Log;
  readonly graceMs: number;
  readonly progress: (done: number, total: number, note?: string) => void;
}

const timerMaxMs = 2 ** 31 - 1;

/** Starts a handler under its time-out. */
export function startRun(job: Claimed, deps: RunDeps): Run {
  const controller = new AbortController();
  const { promise: ended, resolve } = Promise.withResolvers<Ending>();
  let over = false;
  let reason: StopReason | undefined;
  let grace: NodeJS.Timeout | undefined;
  const stop = (why: StopReason) => {
    if (reason !== undefined || over) return;
    reason = why;
    controller.abort(new Error(stopMessages[why]));
    grace = setTimeout(() => {
      deps.log.error('job ignores its signal', { jobId: job.id, name: job.name, reason: why });
      end({});
    }, deps.graceMs);
  };
  const timer = setTimeout(() => stop('timeout'), Math.min(job.timeoutMs, timerMaxMs));
  const end = (ending: Ending) => {
    over = true;
    clearTimeout(timer);
    clearTimeout(grace);
    resolve({ ...ending, reason });
  };
  // Not before this returns: the run must be known when its handler first says something.
  Promise.resolve()
    .then(() => execute(job, deps, controller.signal))
    .then(
      () => end({}),
      (error: unknown) => end({ error }),
    );
  return { job, stop, ended };
}

async function execute(job: Claimed, deps: RunDeps, signal: AbortSignal): Promise<void> {
  let log: Log | undefined;
  await deps.handler.run(job.payload, {
    jobId: job.id,
    attempt: job.attempt,
    signal,
    progress: deps.progress,
    // Most handlers of the small kind never log: make their logger when they ask for it.
    get log() {
      log ??= deps.log.child({ job: job.name, jobId: job.id, attempt: job.attempt });
      return log;
    },
  });
}

interface Judgement {
  readonly job: Claimed;
  readonly ending: Ending;
  readonly handler: JobHandler;
  readonly random: () => number;
}

/**
 * What becomes of a job after a run; undefined when it is not ours to say. A handler that was
 * told to stop and returned has not finished: cooperative handlers just leave their loop.
 */
export function judge({ job, ending, handler, random }: Judgement): Outcome | undefined {
  const { id, claims, attempt, attempts } = job;
  const fail = (message: string, pauseMs: number): Outcome =>
    attempt >= attempts
      ? { id, claims, kind: 'dead', message }
      : { id, claims, kind: 'failed', message, pauseMs };
  const { backoff } = handler.definition.options;
  switch (ending.reason) {
    case 'lost':
      return undefined;
    case 'cancel':
      return { id, claims, kind: 'cancelled' };
    case 'shutdown':
      return { id, claims, kind: 'returned' };
    case 'timeout':
      return fail(`not done after ${job.timeoutMs} ms`, backoffMs(attempt, random, backoff));
    case undefined: {
      if (!('error' in ending)) return { id, claims, kind: 'completed' };
      const { message, retry, retryAfterMs = 0 } = failureOf(ending.error);
      if (!retry) return { id, claims, kind: 'dead', message: safeMessage(ending.error) };
      return fail(message, Math.max(backoffMs(attempt, random, backoff), retryAfterMs));
    }
  }
}
