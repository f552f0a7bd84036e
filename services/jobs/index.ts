import type { Store } from '../changes.ts';
import type { EventPublisher } from '../events.ts';
import type { Log } from '../log.ts';
import { scheduleKey, scheduleOf, type Schedule } from './cron.ts';
import { startDuties } from './duties.ts';
import { createAdder } from './enqueue.ts';
import { createJobHandlers, type JobHandlers } from './handlers.ts';
import { cancelJob, readDepths, readJob, retryJob, type Depth } from './inspect.ts';
import { whenIdle } from './idle.ts';
import type { JobAdder, JobHandler, QueueName } from './job.ts';
import { publishJob } from './publish.ts';
import { effectiveLimit } from './queues.ts';
import type { JobFinish } from './runs.ts';
import { startWorker, workerTimes, type WorkerTimes, type Workers } from './worker.ts';

export type { Depth } from './inspect.ts';
export type { JobFinish } from './runs.ts';
export type { Workers, WorkerTimes } from './worker.ts';

/** What the queue needs of the node it runs on. */
export interface JobsDeps extends Store {
  readonly log: Log;
  /** Milliseconds since the epoch; used for cron and durations. What is due is PostgreSQL's say. */
  readonly now: () => number;
  /** Uniform in [0, 1): the jitter of pauses. */
  readonly random: () => number;
  readonly events: EventPublisher;
  /** Stable over restarts: a new process of a node frees at once what the old one held. */
  readonly nodeId: string;
  /** Whether this node does what one must do for all (cron, clearing away); alone: always. */
  readonly isLeader?: () => boolean;
  /**
   * Nodes of which the cluster has heard nothing for a few seconds, as its leader knows; empty on
   * all others. What such a one held is given back once its worker is silent too.
   */
  readonly silentNodes?: () => readonly string[];
  /** Called after each try, for metrics. */
  readonly onFinish?: (finish: JobFinish) => void;
  readonly times?: Partial<WorkerTimes>;
}

/** The job queue of a node. */
export interface Jobs extends JobAdder {
  readonly handlers: JobHandlers;
  /** Starts working off jobs, recurring ones included; at most once per process. */
  work(handlers: readonly JobHandler[]): Workers;
  /** Cancels a job that waits at once, one that runs through its signal; false: it is over. */
  cancel(jobId: string): Promise<boolean>;
  /** Runs a job that is over, or rests between tries, now; false: it runs or is not there. */
  retry(jobId: string): Promise<boolean>;
  /** Jobs that this process works off just now. */
  count(): number;
  /** See `idle.ts`. */
  whenIdle(
    queues: readonly QueueName[],
    options: { readonly withinMs: number; readonly signal: AbortSignal },
  ): Promise<boolean>;
  /** What waits, runs and is dead per queue, on all nodes, for the metrics. */
  stats(): Promise<Depth[]>;
}

/** Makes the queue. Adding needs nothing running; jobs are worked off once `work` is called. */
export function createJobs(deps: JobsDeps): Jobs {
  const { sql, now, isLeader = () => true } = deps;
  const log = deps.log.child({ module: 'jobs' });
  const times: WorkerTimes = { ...workerTimes, ...deps.times };
  const adder = createAdder();
  let schedules: readonly Schedule[] = [];
  let workers: Workers | undefined;

  const handlers = createJobHandlers({
    ...deps,
    here: (queue) => ({
      limit: workers?.limit(queue) ?? effectiveLimit(queue, 'idle'),
      running: workers?.running(queue) ?? 0,
    }),
    schedules: () => schedules,
    addScheduled: ({ definition }) => adder.add(sql, definition, {}, { key: scheduleKey }),
    onChanged: (job) => publishJob(deps.events, job),
  });

  return {
    ...adder,
    handlers,
    work(list) {
      if (workers !== undefined) throw new Error('this process works off jobs already');
      schedules = list.flatMap(({ definition }) => scheduleOf(definition) ?? []);
      const given = { onFinish: () => undefined, silentNodes: () => [], ...deps };
      const started = startWorker({ ...given, log, times }, list);
      const duties = startDuties({
        sql,
        log,
        now,
        isLeader,
        schedules,
        jobs: adder,
        everyMs: times.keepMs,
      });
      const stop: Workers['stop'] = async (options) => {
        await Promise.all([duties.stop(), started.stop(options)]);
      };
      workers = { ...started, stop, [Symbol.asyncDispose]: () => stop() };
      return workers;
    },
    async cancel(jobId) {
      const job = (await cancelJob(sql, jobId)) ? await readJob(sql, jobId) : undefined;
      if (job !== undefined) publishJob(deps.events, job);
      return job !== undefined;
    },
    retry: async (jobId) => (await retryJob(sql, jobId)) !== undefined,
    whenIdle: (queues, options) => whenIdle(sql, queues, options),
    count: () => workers?.count() ?? 0,
    stats: () => readDepths(sql),
  };
}
