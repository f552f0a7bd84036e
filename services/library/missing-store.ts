import type { Queryable, Tx } from '#storage/postgres/connect.ts';
import { isKept } from './quarantine-store.ts';

/** Marks files of directories that are gone missing, some at a time; resolves to how many. */
export async function markGoneFiles(
  tx: Tx,
  rootIds: readonly string[],
  limit: number,
): Promise<number> {
  const result = await tx`
    update files set missing_since = now(), updated_at = now(), is_refresh_due = true
    where id in (
      select f.id from directories d join files f on f.directory_id = d.id
      where d.root_id = any (${rootIds}::uuid[]) and d.gone_since is not null
        and f.missing_since is null
      limit ${limit})`;
  return result.count;
}

/**
 * Lets the time of grace of what a root was lost with begin when the root is there again: only then
 * could anybody look for it.
 */
export async function beginGraceAnew(tx: Tx, rootId: string, lostAt: Date): Promise<void> {
  await tx`
    update files f set missing_since = now(), updated_at = now()
    from directories d
    where d.root_id = ${rootId} and f.directory_id = d.id and f.missing_since >= ${lostAt}`;
}

/** Works of a library that do not yet know of files that came or went. */
export async function itemsToRefresh(
  sql: Queryable,
  libraryId: string,
  limit: number,
): Promise<string[]> {
  const rows = await sql<{ itemId: string }[]>`
    select distinct item_id as "itemId" from files
    where library_id = ${libraryId} and is_refresh_due and item_id is not null
    order by item_id limit ${limit}`;
  return rows.map(({ itemId }) => itemId);
}

/** Notes that works know of their files' coming and going. */
export async function refreshed(tx: Tx, itemIds: readonly string[]): Promise<void> {
  await tx`
    update files set is_refresh_due = false
    where item_id = any (${itemIds}::uuid[]) and is_refresh_due`;
}

/** Of the works given, those of which no file is there. */
export async function unavailableOf(sql: Queryable, itemIds: readonly string[]): Promise<string[]> {
  const rows = await sql<{ id: string }[]>`
    select i.id from unnest(${itemIds}::uuid[]) as i (id)
    where not exists (
      select from files f
      where f.item_id = i.id and f.missing_since is null and f.role in ('video', 'audio'))`;
  return rows.map(({ id }) => id);
}

/** Of the works given, those that have no file on record at all, missing ones included. */
export async function filelessOf(sql: Queryable, itemIds: readonly string[]): Promise<string[]> {
  const rows = await sql<{ id: string }[]>`
    select i.id from unnest(${itemIds}::uuid[]) as i (id)
    where not exists (select from files f where f.item_id = i.id and f.role in ('video', 'audio'))`;
  return rows.map(({ id }) => id);
}

/** Deletes some files of a root from the catalogue; resolves to how many, and their works. */
export async function deleteRootFiles(
  tx: Tx,
  rootId: string,
  limit: number,
): Promise<{ count: number; itemIds: string[] }> {
  const rows = await tx<{ itemId: string | null }[]>`
    delete from files where id in (
      select f.id from directories d join files f on f.directory_id = d.id
      where d.root_id = ${rootId} limit ${limit})
    returning item_id as "itemId"`;
  return { count: rows.length, itemIds: distinct(rows) };
}

/**
 * Deletes some files that have been missing since before a time, of roots that are available and
 * libraries that are not being scanned.
 */
export async function deleteMissingFiles(
  tx: Tx,
  { libraryId, before, limit }: { libraryId: string; before: Date; limit: number },
): Promise<{ count: number; itemIds: string[] }> {
  const rows = await tx<{ itemId: string | null }[]>`
    delete from files where id in (
      select f.id from files f
      join directories d on d.id = f.directory_id
      join library_roots r on r.id = d.root_id
      where f.library_id = ${libraryId} and f.missing_since < ${before} and not ${isKept(tx)}
        and r.unavailable_since is null and r.removed_at is null
        and not exists (select from library_scans s
          where s.library_id = f.library_id and s.state in ('queued', 'running'))
      order by f.id
      limit ${limit}
      for update of f)
    returning item_id as "itemId"`;
  return { count: rows.length, itemIds: distinct(rows) };
}

/** Deletes directories that went before a time and of which no file is on record. */
export async function deleteGoneDirectories(tx: Tx, before: Date): Promise<void> {
  await tx`
    delete from directories d where d.gone_since < ${before} and d.path <> ''
      and not exists (select from files f where f.directory_id = d.id)
      and not exists (select from directories c where c.parent_id = d.id)`;
}

const distinct = (rows: readonly { itemId: string | null }[]): string[] => [
  ...new Set(rows.flatMap(({ itemId }) => itemId ?? [])),
];
