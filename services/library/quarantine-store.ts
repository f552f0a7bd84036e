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
    where library_id = ${libraryId} and item_id = ${itemId} and missing_since is not null
    returning id`;
  return rows.length;
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
