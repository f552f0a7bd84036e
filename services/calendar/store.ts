import type { components } from '#api/types.ts';
import type { Queryable } from '#storage/postgres/connect.ts';
import { knownAs } from '../content/series/known.ts';

export type Shown = components['schemas']['CalendarEpisode'];

const shownMax = 2_000;

/** Episodes that are shown from one day to another (YYYY-MM-DD, both included), in that order. */
export async function listShown(
  sql: Queryable,
  { from, to }: { from: string; to: string },
): Promise<Shown[]> {
  const rows = await sql<(Omit<Shown, 'runtimeMs'> & { runtimeMs: string | number | null })[]>`
    select k.series_id as "seriesId", s.title as "seriesTitle", k.season, k.number, k.title,
      k.overview, k.air_date::text as "airDate", k.runtime_ms as "runtimeMs",
      exists (
        select from episodes e where e.is_available and ${knownAs(sql)}) as "isHeld"
    from known_episodes k join series s on s.id = k.series_id
    where k.air_date between ${from} and ${to}
    order by k.air_date, s.sort_title, s.id, k.season, k.number limit ${shownMax}`;
  return rows.map(({ runtimeMs, ...row }) => ({
    ...row,
    runtimeMs: runtimeMs === null ? null : Number(runtimeMs),
  }));
}
