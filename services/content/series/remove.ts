import type { Tx } from '#storage/postgres/connect.ts';
import { deleteCredits } from '../../people/index.ts';
import { deleteStates } from '../../progress/store.ts';
import { forgetHistory } from '../history.ts';
import { deleteWorks, eachToRemove, type Which } from '../works.ts';
import { forgetPictures } from './pictures.ts';
import { works } from './series.ts';

/** Hears of episodes that are deleted, in the transaction that deletes them. */
export type Gone = (tx: Tx, episodeIds: readonly string[]) => Promise<void>;

/** Deletes series for good, with all that hangs on them. */
export async function forgetSeries(tx: Tx, ids: readonly string[], gone: Gone): Promise<void> {
  if (ids.length === 0) return;
  const episodes = await tx<{ id: string }[]>`
    select id from episodes where series_id = any (${ids as string[]}::uuid[])`;
  const episodeIds = episodes.map(({ id }) => id);
  await deleteCredits(tx, 'series', ids);
  await deleteStates(tx, 'episode', episodeIds);
  await deleteStates(tx, 'series', ids);
  await forgetHistory(tx, 'episode', episodeIds);
  const seasons = await tx<{ id: string }[]>`
    select id from seasons where series_id = any (${ids as string[]}::uuid[])`;
  const seasonIds = seasons.map(({ id }) => id);
  await forgetHistory(tx, 'season', seasonIds);
  await gone(tx, episodeIds);
  await deleteWorks(tx, works, ids);
  await forgetPictures(tx, 'episode', episodeIds);
  await forgetPictures(tx, 'season', seasonIds);
}

/**
 * Deletes episodes no file holds any more, present or missing, and seasons left without any, but
 * for those that a person has edited: their episodes may come back, or be of another series now.
 */
export async function forgetEmpty(tx: Tx, seriesIds: readonly string[], gone: Gone): Promise<void> {
  if (seriesIds.length === 0) return;
  const ids = seriesIds as string[];
  const rows = await tx<{ id: string }[]>`
    delete from episodes e
    where e.series_id = any (${ids}::uuid[])
      and not exists (select from episode_files f where f.episode_id = e.id)
    returning e.id`;
  if (rows.length === 0) return;
  const episodeIds = rows.map(({ id }) => id);
  await deleteStates(tx, 'episode', episodeIds);
  await forgetHistory(tx, 'episode', episodeIds);
  await forgetPictures(tx, 'episode', episodeIds);
  await gone(tx, episodeIds);
  const seasons = await tx<{ id: string }[]>`
    delete from seasons s
    where s.series_id = any (${ids}::uuid[]) and s.edits = '{}'
      and not exists (select from episodes e where e.season_id = s.id)
    returning s.id`;
  const seasonIds = seasons.map(({ id }) => id);
  await forgetHistory(tx, 'season', seasonIds);
  await forgetPictures(tx, 'season', seasonIds);
}

/** Deletes the series given, or all of a library. */
export const removeSeries = (tx: Tx, which: Which, gone: Gone): Promise<void> =>
  eachToRemove(tx, { ...works, which }, (one, ids) => forgetSeries(one, ids, gone));
