import type { Tx } from '#storage/postgres/connect.ts';
import { deleteStates } from '../../progress/store.ts';

/** Deletes series for good, with all that hangs on them. */
export async function forgetSeries(tx: Tx, ids: readonly string[]): Promise<void> {
  if (ids.length === 0) return;
  const gone = ids as string[];
  const episodes = await tx<{ id: string }[]>`
    select id from episodes where series_id = any (${gone}::uuid[])`;
  const episodeIds = episodes.map(({ id }) => id);
  await deleteStates(tx, 'episode', episodeIds);
  await tx`delete from external_ids where kind = 'series' and item_id = any (${gone}::uuid[])`;
  await tx`delete from images where kind = 'series' and item_id = any (${gone}::uuid[])`;
  await tx`delete from series where id = any (${gone}::uuid[])`;
}

/** Deletes episodes no file holds any more, present or missing, and seasons left without any. */
export async function forgetEmpty(tx: Tx, seriesIds: readonly string[]): Promise<void> {
  if (seriesIds.length === 0) return;
  const ids = seriesIds as string[];
  const gone = await tx<{ id: string }[]>`
    delete from episodes e
    where e.series_id = any (${ids}::uuid[])
      and not exists (select from episode_files f where f.episode_id = e.id)
    returning e.id`;
  if (gone.length === 0) return;
  const episodeIds = gone.map(({ id }) => id);
  await deleteStates(tx, 'episode', episodeIds);
  await tx`
    delete from seasons s
    where s.series_id = any (${ids}::uuid[])
      and not exists (select from episodes e where e.season_id = s.id)`;
}

const batchSize = 1_000;

/** Deletes the series given, or all of a library. */
export async function removeSeries(
  tx: Tx,
  which: { readonly itemIds: readonly string[] } | { readonly libraryId: string },
): Promise<void> {
  if ('itemIds' in which) return forgetSeries(tx, which.itemIds);
  for (;;) {
    const rows = await tx<{ id: string }[]>`
      select id from series where library_id = ${which.libraryId} order by id limit ${batchSize}`;
    if (rows.length === 0) return;
    const ids = rows.map(({ id }) => id);
    await forgetSeries(tx, ids);
  }
}
