import { isUnavailable } from '#storage/postgres/errors.ts';
import type { Log } from '../log.ts';
import { safeMessage } from './failure.ts';
import { createBell } from './wake.ts';

/** Remembers whether PostgreSQL is away, so that it is said once and asked for with patience. */
export interface Outage {
  /** Takes a failure; returns how long to wait before the next attempt, in milliseconds. */
  failed(error: unknown): number;
  /** Something worked: an outage, if there was one, is over. */
  over(): void;
  /** Repeats `work` until it succeeds or `given()` says that nobody wants it any more. */
  persist(work: () => Promise<void>, given: () => boolean): Promise<void>;
  /** Ends a pause of `persist` early. */
  wake(): void;
}

const firstMs = 200;
const maxMs = 5_000;

/** Makes the memory of one worker; `onRecovered` runs after each outage. */
export function createOutage(deps: {
  log: Log;
  random: () => number;
  onRecovered: () => void;
}): Outage {
  const bell = createBell();
  let failures = 0;

  const failed = (error: unknown) => {
    const facts = { reason: safeMessage(error) };
    if (!isUnavailable(error)) deps.log.error('jobs cannot be fetched', facts);
    else if (failures === 0) deps.log.warn('jobs wait for PostgreSQL', facts);
    failures++;
    const grown = Math.min(firstMs * 2 ** Math.min(failures - 1, 10), maxMs);
    return grown * (0.5 + deps.random() / 2);
  };
  const over = () => {
    if (failures === 0) return;
    deps.log.info('jobs go on', { failures });
    failures = 0;
    deps.onRecovered();
  };
  return {
    failed,
    over,
    wake: () => bell.ring(),
    async persist(work, given) {
      while (!given()) {
        try {
          await work();
          return over();
        } catch (error) {
          await bell.wait(failed(error));
        }
      }
    },
  };
}
