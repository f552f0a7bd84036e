import type { Queryable, Tx } from '#storage/postgres/connect.ts';

/** What vanished of a library. */
export interface Vanished {
  /** Files that are missing, in folders that are there. */
  readonly files: number;
  /** Of these, those that nobody has confirmed to be gone for good. */
  readonly unconfirmed: number;
  /** All files on record in folders that are there, the missing ones included. */
  readonly known: number;
  /** When the first of the unconfirmed went. */
  readonly since: Date | null;
  readonly confirmedAt: Date | null;
}

/** Counts what vanished of a library. */
export async function vanishedOf(sql: Queryable, libraryId: string): Promise<Vanished> {
  const [row] = await sql<[Vanished]>`
    with l as (
      select id, vanished_confirmed_at as at from libraries where id = ${libraryId}
    ), f as (
      select f.missing_since,
        f.missing_since is not null and (l.at is null or f.missing_since > l.at) as unconfirmed
      from l join library_roots r on r.library_id = l.id and r.removed_at is null
          and r.unavailable_since is null
        join directories d on d.root_id = r.id
        join files f on f.directory_id = d.id
    )
    select count(missing_since) as files, count(*) filter (where unconfirmed) as unconfirmed,
      count(*) as known, min(missing_since) filter (where unconfirmed) as since,
      (select at from l) as "confirmedAt"
    from f`;
  return row;
}

/** Records, or takes back, that what is missing now is gone for good. */
export async function confirmVanished(
  tx: Tx,
  libraryId: string,
  isConfirmed: boolean,
): Promise<void> {
  await tx`
    update libraries set
      vanished_confirmed_at = case when ${isConfirmed}::boolean then clock_timestamp() end
    where id = ${libraryId}`;
}
