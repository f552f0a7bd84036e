import type { Sql } from '#storage/postgres/connect.ts';
import { isUnavailable } from '#storage/postgres/errors.ts';
import type { Log } from '../log.ts';
import { writeOutcomes, writeProgress } from './outcomes.ts';
import type { Outcome, Progress, StoredState } from './outcomes.ts';
import { createBell } from './wake.ts';

/** Writes outcomes: all that come up while one write is under way go with the next. */
export interface Settler {
  put(outcome: Outcome, progress?: Progress): void;
  /** Outcomes not written yet. */
  backlog(): number;
  /** Resolves when all is written, or after `timeoutMs`; then nothing more is tried. */
  close(timeoutMs: number): Promise<void>;
}

interface SettlerDeps {
  readonly sql: Sql;
  readonly log: Log;
  /** Called once per outcome: with its job's new state, or undefined where it was not accepted. */
  readonly onWritten: (outcome: Outcome, state: StoredState | undefined) => void;
}

interface Entry {
  readonly outcome: Outcome;
  readonly progress: Progress | undefined;
}

const batchMax = 500;
const pauseFirstMs = 100;
const pauseMaxMs = 2_000;
const refusalsMax = 3;

/**
 * Makes a settler. While PostgreSQL is away outcomes wait and are written when it is back; the
 * jobs stay claimed meanwhile, and if somebody rescued them first the outcome is void and they
 * run again.
 */
export function createSettler({ sql, log, onWritten }: SettlerDeps): Settler {
  let queue: Entry[] = [];
  let writing = 0;
  let closed = false;
  let running: Promise<void> | undefined;
  const bell = createBell();

  const drain = async () => {
    let failures = 0;
    while (queue.length > 0 && !closed) {
      const batch = queue.slice(0, batchMax);
      queue = queue.slice(batch.length);
      writing = batch.length;
      try {
        for (const [outcome, state] of await write(sql, batch)) onWritten(outcome, state);
        failures = 0;
      } catch (error) {
        failures++;
        if (!isUnavailable(error) && failures >= refusalsMax) {
          // The table refuses this batch for good: its jobs will be found stuck and run again.
          log.error('job outcomes refused', { error, jobs: batch.length });
          for (const { outcome } of batch) onWritten(outcome, undefined);
          failures = 0;
        } else {
          queue = [...batch, ...queue];
          await bell.wait(Math.min(pauseFirstMs * 2 ** Math.min(failures, 10), pauseMaxMs));
        }
      } finally {
        writing = 0;
      }
    }
    running = undefined;
  };

  return {
    put(outcome, progress) {
      queue.push({ outcome, progress });
      running ??= Promise.resolve().then(drain);
    },
    backlog: () => queue.length + writing,
    async close(timeoutMs) {
      const timer = setTimeout(() => {
        closed = true;
        bell.ring();
      }, timeoutMs);
      await running;
      clearTimeout(timer);
      closed = true;
    },
  };
}

async function write(sql: Sql, batch: readonly Entry[]) {
  const progress = batch.flatMap((entry) => entry.progress ?? []);
  if (progress.length > 0) await writeProgress(sql, progress);
  const states = await writeOutcomes(
    sql,
    batch.map(({ outcome }) => outcome),
  );
  return batch.map(({ outcome }) => [outcome, states.get(outcome.id)] as const);
}
