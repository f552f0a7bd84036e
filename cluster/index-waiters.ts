interface Waiter {
  readonly index: number;
  readonly wake: (isThere: boolean) => void;
}

/** Those who wait until an index is applied. */
export interface IndexWaiters {
  /** Resolves to whether `index` was applied within the time given. */
  readonly waitFor: (index: number, timeoutMs: number) => Promise<boolean>;
  /** To be called when more is applied. */
  readonly applied: (index: number) => void;
}

/** `now` is the index applied at the moment. */
export function createIndexWaiters(now: () => number): IndexWaiters {
  const waiters = new Set<Waiter>();
  return {
    applied(index) {
      for (const waiter of waiters) if (waiter.index <= index) waiter.wake(true);
    },
    waitFor(wanted, timeoutMs) {
      if (wanted <= now()) return Promise.resolve(true);
      return new Promise((resolve) => {
        const waiter: Waiter = {
          index: wanted,
          wake(isThere) {
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
