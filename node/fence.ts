import { AsyncLocalStorage } from 'node:async_hooks';
import type { Fence } from '#storage/cluster/outbox.ts';

const fences = new AsyncLocalStorage<Fence>();

/** Runs work as the leader: each of its writes holds the fence, and fails once it is another's. */
export const asLeader = <T>(fence: Fence, work: () => Promise<T>): Promise<T> =>
  fences.run(fence, work);

/** The fence of the work that asks; undefined where any node may write. */
export const fenceOf = (): Fence | undefined => fences.getStore();
