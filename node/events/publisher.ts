import type { Happening } from '#services/events.ts';
import type { Log } from '#services/log.ts';

export interface PublisherDeps {
  /**
   * Puts a batch into the log, once however often it is sent; resolves to false when nobody took it
   * in a while. The id is random.
   */
  readonly send: (batch: { id: string; events: readonly string[] }) => Promise<boolean>;
  readonly randomId: () => string;
  /** Waits, in milliseconds; not longer than until the signal. */
  readonly pause: (ms: number, signal?: AbortSignal) => Promise<void>;
  readonly onDropped: (count: number, why: 'no-leader' | 'overflow' | 'failed') => void;
  readonly log: Log;
}

export interface PublisherOptions {
  /** For so long others are waited for after the first, in milliseconds. */
  readonly gatherMs?: number;
  /** From one batch until the next begins. */
  readonly everyMs?: number;
  /** Most events that wait. */
  readonly queueMax?: number;
  readonly batchMax?: number;
}

export interface Publisher extends AsyncDisposable {
  /** Puts it in line, in the place of an earlier one of the same subject that still waits there. */
  put(happening: Happening, text: string): void;
  /** Resolves once nothing of these subjects waits or is on its way, or that takes too long. */
  settle(subjects: readonly string[]): Promise<void>;
  stats(): { waiting: number };
}

/** What an event is about, if a later one of the same makes an earlier one pointless. */
export function subjectOf({ name, payload }: Pick<Happening, 'name' | 'payload'>) {
  if (name.startsWith('scan.')) return `scan ${(payload as { scanId: string }).scanId}`;
  if (name === 'job.changed') return `job ${(payload as { jobId: string }).jobId}`;
  return undefined;
}

const settleMs = 1_000;
const triesMax = 5;

/**
 * Gathers what is told outside of transactions, and sends it one batch after the other: as few
 * entries of the log as a person does not notice. What waits is bounded, the oldest goes first.
 */
export function createPublisher(deps: PublisherDeps, options: PublisherOptions = {}): Publisher {
  const { send, randomId, pause, onDropped, log } = deps;
  const { gatherMs = 5, everyMs = 100, queueMax = 2_000, batchMax = 128 } = options;
  const line = createLine(queueMax);
  let rounds = Promise.withResolvers<void>();
  let hurry = new AbortController();
  let isClosed = false;

  const persist = async (events: readonly string[]) => {
    const batch = { id: randomId(), events };
    try {
      for (let tries = 0; tries < triesMax && !(tries > 0 && isClosed); tries += 1) {
        if (await send(batch)) return;
      }
      onDropped(events.length, 'no-leader');
    } catch (error) {
      log.error('events could not be sent', { error });
      onDropped(events.length, 'failed');
    }
  };
  const pump = async () => {
    await pause(gatherMs, hurry.signal);
    while (!line.isEmpty()) {
      hurry = new AbortController();
      await persist(line.take(batchMax));
      line.taken();
      rounds.resolve();
      rounds = Promise.withResolvers();
      if (!isClosed) await pause(everyMs, hurry.signal);
    }
  };
  let pumping: Promise<void> | undefined;
  const start = () => {
    pumping ??= pump().finally(() => {
      pumping = undefined;
      if (!line.isEmpty()) start();
    });
  };

  return {
    put(happening, text) {
      if (line.put(subjectOf(happening), text)) onDropped(1, 'overflow');
      start();
    },
    async settle(subjects) {
      if (!line.holds(subjects)) return;
      const over = new AbortController();
      const timeout = pause(settleMs, over.signal).then(() => 'late' as const);
      let outcome: 'late' | void;
      do {
        hurry.abort();
        outcome = await Promise.race([rounds.promise, timeout]);
      } while (line.holds(subjects) && outcome !== 'late');
      over.abort();
    },
    stats: () => ({ waiting: line.count() }),
    async [Symbol.asyncDispose]() {
      isClosed = true;
      hurry.abort();
      await pumping;
    },
  };
}

/** What waits, and what is on its way. */
function createLine(max: number) {
  const waiting = new Map<string, string>();
  let sending: readonly string[] = [];
  let count = 0;
  return {
    /** Returns whether another one had to go for it. */
    put(subject: string | undefined, text: string): boolean {
      const key = subject ?? `${(count += 1)}`;
      waiting.delete(key);
      waiting.set(key, text);
      return waiting.size > max && waiting.delete(waiting.keys().next().value!);
    },
    take(most: number): string[] {
      const some = [...waiting].slice(0, most);
      sending = some.map(([key]) => key);
      for (const key of sending) waiting.delete(key);
      return some.map(([, text]) => text);
    },
    taken: () => void (sending = []),
    isEmpty: () => waiting.size === 0,
    holds: (subjects: readonly string[]) =>
      subjects.some((subject) => waiting.has(subject) || sending.includes(subject)),
    count: () => waiting.size + sending.length,
  };
}
