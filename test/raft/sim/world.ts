import type { ServerId } from '#cluster/raft/core/types.ts';
import type { SimNode, World } from './types.ts';

/** A property that does not hold. */
export class BrokenError extends Error {
  readonly property: string;
  constructor(property: string, message: string) {
    super(message);
    this.property = property;
  }
}

export function must(holds: boolean, property: string, message: () => string): void {
  if (!holds) throw new BrokenError(property, message());
}

export function after(world: World, delayMs: number, run: () => void): void {
  world.heap.push(world.now + delayMs, run);
}

/** Runs only if the node has not crashed meanwhile; while it is paused, once it goes on. */
export function onNode(world: World, node: SimNode, run: () => void): () => void {
  const { epoch } = node;
  const work = () => {
    if (node.epoch !== epoch || !node.raft) return;
    if (node.isPaused) node.inbox.push(work);
    else run();
  };
  return work;
}

export function count(world: World, what: string): void {
  world.counts[what] = (world.counts[what] ?? 0) + 1;
}

export function trace(world: World, value: number): void {
  world.hash = Math.imul(world.hash ^ value, 0x01000193) >>> 0;
}

export function localTime(world: World, node: SimNode): number {
  const { at, local, rate } = node.clock;
  return local + (world.now - at) * rate;
}

export function nodeAt(world: World, address: string): SimNode | undefined {
  return world.nodes.findLast((node) => node.address === address && !node.isGone);
}

export function nodeOf(world: World, id: ServerId): SimNode | undefined {
  return world.nodes.find((node) => node.id === id);
}
