import type { Events } from '#services/events.ts';
import {
  createJobs,
  type Jobs,
  type JobsDeps,
  type Workers,
  type WorkerTimes,
} from '#services/jobs/index.ts';
import type { JobHandler } from '#services/jobs/job.ts';
import { quiet } from './log.ts';
import type { TestDatabase } from './postgres.ts';

type Change = Events['job.changed'];

/** A node's job queue on a test database, with ears. */
export interface TestJobs extends Jobs, AsyncDisposable {
  /** Starts working and resolves once jobs are taken; stopped with the queue at the latest. */
  start(handlers: readonly JobHandler[]): Promise<Workers>;
  /** Every `job.changed` published so far. */
  readonly changes: readonly Change[];
  /** Resolves with the first change (past ones included) that is as described. */
  until(wanted: Partial<Change>): Promise<Change>;
}

/** Slow enough that nothing but what a test is about can have caused what it sees. */
export const never: Partial<WorkerTimes> = { pollMs: 600_000, keepMs: 600_000, beatMs: 600_000 };

/** Makes a node's queue; `options` go over the defaults of a test. */
export function testJobs(db: Pick<TestDatabase, 'sql'>, options: Partial<JobsDeps> = {}): TestJobs {
  const { sql } = db;
  const changes: Change[] = [];
  const waiting = new Set<{ wanted: Partial<Change>; resolve: (change: Change) => void }>();
  const fits = (change: Change, wanted: Partial<Change>) =>
    Object.entries(wanted).every(([key, value]) => change[key as keyof Change] === value);
  const jobs = createJobs({
    sql,
    write: (work) =>
      sql.begin((tx) =>
        work(
          tx,
          () => undefined,
          () => undefined,
        ),
      ) as never,
    log: quiet,
    now: Date.now,
    random: () => 0.5,
    nodeId: 'node-a',
    events: {
      publish(_name, payload) {
        const change = payload as Change;
        changes.push(change);
        for (const waiter of waiting) if (fits(change, waiter.wanted)) waiter.resolve(change);
      },
    },
    ...options,
  });
  const until = (wanted: Partial<Change>) =>
    new Promise<Change>((resolve) => {
      const past = changes.find((change) => fits(change, wanted));
      if (past) resolve(past);
      else waiting.add({ wanted, resolve });
    });
  let workers: Workers | undefined;
  const start = async (handlers: readonly JobHandler[]) => {
    workers = jobs.work(handlers);
    await workers.ready;
    return workers;
  };
  const stop = async () => workers?.stop({ softMs: 0 });
  return { ...jobs, changes, until, start, [Symbol.asyncDispose]: stop };
}

/** A promise with its ends in hand, for telling a handler to go on. */
export const gate = () => Promise.withResolvers<void>();
