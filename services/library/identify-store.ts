import type { Queryable, Tx } from '#storage/postgres/connect.ts';
import type { StoredFile } from '../content/module.ts';
import { hintFile } from '../naming/hints.ts';

/** A directory whose files are recorded but not yet identified. */
export interface UnsettledDirectory {
  readonly id: string;
  readonly rootId: string;
  readonly path: string;
  /** What it must still be for identifying to settle it. */
  readonly revision: number;
  readonly fileCount: number;
}

/** The next directories of a library to identify, parents before what is below them. */
export async function unsettledDirectories(
  sql: Queryable,
  rootIds: readonly string[],
  limit: number,
): Promise<UnsettledDirectory[]> {
  return sql<UnsettledDirectory[]>`
    select d.id, d.root_id as "rootId", d.path, d.revision,
      (select count(*) from files f
        where f.directory_id = d.id and f.missing_since is null) as "fileCount"
    from directories d
    where d.root_id = any (${rootIds}::uuid[]) and not d.is_settled and d.gone_since is null
    order by d.root_id, d.path
    limit ${limit}`;
}

/** Those of the directories given that wait to be identified, parents before what is below them. */
export async function unsettledAmong(
  sql: Queryable,
  ids: readonly string[],
): Promise<UnsettledDirectory[]> {
  return sql<UnsettledDirectory[]>`
    select d.id, d.root_id as "rootId", d.path, d.revision,
      (select count(*) from files f
        where f.directory_id = d.id and f.missing_since is null) as "fileCount"
    from directories d
    where d.id = any (${ids}::uuid[]) and not d.is_settled and d.gone_since is null
    order by d.root_id, d.path`;
}

/** How many directories of a library wait to be identified. */
export async function countUnsettled(sql: Queryable, rootIds: readonly string[]): Promise<number> {
  const [row] = await sql<[{ count: number }]>`
    select count(*) from directories d
    where d.root_id = any (${rootIds}::uuid[]) and not d.is_settled and d.gone_since is null`;
  return row.count;
}

/** The files of directories that are there, by path. */
export async function presentFiles(
  sql: Queryable,
  directoryIds: readonly string[],
): Promise<(StoredFile & { directoryId: string })[]> {
  const rows = await sql<
    (Omit<StoredFile, 'itemId'> & { directoryId: string; itemId: string | null })[]
  >`
    select id, directory_id as "directoryId", path, name, role, size_bytes as "sizeBytes",
      mtime_ms as "mtimeMs", item_id as "itemId"
    from files
    where directory_id = any (${directoryIds}::uuid[]) and missing_since is null
    order by path`;
  return rows.map((row) => ({ ...row, itemId: row.itemId ?? undefined }));
}

/** Notes that directories are identified, but for those that changed meanwhile. */
export async function settle(
  tx: Tx,
  directories: readonly { id: string; revision: number }[],
): Promise<void> {
  const records = directories.map(({ id, revision }) => ({ id, revision }));
  await tx`
    update directories d set is_settled = true
    from jsonb_to_recordset(${tx.json(records)}) as r (id uuid, revision integer)
    where d.id = r.id and d.revision = r.revision`;
}

/** Files of directories that are to be probed. */
export async function dueProbes(
  sql: Queryable,
  directoryIds: readonly string[],
): Promise<string[]> {
  const rows = await sql<{ id: string }[]>`
    select id from files
    where directory_id = any (${directoryIds}::uuid[]) and probe_state = 'due'
      and missing_since is null
    order by id`;
  return rows.map(({ id }) => id);
}

/** Files of a library that should have been probed long ago: their job was lost, or gave up. */
export async function takeStaleProbes(
  tx: Tx,
  page: { libraryId: string; before: Date; limit: number },
): Promise<string[]> {
  const rows = await tx<{ id: string }[]>`
    update files set probe_queued_at = now()
    where id in (
      select id from files
      where library_id = ${page.libraryId} and probe_state = 'due' and missing_since is null
        and coalesce(probe_queued_at, updated_at) < ${page.before}
      order by id limit ${page.limit})
    returning id`;
  return rows.map(({ id }) => id);
}

/** Lets files whose probe failed be probed again. */
export async function retryFailedProbes(tx: Tx, libraryId: string): Promise<void> {
  await tx`
    update files set probe_state = 'due', probe_queued_at = '-infinity'
    where library_id = ${libraryId} and probe_state = 'failed' and missing_since is null`;
}

/** Hint files above directories, by root: what they say holds for what lies below them. */
export async function hintsAbove(
  sql: Queryable,
  directories: readonly { readonly rootId: string; readonly path: string }[],
): Promise<{ rootId: string; id: string; path: string; role: 'nfo'; sizeBytes: number }[]> {
  const above = directories.flatMap(({ rootId, path }) =>
    [...path.matchAll(/\//g)].map(({ index }) => ({ rootId, path: path.slice(0, index) })),
  );
  if (above.length === 0) return [];
  return sql<{ rootId: string; id: string; path: string; role: 'nfo'; sizeBytes: number }[]>`
    select distinct f.root_id as "rootId", f.id, f.path, f.role, f.size_bytes as "sizeBytes"
    from unnest(${above.map(({ rootId }) => rootId)}::uuid[],
      ${above.map(({ path }) => path)}::text[]) as w (root_id, path)
    join directories d on d.root_id = w.root_id and d.path = w.path collate "C"
    join files f on f.directory_id = d.id and f.name = ${hintFile} and f.missing_since is null
    where f.role = 'nfo'`;
}
