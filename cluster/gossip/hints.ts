import { decodeInvalidation, encodeInvalidation, type Invalidation } from './invalidation.ts';
import { decodePresence, encodePresence, isLater, type Presence } from './presence.ts';
import type { Gossip } from './types.ts';

/** Gossip in the words of the cluster. Everything here may be lost, late, or come twice. */
export interface Hints {
  /** Never throws for lack of peers; says nothing when there are no tags. */
  invalidated(invalidation: Invalidation): void;
  /** The rest of a presence is filled in. */
  present(told: Pick<Presence, 'load' | 'streams' | 'index' | 'isLeaving'>): void;
  onInvalidation(listener: (invalidation: Invalidation, fromNodeId: string) => void): () => void;
  /** Called for what is later than what was known. */
  onPresence(listener: (presence: Presence) => void): () => void;
  /** The last of each other node that was heard within `maxAgeMs`. */
  nodes(): readonly Presence[];
  stats(): { readonly garbage: number; readonly forged: number; readonly outdated: number };
  close(): void;
}

export interface HintsOptions {
  readonly gossip: Pick<Gossip, 'publish' | 'subscribe'>;
  readonly self: { readonly nodeId: string; readonly bootEpoch: number; readonly session: string };
  /** A node not heard of for longer counts as silent. */
  readonly maxAgeMs: number;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

interface Heard {
  readonly presence: Presence;
  readonly heardAt: number;
}

/** Nodes are members, which are few; this only bounds what removed ones leave behind. */
const MAX_HEARD = 256;

export function createHints({ gossip, self, maxAgeMs, now }: HintsOptions): Hints {
  const invalidationListeners = new Set<(one: Invalidation, fromNodeId: string) => void>();
  const presenceListeners = new Set<(presence: Presence) => void>();
  const heard = new Map<string, Heard>();
  const counts = { garbage: 0, forged: 0, outdated: 0 };
  let beat = 0;

  const takePresence = (bytes: Uint8Array, from: string): void => {
    const presence = decodePresence(bytes);
    if (!presence) return void (counts.garbage += 1);
    // A node speaks for itself only.
    if (presence.nodeId !== from) return void (counts.forged += 1);
    if (!isLater(presence, heard.get(from)?.presence)) return void (counts.outdated += 1);
    heard.delete(from);
    heard.set(from, { presence, heardAt: now() });
    if (heard.size > MAX_HEARD) heard.delete(heard.keys().next().value!);
    for (const listener of presenceListeners) listener(presence);
  };
  const takeInvalidation = (bytes: Uint8Array, from: string): void => {
    const invalidation = decodeInvalidation(bytes);
    if (!invalidation) return void (counts.garbage += 1);
    for (const listener of invalidationListeners) listener(invalidation, from);
  };
  const ends = [
    gossip.subscribe('invalidate', takeInvalidation),
    gossip.subscribe('presence', takePresence),
  ];

  return {
    invalidated(invalidation) {
      for (const bytes of encodeInvalidation(invalidation)) gossip.publish('invalidate', bytes);
    },
    present(told) {
      beat += 1;
      gossip.publish('presence', encodePresence({ ...self, ...told, beat, at: now() }));
    },
    onInvalidation: (listener) => listen(invalidationListeners, listener),
    onPresence: (listener) => listen(presenceListeners, listener),
    nodes: () =>
      [...heard.values()]
        .filter(({ heardAt }) => now() - heardAt <= maxAgeMs)
        .map(({ presence }) => presence),
    stats: () => ({ ...counts }),
    close() {
      for (const end of ends) end();
    },
  };
}

function listen<T extends (...args: never[]) => void>(listeners: Set<T>, listener: T): () => void {
  listeners.add(listener);
  return () => void listeners.delete(listener);
}
