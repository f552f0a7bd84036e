import { randomUUID } from 'node:crypto';
import type { Sql } from '#storage/postgres/connect.ts';
import type { EventPublisher } from '../events.ts';
import type { Log } from '../log.ts';
import { channel } from './enqueue.ts';
import type { JobHandler, QueueName } from './job.ts';
import { createKeeper } from './keeper.ts';
import { createListener } from './listen.ts';
import { createOutage } from './outage.ts';
import { createPump } from './pump.ts';
import { isQueueName, queueNames, type Load } from './queues.ts';
import { createRuns, type JobFinish } from './runs.ts';
import { createSlots } from './slots.ts';
import { createBell } from './wake.ts';

/** Intervals of the worker, in milliseconds; the defaults are meant for production. */
export interface WorkerTimes {
  /** Longest time until a due job is noticed when no notification comes. */
  readonly pollMs: number;
  /** How often running jobs are compared with the table (cancels, lost claims). */
  readonly keepMs: number;
  readonly beatMs: number;
  /** A worker silent for this long is gone. */
  readonly silentMs: number;
  /** The same for one whose node the cluster does not hear of either. */
  readonly goneMs: number;
  /** How long a node that takes no more jobs may go on with those it has. */
  readonly yieldMs: number;
  /** A job that runs for longer, and longer than its own time-out, is taken from its worker. */
  readonly stuckMs: number;
  /** How long a handler may take to heed its signal. */
  readonly graceMs: number;
  readonly progressMs: number;
}

/**
 * See WorkerTimes: a node killed with -9 is noticed after 6 to 10 s by the leader, and where the
 * cluster cannot say that it is gone, after 30 to 35 s by any other.
 */
export const workerTimes: WorkerTimes = {
  pollMs: 1_000,
  keepMs: 1_000,
  beatMs: 2_000,
  silentMs: 30_000,
  goneMs: 6_000,
  yieldMs: 30_000,
  stuckMs: 1_800_000,
  graceMs: 10_000,
  progressMs: 500,
};

/** The working side of the queue on this node. */
export interface Workers extends AsyncDisposable {
  /** Resolves when it is registered and takes jobs; waits for PostgreSQL as long as it takes. */
  readonly ready: Promise<void>;
  /** A limit for this node alone; undefined returns to what is set for all. */
  setLimit(queue: QueueName, limit: number | undefined): void;
  /** Whether somebody is watching; limits follow at once, what runs is left to finish. */
  setLoad(load: Load): void;
  limit(queue: QueueName): number;
  running(queue: QueueName): number;
  /** Jobs that run here, of all queues. */
  count(): number;
  /**
   * False: takes no more jobs, lets those that run finish for a while (30 s) and gives back the
   * rest, without counting a try, for other nodes to do; true: takes them again.
   */
  setTaking(isTaking: boolean): void;
  /**
   * Takes no more jobs, lets the running ones finish for `softMs` (10 s), aborts the rest, waits
   * for them for the grace (10 s) and gives back what is left, without counting a try. A second
   * call with a shorter time hastens the first.
   */
  stop(options?: { softMs?: number }): Promise<void>;
}

/** What a worker is made of. */
export interface WorkerDeps {
  readonly sql: Sql;
  readonly log: Log;
  readonly now: () => number;
  readonly random: () => number;
  readonly events: EventPublisher;
  readonly nodeId: string;
  /** See JobsDeps. */
  readonly silentNodes: () => readonly string[];
  readonly times: WorkerTimes;
  readonly onFinish: (finish: JobFinish) => void;
}

const softDefaultMs = 10_000;

/** Starts working off jobs of the kinds given. Throws when two handlers claim one kind. */
export function startWorker(deps: WorkerDeps, list: readonly JobHandler[]): Workers {
  const handlers = index(list);
  const slots = createSlots();
  const freed = createBell();
  const parts = assemble({ ...deps, handlers, slots, freed, halt: () => void stop({ softMs: 0 }) });
  const { runs, pump, keeper, listener, outage } = parts;
  let stopping = false;
  let abortAt = Infinity;
  let stopped: Promise<void> | undefined;
  let yielding: NodeJS.Timeout | undefined;

  const ready = (async () => {
    await outage.persist(
      () => keeper.register(),
      () => stopping,
    );
    if (stopping) return;
    await listener.start();
    keeper.start();
    pump.start();
  })();

  async function halt(): Promise<void> {
    stopping = true;
    clearTimeout(yielding);
    outage.wake();
    await ready;
    await pump.stop();
    await softly();
    await runs.close('shutdown');
    await keeper.stop();
    await listener.stop();
  }
  async function softly(): Promise<void> {
    while (queueNames.some((queue) => slots.running(queue) > 0)) {
      const leftMs = abortAt - performance.now();
      if (leftMs <= 0) return;
      await freed.wait(leftMs);
    }
  }
  function stop({ softMs = softDefaultMs } = {}): Promise<void> {
    abortAt = Math.min(abortAt, performance.now() + softMs);
    freed.ring();
    return (stopped ??= halt());
  }

  return {
    ready,
    setLimit(queue, limit) {
      slots.setLimit(queue, limit);
      pump.wake([queue]);
    },
    setLoad(load) {
      slots.setLoad(load);
      pump.wake();
    },
    limit: (queue) => slots.limit(queue),
    running: (queue) => slots.running(queue),
    count: () => queueNames.reduce((sum, queue) => sum + slots.running(queue), 0),
    setTaking(isTaking) {
      clearTimeout(yielding);
      pump.setTaking(isTaking);
      if (isTaking || stopping) return;
      yielding = setTimeout(() => runs.stopAll('shutdown'), deps.times.yieldMs);
    },
    stop,
    [Symbol.asyncDispose]: () => stop(),
  };
}

interface Parts extends WorkerDeps {
  readonly handlers: ReadonlyMap<string, JobHandler>;
  readonly slots: ReturnType<typeof createSlots>;
  /** Rings when a run has ended. */
  readonly freed: ReturnType<typeof createBell>;
  readonly halt: () => void;
}

/** Makes the parts and ties them together; nothing runs yet. */
function assemble(deps: Parts) {
  const { sql, log, slots, times } = deps;
  const worker = { nodeId: deps.nodeId, workerId: randomUUID() };
  const outage = createOutage({ ...deps, onRecovered: () => listener.restart() });
  const runs = createRuns({
    ...deps,
    onFree(queue) {
      pump.slotFreed(queue);
      deps.freed.ring();
    },
    onRoom: () => pump.wake([]),
  });
  const names = [...deps.handlers.keys()];
  const pump = createPump({ sql, worker, names, slots, runs, outage, pollMs: times.pollMs });
  const keeper = createKeeper({
    ...deps,
    worker,
    runs,
    isClaiming: () => pump.isClaiming(),
    onSettings(settings) {
      slots.setSettings(settings);
      pump.wake();
    },
    onRescued: () => pump.wake(),
    onSuperseded: deps.halt,
  });
  const onMessage = (message: string) => {
    const [kind, subject = ''] = message.split(':', 2);
    if (kind === 'add' && isQueueName(subject)) pump.wake([subject]);
    else if (kind === 'cancel') runs.find(subject)?.stop('cancel');
    else if (kind === 'queues') void keeper.reload();
  };
  const onListening = () => pump.wake();
  const listener = createListener({ sql, log, channel, onMessage, onListening });
  return { runs, pump, keeper, listener, outage };
}

function index(handlers: readonly JobHandler[]): ReadonlyMap<string, JobHandler> {
  const byName = new Map<string, JobHandler>();
  for (const handler of handlers) {
    const { name } = handler.definition;
    if (byName.has(name)) throw new Error(`two handlers for the job ${name}`);
    byName.set(name, handler);
  }
  return byName;
}
