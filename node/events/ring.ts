import type { Event, EventListener, EventSource, Happening } from '#services/events.ts';
import type { Log } from '#services/log.ts';
import { decodeHappening } from './codec.ts';
import { afterEntry, isBefore, later, nowhere, readPlace, writePlace } from './place.ts';
import type { Place } from './place.ts';

/** What the ring hears of the cluster's log; see `cluster/state`. */
export interface EventLog {
  /** The clock's index of the last entry applied. */
  index(): number;
  /** Whether events come by the log: as long as they do not, they have no place in it. */
  isShared(): boolean;
  onEvents(listener: (index: number, events: readonly string[]) => void): void;
  onApplied(listener: (index: number) => void): void;
  /** A snapshot took the place of the entries up to this index. */
  onRestored(listener: (index: number) => void): void;
}

export interface EventRing extends EventSource {
  /** Tells on this node alone what cannot go by the log. */
  tellHere(happening: Happening): void;
  stats(): { held: number; bytes: number; listeners: number; told: number };
}

export interface RingOptions {
  /** Most events that are remembered, and most bytes of them, nearly. */
  readonly capacity?: number;
  readonly bytesMax?: number;
}

interface Held {
  readonly place: Place;
  readonly event: Event;
  readonly bytes: number;
}

interface Listener {
  readonly listener: EventListener;
  /** It has been told what came until here, and is told nothing of it again. */
  readonly since: Place;
}

const capacityDefault = 10_000;
const bytesDefault = 8 * 1024 * 1024;
/** What an event takes besides its text, about. */
const eventBytes = 300;
/** Further ahead than this no node is of another that serves: such a place is made up. */
const aheadMax = 100_000;

/**
 * Remembers the last events of the log in memory, so that a client that was away for a moment, or
 * followed another node, can catch up: with exactly what it missed, or not at all.
 */
export function createEventRing(
  deps: { source: EventLog; log: Log },
  options: RingOptions = {},
): EventRing {
  const { source } = deps;
  const log = deps.log.child({ module: 'events' });
  const memory = createMemory(options, afterEntry(source.index()));
  const listeners = new Set<Listener>();
  let reached = afterEntry(source.index());
  let told = 0;

  const guarded = (work: () => void) => {
    try {
      work();
    } catch (error) {
      log.error('a listener failed', { error }); // the log goes on, and so do the others
    }
  };
  const happen = (place: Place, text: string) => {
    const happening = decodeHappening(text);
    if (!happening) return void log.warn('an event cannot be read', { id: writePlace(place) });
    const event: Event = { id: writePlace(place), index: place.index, ...happening };
    told += 1;
    memory.add({ place, event, bytes: eventBytes + text.length });
    for (const { listener, since } of listeners) {
      if (isBefore(since, place)) guarded(() => listener.tell(event));
    }
  };
  source.onEvents((index, events) => {
    events.forEach((text, nth) => happen({ index, number: nth + 1 }, text));
    reached = afterEntry(index);
  });
  source.onApplied((index) => (reached = afterEntry(index)));
  source.onRestored((index) => {
    const before = reached;
    reached = afterEntry(index);
    memory.clear(reached);
    for (const { listener, since } of listeners) {
      if (isBefore(later(since, before), reached)) guarded(() => listener.lost());
    }
  });

  return {
    tellHere(happening) {
      told += 1;
      const event: Event = { id: writePlace(nowhere), index: source.index(), ...happening };
      for (const { listener } of listeners) guarded(() => listener.tell(event));
    },
    subscribe(listener, wanted) {
      const since = wanted === undefined ? reached : readPlace(wanted);
      const isReal = since !== undefined && since.index <= reached.index + aheadMax;
      const missed = isReal ? memory.after(since) : undefined;
      const own: Listener = { listener, since: isReal && missed ? since : reached };
      listeners.add(own);
      return {
        missed,
        position: () => writePlace(source.isShared() ? later(own.since, reached) : nowhere),
        unsubscribe: () => void listeners.delete(own),
      };
    },
    stats: () => ({ ...memory.stats(), listeners: listeners.size, told }),
  };
}

/** The last events, and from where on there is none missing. */
function createMemory({ capacity = capacityDefault, bytesMax = bytesDefault }, begin: Place) {
  let held: Held[] = [];
  let first = 0;
  let bytes = 0;
  let floor = begin;
  const forget = () => {
    const oldest = held[first]!;
    floor = oldest.place;
    bytes -= oldest.bytes;
    first += 1;
    if (2 * first < held.length) return;
    held = held.slice(first);
    first = 0;
  };
  return {
    add(one: Held) {
      held.push(one);
      bytes += one.bytes;
      while (held.length - first > capacity || bytes > bytesMax) forget();
    },
    clear(from: Place) {
      [held, first, bytes, floor] = [[], 0, 0, from];
    },
    /** What came after this place; undefined if some of it is forgotten. */
    after(place: Place): Event[] | undefined {
      if (isBefore(place, floor)) return undefined;
      let at = held.length;
      while (at > first && isBefore(place, held[at - 1]!.place)) at -= 1;
      return held.slice(at).map(({ event }) => event);
    },
    stats: () => ({ held: held.length - first, bytes }),
  };
}
