/** Which of the episodes that a provider knows those are that files hold. */
import type { Queryable, Tx } from '#storage/postgres/connect.ts';
import type { OrderRecord } from '../../metadata/provider.ts';

/**
 * Tells the episodes of series which known ones they are: the numbers of files count in the order
 * that a person chose, else as they are known; what a first season has not, and what has no
 * other number, is found as counted through all seasons. Where nothing is known of the order, it is
 * as if none were chosen.
 */
export async function matchKnown(tx: Tx, seriesIds: readonly string[]): Promise<void> {
  if (seriesIds.length === 0) return;
  await tx`
    update episodes e set known_season = w.season, known_number = w.number, updated_at = now()
    from (
      select e.id, p.season, p.number
      from series s
      cross join lateral (
        select
          exists (select from known_episodes k where k.series_id = s.id) as is_known,
          exists (
            select from known_orders p
            where p.series_id = s.id and p.episode_order = s.episode_order) as is_listed
      ) o
      join episodes e on e.series_id = s.id
      join seasons n on n.id = e.season_id
      left join lateral (${places(tx)}) p on true
      where s.id = any (${seriesIds as string[]}::uuid[])
        and (o.is_known or e.known_season is not null)
    ) w
    where e.id = w.id
      and (e.known_season, e.known_number) is distinct from (w.season, w.number)`;
}

/** The known episode that `e` is, of the season `n` of the series `s`, if there is one. */
const places = (sql: Queryable): ReturnType<Queryable> => sql`
  select c.season, c.number from (
    select 1 as rank, k.season, k.number
    from known_orders p join known_episodes k
      on k.series_id = p.series_id and k.season = p.known_season and k.number = p.known_number
    where p.series_id = s.id and p.episode_order = s.episode_order
      and p.season = n.number and p.number = e.number
    union all
    -- A special counts alike in all orders, unless one has it elsewhere.
    select case when s.episode_order = 'absolute' and n.number > 0 then 3 else 1 end,
      k.season, k.number
    from known_episodes k
    where k.series_id = s.id and k.season = n.number and k.number = e.number
      and (not o.is_listed or (n.number = 0 and not exists (
        select from known_orders p
        where p.series_id = s.id and p.episode_order = s.episode_order
          and p.season = n.number and p.number = e.number)))
    union all
    select 2, k.season, k.number
    from known_episodes k
    where k.series_id = s.id and n.number > 0
      and k.absolute = coalesce(e.absolute, case when n.number = 1 then e.number end)
      and (n.number = 1 or s.episode_order = 'absolute')
  ) c order by c.rank, c.season, c.number limit 1`;

/** Where the known episode `k` of the series `s` stands in the order that a person chose. */
export const placeShown = (sql: Queryable): ReturnType<Queryable> => sql`
  left join known_orders p on p.series_id = k.series_id and p.episode_order = s.episode_order
    and p.known_season = k.season and p.known_number = k.number
  cross join lateral (
    select
      case when s.episode_order = 'absolute' and k.absolute is not null then 1
        else coalesce(p.season, k.season) end as season,
      case when s.episode_order = 'absolute' then coalesce(k.absolute, k.number)
        else coalesce(p.number, k.number) end as number
  ) place`;

/**
 * A condition: the seasons of a series are those that are known, not those of an order. Its id is a
 * column of the query around this, by an alias other than `own` and `p`, which are names in here.
 */
export const isKnownBySeason = (sql: Queryable, seriesId: ReturnType<Queryable>) => sql`
  not exists (
    select from series own
    where own.id = ${seriesId} and (own.episode_order = 'absolute' or exists (
      select from known_orders p
      where p.series_id = own.id and p.episode_order = own.episode_order)))`;

/** Keeps where episodes stand in an order; another's places stay. True when it was otherwise. */
export async function saveOrder(
  tx: Tx,
  seriesId: string,
  { order, places: given }: OrderRecord,
): Promise<boolean> {
  const byPlace = new Map(given.map((one) => [`${one.season} ${one.number}`, one]));
  const rows = [...byPlace.values()].map(({ season, number, known }) => ({
    ...{ season, number, knownSeason: known.season, knownNumber: known.number },
  }));
  const changed = await tx`
    with given as (
      select * from jsonb_to_recordset(${tx.json(rows)}) as r (
        season integer, number integer, "knownSeason" integer, "knownNumber" integer)
    ), gone as (
      delete from known_orders k
      where k.series_id = ${seriesId} and k.episode_order = ${order} and not exists (
        select from given g where g.season = k.season and g.number = k.number)
      returning k.number
    ), come as (
      insert into known_orders as k (
        series_id, episode_order, season, number, known_season, known_number)
      select ${seriesId}, ${order}, season, number, "knownSeason", "knownNumber" from given
      on conflict (series_id, episode_order, season, number) do update set
        known_season = excluded.known_season, known_number = excluded.known_number
      where (k.known_season, k.known_number) is distinct from (
        excluded.known_season, excluded.known_number)
      returning k.number
    )
    select number from gone union all select number from come`;
  return changed.length > 0;
}

/** The series is another's record now: its episodes stand in no order that is known. */
export async function forgetOrders(
  tx: Tx,
  seriesId: string,
  is: { readonly provider: string; readonly recordId: string | undefined },
): Promise<void> {
  await tx`
    delete from known_orders where series_id = ${seriesId} and not exists (
      select from metadata_states m where m.kind = 'series' and m.item_id = ${seriesId}
        and m.provider = ${is.provider} and m.provider_id = ${is.recordId ?? null})`;
}
