import type { Entry } from './cache.ts';
import type { InvalidationClock } from './clock.ts';
import type { Freshness } from './freshness.ts';

/** Loads in progress: one per key, unless a write has come between. */
export interface Flights {
  /** The entry of a load that saw every write acknowledged before this call. */
  join(id: string, start: () => Promise<Entry>): Promise<Entry>;
  /** True while something is being loaded for the key. */
  has(id: string): boolean;
}

interface Flight {
  /** The applied index when it began: it has seen at least this much. */
  readonly stamp: number;
  readonly entry: Promise<Entry>;
}

/**
 * Coalesces loads. A flight that began at index s may be shared with a call that begins at index
 * a ≥ s in two cases: a = s, nothing was written between; or its entry turns out to be valid, so
 * that nothing written between concerns it. Otherwise another flight begins, which all further
 * calls at the same index share: a busy key costs one load per invalidation, not one per call.
 */
export function createFlights(clock: InvalidationClock, freshness: Freshness): Flights {
  const running = new Map<string, Flight>();
  const begin = async (id: string, start: () => Promise<Entry>) => {
    const flight: Flight = { stamp: clock.applied(), entry: start() };
    running.set(id, flight);
    try {
      return await flight.entry;
    } finally {
      if (running.get(id) === flight) running.delete(id);
    }
  };
  return {
    has: (id) => running.has(id),
    async join(id, start) {
      const applied = clock.applied();
      const first = running.get(id);
      if (!first) return begin(id, start);
      if (first.stamp >= applied) return first.entry;
      // Its failure is for those who were there when it began; we load for ourselves.
      const entry = await first.entry.catch(() => undefined);
      if (entry && freshness.isValid(entry.stamp, entry.tags)) return entry;
      const second = running.get(id);
      if (second && second.stamp >= applied) return second.entry;
      return begin(id, start);
    },
  };
}
