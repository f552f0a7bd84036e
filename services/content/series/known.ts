/** Episodes as a provider knows them, beside those that files hold. */
import type { components } from '#api/types.ts';
import type { Queryable } from '#storage/postgres/connect.ts';
import { problem } from '../../errors.ts';
import { andSeen, type Limited } from '../../visible.ts';
import { isKnownBySeason, placeShown } from './order.ts';
import { seriesExists } from './seen.ts';

type Fragment = ReturnType<Queryable>;

/** A condition: the known episode `k` is the episode `e`. */
export const knownAs = (sql: Queryable): Fragment => sql`(
  k.series_id = e.series_id and k.season = e.known_season and k.number = e.known_number)`;

/** What can be known of an episode: its columns, with the name and the type of each. */
const columns = {
  title: ['title', 'text'],
  overview: ['overview', 'text'],
  air_date: ['airDate', 'date'],
} as const;

/**
 * Of the episode `e` what a person set; else what files tell; what those leave
 * open, as a provider knows it.
 */
export function known(sql: Queryable, column: keyof typeof columns): Fragment {
  const [name, type] = columns[column];
  return sql`
    case when e.edits ? ${name}::text then (e.edits ->> ${name}::text)::${sql.unsafe(type)} else
      coalesce(e.${sql(column)}, ${toldElsewhere(sql, column)}) end`;
}

/** What a provider knows of the episode `e`. */
export const toldElsewhere = (sql: Queryable, column: keyof typeof columns): Fragment => sql`(
  select k.${sql(column)} from known_episodes k where ${knownAs(sql)})`;

/** The titles that a provider knows of the episode `e` in other languages. */
export const titlesElsewhere = (sql: Queryable): Fragment => sql`
  array(
    select distinct t.one ->> 'title' from known_episodes k
      cross join lateral jsonb_array_elements(k.translations) as t (one)
    where ${knownAs(sql)} and t.one ->> 'title' is not null)`;

/** Of the season `n` what a person set; else as a provider knows it. */
export const seasonShown = (sql: Queryable, name: 'title' | 'overview'): Fragment => sql`
  case when n.edits ? ${name}::text then n.edits ->> ${name}::text else
    ${seasonTold(sql, name)} end`;

/** What a provider knows of the season `n`. */
export const seasonTold = (sql: Queryable, name: 'title' | 'overview'): Fragment => sql`(
  select k.${sql(name)} from known_seasons k
  where k.series_id = n.series_id and k.number = n.number
    and (n.number = 0 or ${isKnownBySeason(sql, sql`n.series_id`)}))`;

type Missing = components['schemas']['MissingEpisode'];

const missingMax = 2_000;

/** Episodes of a series that have been shown by a day (YYYY-MM-DD), and no file holds. */
export async function listMissing(
  sql: Queryable,
  seriesId: string,
  { today, viewer }: { readonly today: string; readonly viewer: Limited },
): Promise<Missing[]> {
  const rows = await sql<Missing[]>`
    select place.season, place.number, k.title, k.air_date as "airDate", k.overview
    from known_episodes k join series s on s.id = k.series_id ${placeShown(sql)}
    where k.series_id = ${seriesId} ${andSeen(sql, viewer, sql`s.library_id`)} and k.season > 0 and k.air_date <= ${today}
      and not exists (select from episodes e where ${knownAs(sql)})
    order by place.season, place.number, k.season, k.number limit ${missingMax}`;
  if (rows.length > 0) return [...rows];
  if (!(await seriesExists(sql, seriesId, viewer)))
    throw problem('not-found', `There is no series ${seriesId}`);
  return [];
}
