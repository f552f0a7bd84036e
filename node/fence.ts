import { AsyncLocalStorage } from 'node:async_hooks';
import type { Fence } from '#storage/cluster/outbox.ts';
import type { Tx } from '#storage/postgres/connect.ts';

/** What each write of a piece of work makes sure of, inside its own transaction. */
export interface Terms {
  /** The leader's: the write fails once the office is another's. */
  readonly fence?: Fence | undefined;
  /** Part of the first write of the work, and of no other. */
  readonly first?: ((tx: Tx) => Promise<void>) | undefined;
}

interface Work extends Terms {
  hasWritten: boolean;
}

const works = new AsyncLocalStorage<Work>();

/** Runs work as the leader: each of its writes holds the fence, and fails once it is another's. */
export const asLeader = <T>(fence: Fence, work: () => Promise<T>): Promise<T> =>
  works.run({ ...works.getStore(), fence, hasWritten: false }, work);

/** Runs work with something that becomes part of its first write. */
export const withFirst = <T>(first: Terms['first'], work: () => Promise<T>): Promise<T> =>
  works.run({ ...works.getStore(), first, hasWritten: false }, work);

/** The terms of the work that asks; undefined where any node may write, and nothing is asked. */
export function termsOfWork(): (Terms & { written(): void }) | undefined {
  const work = works.getStore();
  if (!work) return undefined;
  return {
    fence: work.fence,
    first: work.hasWritten ? undefined : work.first,
    written: () => {
      work.hasWritten = true;
    },
  };
}
