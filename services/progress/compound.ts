import type { Tx } from '#storage/postgres/connect.ts';
import type { Store } from '../changes.ts';
import { problem } from '../errors.ts';
import type { CompoundKind } from './kinds.ts';
import { presentState, type UserStateView } from './present.ts';
import { noState, saveAllWatched, statesOf, type ViewedKey } from './store.ts';

/**
 * Marks all parts of a work watched or not; throws `not-found` when there is no such work. Of the
 * answer only the shelves are the work's own: how far somebody is, its parts know.
 */
export function markParts(
  { write, now }: Pick<Store, 'write'> & { readonly now: (tx: Tx) => Promise<number> },
  { userId, kind, itemId, ...viewer }: ViewedKey,
  { compound, isWatched }: { readonly compound: CompoundKind; readonly isWatched: boolean },
): Promise<UserStateView> {
  return write(async (tx, stale, tell) => {
    const itemIds = await compound.parts(tx, itemId, viewer);
    if (itemIds === undefined) throw problem('not-found', `There is no ${kind} ${itemId}`);
    const mark = { isWatched, atMs: await now(tx) };
    await saveAllWatched(tx, { userId, kind: compound.of, itemIds }, mark);
    stale(`user-items:${userId}`);
    tell('progress.changed', { userId, kind, itemId }, { userId });
    const own = await statesOf(tx, userId, { kind, itemIds: [itemId] });
    const state = presentState(own.get(itemId) ?? noState);
    return { ...state, isWatched: isWatched && itemIds.length > 0 };
  });
}
