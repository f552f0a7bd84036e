import type { InvalidationClock } from './clock.ts';

/** Tells whether a value is still what its source would answer. */
export interface Freshness {
  /** True while nothing the value rests on was made stale after its load began. */
  isValid(stamp: number, tags: readonly string[]): boolean;
  /** Grows with each invalidation: what was valid at this version is valid as long as it stands. */
  version(): number;
}

/**
 * Remembers at which index each tag was last made stale: a value stamped `a` with tags T is valid
 * iff last[t] ≤ a for every t of T. The memory is bounded; what falls out raises a floor, and a
 * stamp below the floor counts as stale, so forgetting costs a miss and never a stale answer.
 */
export function createFreshness(clock: InvalidationClock, tagsMax: number): Freshness {
  const last = new Map<string, number>();
  let forgotten = clock.floor();
  let version = 0;
  clock.onInvalidate((index, tags) => {
    version++;
    for (const tag of tags) {
      // Told ahead of its turn, an index may come before a smaller one.
      const latest = Math.max(index, last.get(tag) ?? 0);
      last.delete(tag); // put anew at the end: the map stays in the order of indices
      last.set(tag, latest);
    }
    for (const [tag, at] of last) {
      if (last.size <= tagsMax) break;
      last.delete(tag);
      forgotten = Math.max(forgotten, at);
    }
  });
  return {
    isValid(stamp, tags) {
      if (stamp < forgotten || stamp < clock.floor()) return false;
      return tags.every((tag) => (last.get(tag) ?? 0) <= stamp);
    },
    // A snapshot moves the floor without an invalidation of its own.
    version: () => version + clock.floor(),
  };
}
