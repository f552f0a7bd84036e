import type { Queryable, Tx } from '#storage/postgres/connect.ts';

/** A file that is missing, as long as the catalogue keeps it. */
export interface MissingFile {
  readonly id: string;
  readonly itemId: string | null;
  readonly rootPath: string;
  /** Relative to the root. */
  readonly path: string;
  readonly sizeBytes: number;
  readonly missingSince: Date;
  readonly isKept: boolean;
}

/** Missing files `f` of folders that are there: what else is missing is only away. */
const missing = (sql: Queryable, libraryId: string) => sql`
  from files f join directories d on d.id = f.directory_id
  join library_roots r on r.id = d.root_id and r.removed_at is null and r.unavailable_since is null
  where f.library_id = ${libraryId} and f.missing_since is not null`;

/** What a person has said to keep since it went. */
export const isKept = (sql: Queryable): ReturnType<Queryable> =>
  sql`coalesce(f.kept_at >= f.missing_since, false)`;

/** One page of what is missing of a library, in the order of their ids. */
export async function missingPage(
  sql: Queryable,
  libraryId: string,
  { afterId, limit }: { afterId: string | undefined; limit: number },
): Promise<MissingFile[]> {
  return sql<MissingFile[]>`
    select f.id, f.item_id as "itemId", r.path as "rootPath", f.path,
      f.size_bytes as "sizeBytes", f.missing_since as "missingSince", ${isKept(sql)} as "isKept"
    ${missing(sql, libraryId)}
      and ${afterId === undefined ? sql`true` : sql`f.id > ${afterId}`}
    order by f.id limit ${limit}`;
}

/** Keeps what is missing of a work, or lets its time of grace run again; resolves to how much. */
export async function keepMissing(
  tx: Tx,
  { libraryId, itemId, isKept: keep }: { libraryId: string; itemId: string; isKept: boolean },
): Promise<number> {
  const rows = await tx`
    update files set kept_at = case when ${keep}::boolean then clock_timestamp() end
    where id in (
      select f.id ${missing(tx, libraryId)} and f.item_id = ${itemId} for update of f)
    returning id`;
  return rows.length;
}

/** A folder with files of a work that are not there, of which nothing can be said for now. */
export interface AwayFolder {
  readonly path: string;
  /** It was taken out of the library: what lies in it is forgotten with it. */
  readonly isRemoved: boolean;
}

/** Why nothing of a work counts as missing that is not there; undefined: it is there. */
export async function awayFolderOf(
  sql: Queryable,
  { libraryId, itemId }: { libraryId: string; itemId: string },
): Promise<AwayFolder | undefined> {
  const [folder] = await sql<AwayFolder[]>`
    select r.path, r.removed_at is not null as "isRemoved"
    from files f join directories d on d.id = f.directory_id
      join library_roots r on r.id = d.root_id
    where f.library_id = ${libraryId} and f.item_id = ${itemId}
      and (r.removed_at is not null or r.unavailable_since is not null)
    order by 2, 1 limit 1`;
  return folder;
}

/** Deletes what is missing of a work; resolves to how much. */
export async function deleteMissingOf(
  tx: Tx,
  { libraryId, itemId }: { libraryId: string; itemId: string },
): Promise<number> {
  const rows = await tx`
    delete from files where id in (
      select f.id ${missing(tx, libraryId)} and f.item_id = ${itemId} for update of f)
    returning id`;
  return rows.length;
}
