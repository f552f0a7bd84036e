import type { components } from '#api/types.ts';
import type { Queryable } from '#storage/postgres/connect.ts';
import { known, knownAs } from '../content/series/known.ts';
import { whereSeen, type Limited } from '../visible.ts';

export type Shown = components['schemas']['CalendarEpisode'];

const shownMax = 2_000;

/** A condition: of the episode `e` a person or its files say the day, which then holds. */
const saysDay = (sql: Queryable) => sql`(e.edits ? 'airDate' or e.air_date is not null)`;

/** The day of the episode `e` that a person has set, else of its NFO file or its name. */
const ownDay = (sql: Queryable) => sql`
  case when e.edits ? 'airDate' then (e.edits ->> 'airDate')::date else e.air_date end`;

/**
 * Episodes that are shown from one day to another (YYYY-MM-DD, both included), in that order: those
 * that providers know, held or not, and those that are held and have a day of their own.
 */
export async function listShown(
  sql: Queryable,
  { from, to, viewer }: { from: string; to: string; viewer: Limited },
): Promise<Shown[]> {
  const rows = await sql<(Omit<Shown, 'runtimeMs'> & { runtimeMs: string | number | null })[]>`
    with held as (
      select e.id, e.series_id, ${saysDay(sql)} as says_day, e.known_season, e.known_number
      from episodes e where e.is_available
    ), shown as (
      select h.id as episode_id, k.series_id, k.season, k.number, k.absolute, k.title, k.overview,
        k.air_date, k.runtime_ms
      from known_episodes k
      left join lateral (
        select e.id, e.says_day from held e where ${knownAs(sql)}
        order by e.says_day desc, e.id limit 1) h on true
      where k.air_date between ${from} and ${to} and h.says_day is not true
      union all
      select e.id, e.series_id, coalesce(k.season, n.number),
        case when k.series_id is null then e.number else k.number end,
        coalesce(k.absolute, e.absolute), ${known(sql, 'title')}, ${known(sql, 'overview')},
        ${ownDay(sql)}, coalesce(k.runtime_ms, e.duration_ms)
      from episodes e join seasons n on n.id = e.season_id
      left join known_episodes k on ${knownAs(sql)}
      where e.is_available and ${ownDay(sql)} between ${from} and ${to}
    )
    select o.episode_id as "episodeId", o.series_id as "seriesId", s.title as "seriesTitle",
      o.season, o.number, o.absolute, o.title, o.overview, o.air_date::text as "airDate",
      o.runtime_ms as "runtimeMs", o.episode_id is not null as "isHeld"
    from shown o join series s on s.id = o.series_id ${whereSeen(sql, viewer, sql`s.library_id`)}
    order by o.air_date, s.sort_title, s.id, o.season, o.number, o.absolute, o.episode_id
    limit ${shownMax}`;
  return rows.map(({ runtimeMs, ...row }) => ({
    ...row,
    runtimeMs: runtimeMs === null ? null : Number(runtimeMs),
  }));
}
