import type { InvalidationClock } from '#storage/cache/clock.ts';

/** What the clock reads of the state machine; see `cluster/state`. */
export interface ClockSource {
  /** The clock's index of the last entry applied. */
  index(): number;
  onInvalidate(listener: (index: number, tags: readonly string[]) => void): void;
  /** Called after entries were applied, or a snapshot was. */
  onApplied(listener: (index: number) => void): void;
  /** A snapshot took the place of the entries up to this index. */
  onRestored(listener: (index: number) => void): void;
}

/** Makes tags stale everywhere; resolves to the index at which they are. */
export type Announce = (tags: readonly string[]) => Promise<number>;

/** Raft indices an epoch has room for; see `cluster/state`. */
const perEpoch = 2 ** 32;

interface Waiter {
  readonly index: number;
  readonly wake: (isThere: boolean) => void;
}

export interface RaftClock extends InvalidationClock {
  /**
   * Somebody says that these tags are stale at an index that may not be applied here yet. What was
   * loaded before is then no longer served, also if it is not true; what is loaded from now on
   * counts once the index is applied.
   */
  hint(index: number, tags: readonly string[]): void;
}

/** The furthest ahead of what is applied that a hint may be. */
const hintAheadMax = 10_000;

/** The cache's clock of a cluster: its indices are those of the Raft log. */
export function createRaftClock(source: ClockSource, announce: Announce): RaftClock {
  const waiters = new Set<Waiter>();
  const listeners = new Set<(index: number, tags: readonly string[]) => void>();
  let floor = source.index();
  source.onInvalidate((index, tags) => {
    for (const listener of listeners) listener(index, tags);
  });
  source.onApplied((index) => {
    if (waiters.size === 0) return;
    for (const waiter of waiters) if (waiter.index <= index) waiter.wake(true);
  });
  source.onRestored((index) => {
    // What was made stale before is not known one by one: nothing from before it can be trusted.
    floor = Math.max(floor, index);
  });
  const waitFor = (wanted: number, timeoutMs: number): Promise<boolean> => {
    if (wanted <= source.index()) return Promise.resolve(true);
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
  };
  return {
    applied: () => source.index(),
    // Nothing that an earlier founding of the cluster stamped can be trusted either.
    floor: () => Math.max(floor, source.index() - (source.index() % perEpoch)),
    invalidate: announce,
    hint(index, tags) {
      const applied = source.index();
      if (index <= applied || index > applied + hintAheadMax) return;
      for (const listener of listeners) listener(index, tags);
    },
    onInvalidate(listener) {
      // It has not heard of what came before it listened.
      floor = Math.max(floor, source.index());
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    waitFor,
  };
}
