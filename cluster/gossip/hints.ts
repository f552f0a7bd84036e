import { decodeInvalidation, encodeInvalidation, type Invalidation } from './invalidation.ts';
import type { Gossip } from './types.ts';

/** Gossip in the words of the cluster. Everything here may be lost, late, or come twice. */
export interface Hints {
  /** Never throws for lack of peers; says nothing when there are no tags. */
  invalidated(invalidation: Invalidation): void;
  onInvalidation(listener: (invalidation: Invalidation, fromNodeId: string) => void): () => void;
  stats(): { readonly garbage: number };
  close(): void;
}

export interface HintsOptions {
  readonly gossip: Pick<Gossip, 'publish' | 'subscribe'>;
}

export function createHints({ gossip }: HintsOptions): Hints {
  const listeners = new Set<(one: Invalidation, fromNodeId: string) => void>();
  let garbage = 0;
  const close = gossip.subscribe('invalidate', (bytes, from) => {
    const invalidation = decodeInvalidation(bytes);
    if (!invalidation) return void (garbage += 1);
    for (const listener of listeners) listener(invalidation, from);
  });
  return {
    invalidated(invalidation) {
      for (const bytes of encodeInvalidation(invalidation)) gossip.publish('invalidate', bytes);
    },
    onInvalidation(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    stats: () => ({ garbage }),
    close,
  };
}
