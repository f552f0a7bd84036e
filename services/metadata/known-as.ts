import type { Queryable } from '#storage/postgres/connect.ts';

/**
 * A condition: the known episode `k` is the episode `e` of the season `n` of its series, by season
 * and number; or, in a first season that knows no such number, as counted through all seasons.
 */
export const knownAs = (sql: Queryable): ReturnType<Queryable> => sql`(
  k.series_id = e.series_id and (
    (k.season = n.number and k.number = e.number)
    or (n.number = 1 and k.absolute = coalesce(e.absolute, e.number) and not exists (
      select from known_episodes o
      where o.series_id = e.series_id and o.season = 1 and o.number = e.number))))`;
