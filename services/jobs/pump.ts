import type { Sql } from '#storage/postgres/connect.ts';
import { claimDue, type WorkerId } from './claims.ts';
import type { QueueName } from './job.ts';
import type { Outage } from './outage.ts';
import { queueNames } from './queues.ts';
import type { Runs } from './runs.ts';
import type { Slots } from './slots.ts';
import { createBell, every } from './wake.ts';

/** The loop that takes due jobs whenever there may be some and slots are free. */
export interface Pump {
  /** There may be jobs in these queues (all, unless named). */
  wake(queues?: readonly QueueName[]): void;
  /** A slot became free: worth a look only where the last look found more than fitted. */
  slotFreed(queue: QueueName): void;
  /** True while a claim is on its way, so that its jobs may be in the table and not here. */
  isClaiming(): boolean;
  /** False: takes no more until it is true again. */
  setTaking(isTaking: boolean): void;
  start(): void;
  /** Takes no more; resolves when the claim on its way has come in and was started. */
  stop(): Promise<void>;
}

interface PumpDeps {
  readonly sql: Sql;
  readonly worker: WorkerId;
  readonly names: readonly string[];
  readonly slots: Slots;
  readonly runs: Pick<Runs, 'start' | 'isFull'>;
  readonly outage: Outage;
  readonly pollMs: number;
}

/**
 * Makes a pump. A queue is hungry until a claim brings fewer jobs than it had slots; then it rests
 * until a notification or the poll. One claim serves all hungry queues in one round trip, and
 * slots that free up while it is under way are filled by the next: load makes batches by itself.
 */
export function createPump(deps: PumpDeps): Pump {
  const { slots, runs, outage } = deps;
  const hungry = new Set<QueueName>(queueNames);
  const bell = createBell();
  let claiming = false;
  let stopping = false;
  let taking = true;
  let poll: ReturnType<typeof every> | undefined;
  let pumping: Promise<void> | undefined;

  const wake = (queues = queueNames) => {
    for (const queue of queues) hungry.add(queue);
    bell.ring();
  };

  async function claim(): Promise<void> {
    const open = slots.open().filter(({ queue }) => hungry.has(queue));
    if (!taking || open.length === 0 || runs.isFull()) return bell.wait(deps.pollMs);
    for (const { queue } of open) hungry.delete(queue);
    claiming = true;
    try {
      const { sql, worker, names } = deps;
      const jobs = await claimDue(sql, { ...worker, names, slots: open });
      for (const job of jobs) runs.start(job);
      for (const { queue, count } of open) {
        if (jobs.filter((job) => job.queue === queue).length >= count) hungry.add(queue);
      }
      outage.over();
    } catch (error) {
      for (const { queue } of open) hungry.add(queue);
      const until = performance.now() + outage.failed(error);
      // Rings are for jobs; none can be had before the pause is over.
      while (!stopping && performance.now() < until) await bell.wait(until - performance.now());
    } finally {
      claiming = false;
    }
  }

  async function loop(): Promise<void> {
    while (!stopping) await claim();
  }

  return {
    wake,
    slotFreed: (queue) => hungry.has(queue) && bell.ring(),
    isClaiming: () => claiming,
    setTaking(isTaking) {
      taking = isTaking;
      bell.ring();
    },
    start() {
      poll = every(deps.pollMs, async () => wake());
      pumping = loop();
    },
    async stop() {
      stopping = true;
      bell.ring();
      await Promise.all([poll?.stop(), pumping]);
    },
  };
}
