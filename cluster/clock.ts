import type { InvalidationClock } from '#storage/cache/clock.ts';

/** Indices an epoch may use; 2^21 starts of a node fit into a safe integer. */
const perEpoch = 2 ** 32;

/**
 * The clock of a cluster of one. `epoch` must be greater at each start (a database sequence): what
 * an earlier start left in a shared cache then lies below the floor and is never taken.
 */
export function createLocalClock({ epoch }: { epoch: number }): InvalidationClock {
  const begin = epoch * perEpoch;
  if (!Number.isSafeInteger(begin + perEpoch)) throw new RangeError(`epoch ${epoch} is too large`);
  const listeners = new Set<(index: number, tags: readonly string[]) => void>();
  const waiters = new Set<{ index: number; wake: (isThere: boolean) => void }>();
  let index = begin;
  return {
    applied: () => index,
    floor: () => begin,
    async invalidate(tags) {
      index += 1;
      const mine = index;
      for (const listener of listeners) listener(mine, tags);
      for (const waiter of waiters) if (waiter.index <= index) waiter.wake(true);
      return mine;
    },
    onInvalidate(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    waitFor(wanted, timeoutMs) {
      if (wanted <= index) return Promise.resolve(true);
      return new Promise((resolve) => {
        const waiter = {
          index: wanted,
          wake(isThere: boolean) {
            clearTimeout(timer);
            waiters.delete(waiter);
            resolve(isThere);
          },
        };
        const timer = setTimeout(() => waiter.wake(false), timeoutMs);
        waiters.add(waiter);
      });
    },
  };
}
