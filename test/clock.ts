import type { InvalidationClock } from '#storage/cache/clock.ts';

/** The clock of one node of a pretended cluster, which applies what was ordered when told to. */
export type NodeClock = InvalidationClock & {
  /** Applies the next index, if there is one it has not applied. */
  step: () => boolean;
  /** Forgets history, as a node does that installs a snapshot of everything ordered so far. */
  install: () => void;
};

/** The order that all nodes of a pretended cluster share. */
export type TestOrder = { node: () => NodeClock; ordered: () => number };

/**
 * Makes a cluster's clock for tests: `invalidate` gives the next index at once, and resolves when
 * its own node has applied it; the other nodes lag behind until they are stepped.
 */
export function createTestOrder(): TestOrder {
  const log: (readonly string[])[] = [];
  return { node: () => createNode(log), ordered: () => log.length };
}

function createNode(log: (readonly string[])[]): NodeClock {
  const listeners = new Set<(index: number, tags: readonly string[]) => void>();
  let applied = 0;
  let floor = 0;
  const step = () => {
    const tags = log[applied];
    if (!tags) return false;
    applied++;
    for (const listener of listeners) listener(applied, tags);
    return true;
  };
  return {
    applied: () => applied,
    floor: () => floor,
    step,
    install: () => void (applied = floor = log.length),
    invalidate: async (tags) => {
      const index = log.push(tags);
      while (applied < index) step();
      return index;
    },
    onInvalidate: (listener) => {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    waitFor: async (index) => {
      while (applied < index && step());
      return applied >= index;
    },
  };
}
