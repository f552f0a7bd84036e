import type { Audience, Event, EventName, EventPublisher, EventSource } from '#services/events.ts';
import type { Log } from '#services/log.ts';

/** This node's live changes: who tells and who listens meet here. */
export interface EventRing extends EventPublisher, EventSource {
  /** The id of the newest event, or where the sequence begins when there is none yet. */
  lastId(): number;
}

/** Where ids begin: one step per start of a node leaves room for 2^32 events in between. */
export const eventBase = (epoch: number): number => epoch * 2 ** 32;

const capacityDefault = 10_000;

/**
 * Remembers the last events in memory, so that a client that was away for a moment can catch up.
 * Ids are `base + 1, base + 2, …`: with a base that grows at each start (`eventBase(epoch)`) they
 * rise across restarts, and an id from before one is known to be too old.
 */
export function createEventRing(
  deps: { now: () => number; log: Log },
  options: { base: number; capacity?: number },
): EventRing {
  const log = deps.log.child({ module: 'events' });
  const { base, capacity = capacityDefault } = options;
  if (!Number.isSafeInteger(base + 2 ** 32)) throw new RangeError('the events’ base is too large');
  const ring = new Array<Event | undefined>(capacity).fill(undefined);
  const listeners = new Set<(event: Event) => void>();
  let count = 0;

  const tell = (listener: (event: Event) => void, event: Event) => {
    try {
      listener(event);
    } catch (error) {
      log.error('a listener failed', { event: event.name, error }); // publishing never fails
    }
  };

  const publish = (name: EventName, payload: Event['payload'], audience: Audience = 'all') => {
    count += 1;
    const event: Event = { id: base + count, at: deps.now(), name, audience, payload };
    ring[count % capacity] = event;
    for (const listener of [...listeners]) tell(listener, event);
  };

  return {
    publish,
    lastId: () => base + count,
    subscribe(listener, sinceId) {
      const oldest = Math.max(1, count - capacity + 1);
      const since = sinceId === undefined ? count : sinceId - base;
      const complete = since >= oldest - 1 && since <= count;
      const from = complete ? since + 1 : count + 1;
      for (let n = from; n <= count; n++) {
        const event = ring[n % capacity];
        if (event) tell(listener, event);
      }
      listeners.add(listener);
      return { complete, unsubscribe: () => void listeners.delete(listener) };
    },
  };
}
