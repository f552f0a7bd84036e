import type { InvalidationClock } from '#storage/cache/clock.ts';
import { createIndexWaiters } from '../index-waiters.ts';
import { perEpoch } from '../state/limits.ts';

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

export interface RaftClock extends InvalidationClock {
  /**
   * Somebody says that these tags are stale at an index that may not be applied here yet. What was
   * loaded before is then no longer served, also if it is not true; what is loaded from now on
   * counts once the index is applied.
   */
  hint(index: number, tags: readonly string[]): void;
  /** These tags were made stale here, and the log does not say so yet: as a hint, to this node. */
  written(tags: readonly string[]): void;
}

/** A node that follows nobody just now may not get there: who waits is better served otherwise. */
const hopelessMs = 250;
/** The furthest ahead of what is applied that a hint may be. */
const hintAheadMax = 10_000;

/** The cache's clock of a cluster: its indices are those of the Raft log. */
export function createRaftClock(
  source: ClockSource,
  { announce, canFollow }: { announce: Announce; canFollow: () => boolean },
): RaftClock {
  const waiters = createIndexWaiters(() => source.index());
  const listeners = new Set<(index: number, tags: readonly string[]) => void>();
  let floor = source.index();
  source.onInvalidate((index, tags) => {
    for (const listener of listeners) listener(index, tags);
  });
  source.onApplied(waiters.applied);
  source.onRestored((index) => {
    // What was made stale before is not known one by one: nothing from before it can be trusted.
    floor = Math.max(floor, index);
  });
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
    written(tags) {
      for (const listener of listeners) listener(source.index() + 1, tags);
    },
    onInvalidate(listener) {
      // It has not heard of what came before it listened.
      floor = Math.max(floor, source.index());
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    waitFor: (index, timeoutMs) =>
      waiters.waitFor(index, canFollow() ? timeoutMs : Math.min(timeoutMs, hopelessMs)),
  };
}
