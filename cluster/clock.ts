import type { InvalidationClock } from '#storage/cache/clock.ts';
import { createIndexWaiters } from './index-waiters.ts';
import { perEpoch } from './state/limits.ts';

/**
 * The clock of a process that takes no part in a cluster: of tools, benches and tests. `epoch` must
 * be greater at each start (a database sequence): what an earlier start left in a shared cache then
 * lies below the floor and is never taken.
 */
export function createLocalClock({ epoch }: { epoch: number }): InvalidationClock {
  const begin = epoch * perEpoch;
  if (!Number.isSafeInteger(begin + perEpoch)) throw new RangeError(`epoch ${epoch} is too large`);
  const listeners = new Set<(index: number, tags: readonly string[]) => void>();
  let index = begin;
  const waiters = createIndexWaiters(() => index);
  return {
    applied: () => index,
    floor: () => begin,
    async invalidate(tags) {
      index += 1;
      const mine = index;
      for (const listener of listeners) listener(mine, tags);
      waiters.applied(index);
      return mine;
    },
    onInvalidate(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    waitFor: waiters.waitFor,
  };
}
