import type { Tx } from '#storage/postgres/connect.ts';
import { deleteCredits } from '../../people/index.ts';
import { deleteStates } from '../../progress/store.ts';
import { deleteWorks, eachToRemove, type Which } from '../works.ts';
import { works } from './movie.ts';

const { kind } = works;

/** Deletes films for good, with all that hangs on them. */
export async function forgetFilms(tx: Tx, ids: readonly string[]): Promise<void> {
  if (ids.length === 0) return;
  await deleteCredits(tx, kind, ids);
  await deleteStates(tx, kind, ids);
  await deleteWorks(tx, works, ids);
}

/** Deletes the films given, or all of a library. */
export const removeFilms = (tx: Tx, which: Which): Promise<void> =>
  eachToRemove(tx, { ...works, which }, forgetFilms);
