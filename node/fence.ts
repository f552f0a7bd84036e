import { AsyncLocalStorage } from 'node:async_hooks';
import { FencedError, type Fence } from '#storage/cluster/outbox.ts';
import type { Tx } from '#storage/postgres/connect.ts';

/** What each write of a piece of work makes sure of, inside its own transaction. */
export interface Terms {
  /** The leader's: the write fails once the office is another's. */
  readonly fence?: Fence | undefined;
  /** Part of the first write of the work, and of no other. */
  readonly first?: ((tx: Tx) => Promise<void>) | undefined;
}

interface Work extends Terms {
  /** The work that this is a part of. */
  readonly outer: Work | undefined;
  hasWritten: boolean;
}

const works = new AsyncLocalStorage<Work>();

/**
 * Runs work as the leader: each of its writes holds the fence, and fails once it is another's.
 * Resolves to false when that befell the first of them, so that nothing was done.
 */
export async function asLeader(fence: Fence, work: () => Promise<void>): Promise<boolean> {
  const outer = works.getStore();
  const mine: Work = { ...outer, outer, fence, hasWritten: false };
  try {
    await works.run(mine, work);
    return true;
  } catch (error) {
    if (error instanceof FencedError && !mine.hasWritten) return false;
    throw error;
  }
}

/** Runs work with something that becomes part of its first write. */
export function withFirst<T>(first: Terms['first'], work: () => Promise<T>): Promise<T> {
  const outer = works.getStore();
  return works.run({ ...outer, outer, first, hasWritten: false }, work);
}

/** The terms of the work that asks; undefined where any node may write, and nothing is asked. */
export function termsOfWork(): (Terms & { written(): void }) | undefined {
  const work = works.getStore();
  if (!work) return undefined;
  return {
    fence: work.fence,
    first: work.hasWritten ? undefined : work.first,
    written() {
      for (let each: Work | undefined = work; each; each = each.outer) each.hasWritten = true;
    },
  };
}
