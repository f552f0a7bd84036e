import type { Queryable } from '#storage/postgres/connect.ts';
import { decodeCursor, encodeCursor, isUuid, pageOf } from '../../cursor.ts';
import { problem } from '../../errors.ts';
import { presentState } from '../../progress/present.ts';
import { noState, statesOf } from '../../progress/store.ts';
import { andSeen, type Limited, type Viewer } from '../../visible.ts';
import { known } from './known.ts';
import { seriesExists } from './seen.ts';
import type { EpisodeCard, SeriesDeps } from './series.ts';

type Fragment = ReturnType<Queryable>;

/** An episode as lists show it. */
export interface EpisodeRow {
  readonly id: string;
  readonly seriesId: string;
  readonly seriesTitle: string;
  readonly season: number;
  readonly number: number | null;
  readonly absolute: number | null;
  readonly airDate: string | null;
  readonly title: string | null;
  readonly durationMs: number | null;
  readonly isAvailable: boolean;
  readonly addedAt: Date;
  readonly place: string;
}

/** The columns of a card: of the episode `e`, its season `n` and its series `s`. */
export const episodeColumns = (sql: Queryable) => sql`
  e.id, e.series_id as "seriesId", s.title as "seriesTitle", n.number as season, e.number,
  e.absolute, ${known(sql, 'air_date')} as "airDate", ${known(sql, 'title')} as title,
  e.duration_ms as "durationMs",
  e.is_available as "isAvailable", e.added_at as "addedAt", e.place`;

/** One page of a series' episodes; throws `not-found` when there is no such series. */
export async function listEpisodes(
  deps: SeriesDeps,
  seriesId: string,
  asked: { season?: number; limit?: number; cursor?: string; viewer: Viewer },
): Promise<{ items: EpisodeCard[]; nextCursor: string | null }> {
  const { sql } = deps;
  const { season, limit = 50, cursor, viewer } = asked;
  const scope = `episodes ${seriesId} ${season ?? ''}`;
  const after = cursor === undefined ? undefined : readCursor(scope, cursor);
  const rows = await sql<EpisodeRow[]>`
    select ${episodeColumns(sql)}
    from episodes e join seasons n on n.id = e.season_id join series s on s.id = e.series_id
    where e.series_id = ${seriesId} ${andSeen(sql, viewer, sql`s.library_id`)}
      and ${season === undefined ? sql`true` : sql`n.number = ${season}`}
      and ${after === undefined ? sql`true` : sql`(e.place, e.id) > (${after.place}, ${after.id}::uuid)`}
    order by e.place, e.id
    limit ${limit + 1}`;
  if (rows.length === 0) await mustExist(sql, seriesId, viewer);
  const { page, last } = pageOf(rows, limit);
  return {
    items: await presentEpisodes(deps, page, viewer.userId),
    nextCursor: last === undefined ? null : encodeCursor(scope, [last.place, last.id]),
  };
}

/** Throws `not-found` when there is no such series for the viewer. */
export async function mustExist(sql: Queryable, seriesId: string, viewer: Limited): Promise<void> {
  if (await seriesExists(sql, seriesId, viewer)) return;
  throw problem('not-found', `There is no series ${seriesId}`);
}

function readCursor(scope: string, cursor: string): { place: string; id: string } {
  const [place, id] = decodeCursor(scope, cursor);
  if (typeof place !== 'string' || !isUuid(id)) {
    throw problem('invalid-cursor', 'The cursor does not belong to this list');
  }
  return { place, id };
}

/** What to go on with: of each series the first episode after the one watched last. */
export async function listNextUp(
  deps: SeriesDeps,
  { limit = 50, viewer }: { limit?: number; viewer: Viewer },
): Promise<{ items: EpisodeCard[] }> {
  const { sql } = deps;
  const { userId } = viewer;
  const rows = await sql<EpisodeRow[]>`
    with seen as (
      select distinct on (e.series_id) e.series_id, e.place, e.id, u.watched_at as at
      from user_items u join episodes e on e.id = u.item_id
      join seasons n on n.id = e.season_id and n.number > 0
      where u.user_id = ${userId} and u.kind = 'episode' and u.watched_at is not null
      order by e.series_id, u.watched_at desc, e.place desc, e.id
    )
    select ${episodeColumns(sql)}
    from seen join series s on s.id = seen.series_id ${andSeen(sql, viewer, sql`s.library_id`)}
    cross join lateral (
      select e.* from episodes e join seasons n on n.id = e.season_id and n.number > 0
      where e.series_id = seen.series_id and (e.place, e.id) > (seen.place, seen.id)
        and e.is_available and not exists (
          select from user_items u where u.user_id = ${userId} and u.kind = 'episode'
            and u.item_id = e.id and u.watched_at is not null)
      order by e.place, e.id limit 1
    ) e
    join seasons n on n.id = e.season_id
    order by seen.at desc, e.id
    limit ${limit}`;
  return { items: await presentEpisodes(deps, rows, userId) };
}

/** What somebody goes on with in one series; only what can be played, specials if there is no other. */
export async function findUpNext(
  sql: Queryable,
  seriesId: string,
  userId: string,
): Promise<EpisodeRow | undefined> {
  const [row] = await sql<EpisodeRow[]>`
    with last as (
      select e.id, e.place, u.position_ms > 0 as is_begun
      from user_items u join episodes e on e.id = u.item_id
      join seasons n on n.id = e.season_id and n.number > 0
      where u.user_id = ${userId} and u.kind = 'episode' and e.series_id = ${seriesId}
        and (u.position_ms > 0 or u.watched_at is not null)
      order by greatest(u.last_played_at, u.watched_at) desc nulls last, e.place desc, e.id
      limit 1
    )
    select ${episodeColumns(sql)}
    from episodes e join seasons n on n.id = e.season_id join series s on s.id = e.series_id
    left join last on true
    left join user_items u on u.user_id = ${userId} and u.kind = 'episode' and u.item_id = e.id
    where e.series_id = ${seriesId} and e.is_available
    order by coalesce(last.is_begun and last.id = e.id, false) desc,
      (n.number > 0 and u.watched_at is null
        and coalesce((e.place, e.id) > (last.place, last.id), true)) desc,
      (n.number > 0 and u.watched_at is null) desc, n.number > 0 desc, e.place, e.id
    limit 1`;
  return row;
}

/**
 * The episode before this one and the one after it that can be played, where there are: of a
 * special among specials, of others among those.
 */
export async function findNeighbours(
  sql: Queryable,
  { id, seriesId, season, place }: EpisodeRow,
): Promise<{ previous: EpisodeRow | undefined; next: EpisodeRow | undefined }> {
  const beside = async (beyond: Fragment, direction: Fragment) => {
    const [row] = await sql<EpisodeRow[]>`
      select ${episodeColumns(sql)}
      from episodes e join seasons n on n.id = e.season_id join series s on s.id = e.series_id
      where e.series_id = ${seriesId} and e.is_available and (n.number = 0) = ${season === 0}
        and (e.place, e.id) ${beyond} (${place}, ${id}::uuid)
      order by e.place ${direction}, e.id ${direction} limit 1`;
    return row;
  };
  const [previous, next] = await Promise.all([beside(sql`<`, sql`desc`), beside(sql`>`, sql`asc`)]);
  return { previous, next };
}

/** Episodes for lists, with pictures and what the viewer has done with them. */
export async function presentEpisodes(
  { sql, images }: Pick<SeriesDeps, 'sql' | 'images'>,
  rows: readonly EpisodeRow[],
  userId: string,
): Promise<EpisodeCard[]> {
  const itemIds = rows.map(({ id }) => id);
  const seriesIds = [...new Set(rows.map(({ seriesId }) => seriesId))];
  const [states, pictures, own] = await Promise.all([
    statesOf(sql, userId, { kind: 'episode', itemIds }),
    images.forItems(sql, 'series', seriesIds),
    images.forItems(sql, 'episode', itemIds),
  ]);
  return rows.map((row) => ({
    id: row.id,
    seriesId: row.seriesId,
    seriesTitle: row.seriesTitle,
    season: row.season,
    number: row.number,
    absolute: row.absolute,
    airDate: row.airDate,
    title: row.title,
    durationMs: row.durationMs,
    isAvailable: row.isAvailable,
    addedAt: row.addedAt.toISOString(),
    images: { ...pictures.get(row.seriesId), ...own.get(row.id) },
    userState: presentState(states.get(row.id) ?? noState),
  }));
}
