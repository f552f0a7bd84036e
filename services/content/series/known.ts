/** Episodes as a provider knows them, beside those that files hold. */
import type { components } from '#api/types.ts';
import type { Queryable } from '#storage/postgres/connect.ts';
import { problem } from '../../errors.ts';

type Fragment = ReturnType<Queryable>;

/** What files leave open of the episode `e` of the season `n`, as a provider knows it. */
export const known = (sql: Queryable, name: 'title' | 'overview' | 'air_date'): Fragment => sql`
  coalesce(e.${sql(name)}, (
    select k.${sql(name)} from known_episodes k
    where k.series_id = e.series_id and k.season = n.number and k.number = e.number))`;

type Missing = components['schemas']['MissingEpisode'];

const missingMax = 2_000;

/** Episodes of a series that have been shown by a day (YYYY-MM-DD), and no file holds. */
export async function listMissing(
  sql: Queryable,
  seriesId: string,
  today: string,
): Promise<Missing[]> {
  const rows = await sql<Missing[]>`
    select k.season, k.number, k.title, k.air_date as "airDate", k.overview
    from known_episodes k
    where k.series_id = ${seriesId} and k.season > 0 and k.air_date <= ${today}
      and not exists (
        select from episodes e join seasons n on n.id = e.season_id
        where e.series_id = k.series_id and n.number = k.season and e.number = k.number)
    order by k.season, k.number limit ${missingMax}`;
  if (rows.length > 0) return [...rows];
  const found = await sql`select from series where id = ${seriesId}`;
  if (found.length === 0) throw problem('not-found', `There is no series ${seriesId}`);
  return [];
}
