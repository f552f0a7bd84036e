import type { Tx } from '#storage/postgres/connect.ts';
import { deleteCredits } from '../../people/index.ts';
import { deleteStates, mergeStates } from '../../progress/store.ts';
import { deleteFilms, filmsOf } from './identify-store.ts';

const kind = 'movie';

/** What people did with films that turned out to be others moves to those. */
export const mergeFilms = (
  tx: Tx,
  moves: readonly { readonly from: string; readonly to: string }[],
): Promise<void> => mergeStates(tx, kind, moves);

/** Deletes films for good, with all that hangs on them. */
export async function forgetFilms(tx: Tx, ids: readonly string[]): Promise<void> {
  if (ids.length === 0) return;
  await deleteCredits(tx, kind, ids);
  await deleteStates(tx, kind, ids);
  await deleteFilms(tx, ids);
}

const batchSize = 5_000;

/** Deletes the films given, or all of a library; resolves to which they were. */
export async function removeFilms(
  tx: Tx,
  which: { readonly itemIds: readonly string[] } | { readonly libraryId: string },
): Promise<string[]> {
  if ('itemIds' in which) {
    await forgetFilms(tx, which.itemIds);
    return [...which.itemIds];
  }
  const removed: string[] = [];
  for (;;) {
    const ids = await filmsOf(tx, which.libraryId, batchSize);
    if (ids.length === 0) return removed;
    await forgetFilms(tx, ids);
    removed.push(...ids);
  }
}
