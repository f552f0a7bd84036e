/** What every kind asks and writes of its works; a kind says which it is and where they are kept. */
import type { Queryable, Tx } from '#storage/postgres/connect.ts';
import { idEntries, type ProviderIds } from '../naming/ids.ts';
import { forgetHistory } from './history.ts';
import type { Kind } from './module.ts';
import { noteGone } from './nfo-left.ts';

type Fragment = ReturnType<Queryable>;

/** The works of a kind. */
export interface Works {
  readonly kind: Kind;
  readonly table: string;
}

/** Cache tag of what one person has done with works. */
export const userTag = (userId: string): string => `user-items:${userId}`;

/** One identification at a time per library; two would make two works of one. */
export async function lockLibrary(tx: Tx, kind: Kind, libraryId: string): Promise<void> {
  await tx`select pg_advisory_xact_lock(hashtextextended(${`${kind}.identify:${libraryId}`}, 0))`;
}

/** Hands out ids for new works in rising order, at most `count`; throws when there are no more. */
export async function newIds(tx: Tx, count: number): Promise<() => string> {
  const rows =
    count === 0
      ? []
      : await tx<{ id: string }[]>`select uuidv7() as id from generate_series(1, ${count})`;
  const left = rows.values();
  return () => {
    const { value } = left.next();
    if (value === undefined) throw new Error('more new works than plans');
    return value.id;
  };
}

/** A column: the ids elsewhere, by source, of the work with this id. */
export const externalIdsOf = (sql: Queryable, kind: Kind, id: Fragment): Fragment => sql`
  coalesce((
    select jsonb_object_agg(e.source, e.value) from external_ids e
    where e.kind = ${kind} and e.item_id = ${id}
  ), '{}')`;

/** Ids of works elsewhere; of two of one source, and before one already there, the later wins. */
export async function saveExternalIds(
  tx: Tx,
  kind: Kind,
  works: readonly { readonly itemId: string; readonly ids: ProviderIds }[],
): Promise<void> {
  const rows = new Map<string, { itemId: string; source: string; value: string }>();
  for (const { itemId, ids } of works) {
    for (const [source, value] of idEntries(ids)) {
      rows.set(`${itemId} ${source}`, { itemId, source, value });
    }
  }
  if (rows.size === 0) return;
  await tx`
    insert into external_ids (kind, item_id, source, value)
    select ${kind}, "itemId", source, value
    from jsonb_to_recordset(${tx.json([...rows.values()])})
      as r ("itemId" uuid, source text, value text)
    on conflict (kind, item_id, source) do update set value = excluded.value
      where external_ids.value <> excluded.value`;
}

/** Those of the works that no file, present or missing, belongs to any more. */
export async function withoutFiles(
  tx: Tx,
  { table }: Works,
  ids: readonly string[],
): Promise<string[]> {
  if (ids.length === 0) return [];
  const rows = await tx<{ id: string }[]>`
    select w.id from ${tx(table)} w where w.id = any (${ids as string[]}::uuid[])
      and not exists (select from files f where f.item_id = w.id)`;
  return rows.map(({ id }) => id);
}

/** Those of the works of which no video is there, missing ones aside. */
export async function withoutVideos(tx: Tx, ids: readonly string[]): Promise<string[]> {
  if (ids.length === 0) return [];
  const rows = await tx<{ id: string }[]>`
    select w.id from unnest(${ids as string[]}::uuid[]) as w (id)
    where not exists (
      select from files f
      where f.item_id = w.id and f.role = 'video' and f.missing_since is null)`;
  return rows.map(({ id }) => id);
}

/** Deletes works with what hangs on them without a foreign key, but for people and their states. */
export async function deleteWorks(
  tx: Tx,
  { kind, table }: Works,
  ids: readonly string[],
): Promise<void> {
  const gone = ids as string[];
  await tx`delete from external_ids where kind = ${kind} and item_id = any (${gone}::uuid[])`;
  await tx`delete from ratings where kind = ${kind} and item_id = any (${gone}::uuid[])`;
  await tx`delete from metadata_states where kind = ${kind} and item_id = any (${gone}::uuid[])`;
  await tx`delete from image_offers where kind = ${kind} and item_id = any (${gone}::uuid[])`;
  await forgetHistory(tx, kind, ids);
  await noteGone(tx, kind, ids);
  await tx`delete from file_pins where item_id = any (${gone}::uuid[])`;
  await tx`delete from ${tx(table)} where id = any (${gone}::uuid[])`;
  // Only now, having waited for whoever holds a work while adding a picture to it.
  await tx`delete from images where kind = ${kind} and item_id = any (${gone}::uuid[])`;
}

const batchSize = 1_000;

/** Hands the works given, or all of a library, to what deletes them. */
export async function eachToRemove(
  tx: Tx,
  { table, which }: Pick<Works, 'table'> & { readonly which: Which },
  forget: (tx: Tx, ids: readonly string[]) => Promise<void>,
): Promise<void> {
  if ('itemIds' in which) return forget(tx, which.itemIds);
  for (;;) {
    const rows = await tx<{ id: string }[]>`
      select id from ${tx(table)} where library_id = ${which.libraryId}
      order by id limit ${batchSize}`;
    if (rows.length === 0) return;
    const ids = rows.map(({ id }) => id);
    await forget(tx, ids);
  }
}

/** Works by id, or all of a library. */
export type Which = { readonly itemIds: readonly string[] } | { readonly libraryId: string };

/** Ids of all works after one (undefined: from the first), ascending. */
export async function idsAfter(
  sql: Queryable,
  { table }: Works,
  { afterId, limit }: { readonly afterId: string | undefined; readonly limit: number },
): Promise<string[]> {
  const rows = await sql<{ id: string }[]>`
    select id from ${sql(table)} ${afterId === undefined ? sql`` : sql`where id > ${afterId}`}
    order by id limit ${limit}`;
  return rows.map(({ id }) => id);
}

/** Sort titles are compared byte by byte, so those that begin alike are a range. */
export const titleBegins = (sql: Queryable, column: Fragment, prefix: string): Fragment =>
  sql`${column} >= ${prefix} and ${column} < ${`${prefix}\u{10ffff}`}`;

/** Of the letters a–z the works whose sort titles begin so; of `#` all others. */
export const letterOf = (sql: Queryable, column: Fragment, letter: string): Fragment =>
  letter === '#' ? sql`(${column} < 'a' or ${column} >= '{')` : titleBegins(sql, column, letter);

/** How many works there are of each letter, in order, of those that fulfil a condition. */
export async function countLetters(
  sql: Queryable,
  table: 'movies' | 'series',
  condition: Fragment,
): Promise<{ value: string; count: number }[]> {
  const rows = await sql<{ value: string; count: number }[]>`
    select case when sort_title >= 'a' and sort_title < '{' then left(sort_title, 1)
      else '#' end as value, count(*)::int as count
    from ${sql(table)} where ${condition}
    group by value order by value`;
  return [...rows];
}
