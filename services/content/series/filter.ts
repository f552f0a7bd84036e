import { sortTitle } from '../../naming/titles.ts';
import type { Queryable } from '#storage/postgres/connect.ts';
import { andSeen, seenIn, whereSeen, type Viewer } from '../../visible.ts';
import { countLetters, letterOf, titleBegins } from '../works.ts';
import type { SeriesFilters } from './series.ts';

/** What a list is limited to; values of one filter are alternatives. */
export interface SeriesFilter {
  readonly library?: string;
  readonly genre?: readonly string[];
  readonly yearFrom?: number;
  readonly yearTo?: number;
  readonly watched?: boolean;
  readonly favourite?: boolean;
  readonly watchlist?: boolean;
  readonly titlePrefix?: string;
  readonly letter?: string;
}

type Fragment = ReturnType<Queryable>;

/** The condition on the series `s` for one viewer. */
export function filterOf(sql: Queryable, filter: SeriesFilter, viewer: Viewer): Fragment {
  const { userId } = viewer;
  const { library, genre = [], yearFrom, yearTo, watched, titlePrefix, letter } = filter;
  const shelf = (column: string, wanted: boolean | undefined) =>
    wanted === undefined ? undefined : shelfOf(sql, { column, wanted, userId });
  const conditions = [
    seenIn(sql, viewer, sql`s.library_id`),
    library === undefined ? undefined : sql`s.library_id = ${library}`,
    genre.length === 0 ? undefined : sql`s.genres && ${genre as string[]}::text[]`,
    yearFrom === undefined ? undefined : sql`s.year >= ${yearFrom}`,
    yearTo === undefined ? undefined : sql`s.year <= ${yearTo}`,
    watched === undefined ? undefined : watchedOf(sql, watched, userId),
    shelf('favourite_at', filter.favourite),
    shelf('watchlist_at', filter.watchlist),
    titlePrefix === undefined
      ? undefined
      : titleBegins(sql, sql`s.sort_title`, sortTitle(titlePrefix)),
    letter === undefined ? undefined : letterOf(sql, sql`s.sort_title`, letter),
  ].filter((condition) => condition !== undefined);
  return conditions.reduce<Fragment>((all, one) => sql`${all} and ${one}`, sql`true`);
}

function shelfOf(
  sql: Queryable,
  { column, wanted, userId }: { column: string; wanted: boolean; userId: string },
): Fragment {
  const isThere: Fragment = sql`exists (
    select from user_items u where u.user_id = ${userId} and u.kind = 'series'
      and u.item_id = s.id and u.${sql(column)} is not null)`;
  return wanted ? isThere : sql`not ${isThere}`;
}

/** A series without episodes but specials is never watched. */
function watchedOf(sql: Queryable, wanted: boolean, userId: string): Fragment {
  const regular = sql`select from episodes e join seasons n on n.id = e.season_id and n.number > 0
    where e.series_id = s.id`;
  const isWatched: Fragment = sql`(exists (${regular}) and not exists (${regular} and not exists (
    select from user_items u where u.user_id = ${userId} and u.kind = 'episode'
      and u.item_id = e.id and u.watched_at is not null)))`;
  return wanted ? isWatched : sql`not ${isWatched}`;
}

/** How many series there are under a filter. */
export async function countSeries(
  sql: Queryable,
  filter: SeriesFilter,
  viewer: Viewer,
): Promise<number> {
  const [row] = await sql<{ count: number }[]>`
    select count(*)::int as count from series s where ${filterOf(sql, filter, viewer)}`;
  return row?.count ?? 0;
}

const valuesMax = 200;

/** How many series have each value that can be filtered by, most frequent first. */
export async function countFilters(sql: Queryable, viewer: Viewer): Promise<SeriesFilters> {
  const isSeen = andSeen(sql, viewer, sql`library_id`);
  const [genres, decades, letters] = await Promise.all([
    sql<{ value: string; count: number }[]>`
      select value, count(*)::int as count from series, unnest(genres) value
      ${whereSeen(sql, viewer, sql`library_id`)}
      group by value order by count(*) desc, value limit ${valuesMax}`,
    sql<{ value: string; count: number }[]>`
      select (year / 10 * 10)::text as value, count(*)::int as count from series
      where year is not null ${isSeen} group by year / 10 order by count(*) desc, year / 10 desc
      limit ${valuesMax}`,
    countLetters(sql, 'series', seenIn(sql, viewer, sql`library_id`) ?? sql`true`),
  ]);
  return { genres: [...genres], decades: [...decades], letters };
}
