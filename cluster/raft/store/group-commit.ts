/**
 * One write under way at a time; whatever arrives meanwhile becomes the next one. After a write
 * has failed every waiter, and everybody later, is refused with the same error.
 */
export function createGroupCommit<T>(
  write: (items: readonly T[]) => Promise<void>,
): GroupCommit<T> {
  type Waiter = { resolve: () => void; reject: (error: Error) => void };
  let items: T[] = [];
  let waiters: Waiter[] = [];
  let failure: Error | undefined;
  let running: Promise<void> | undefined;

  async function run(): Promise<void> {
    while (items.length > 0 && !failure) {
      const batch = items;
      const waiting = waiters;
      items = [];
      waiters = [];
      try {
        await write(batch);
        for (const waiter of waiting) waiter.resolve();
      } catch (error) {
        waiters = [...waiting, ...waiters];
        fail(error instanceof Error ? error : new Error(String(error)));
      }
    }
    running = undefined;
  }

  function fail(error: Error): void {
    failure ??= error;
    const reason = failure;
    const waiting = waiters;
    items = [];
    waiters = [];
    for (const waiter of waiting) waiter.reject(reason);
  }

  return {
    add(...added) {
      return new Promise((resolve, reject) => {
        if (failure) return reject(failure);
        items.push(...added);
        waiters.push({ resolve, reject });
        running ??= run();
      });
    },
    fail,
    async idle() {
      while (running) await running;
    },
  };
}

export interface GroupCommit<T> {
  /** Resolves once these items are written, in the order of the calls. */
  add(...items: T[]): Promise<void>;
  /** Ends it from outside, as a failed write does. */
  fail(error: Error): void;
  idle(): Promise<void>;
}
