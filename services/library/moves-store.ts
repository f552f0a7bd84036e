import type { Queryable } from '#storage/postgres/connect.ts';
import type { KnownFile } from './model.ts';
import { fileColumns } from './files-store.ts';

/** A row that may be what an arrival was before, with what identified it there. */
export interface Candidate {
  readonly row: KnownFile;
  /** The identity it had before this scan found another file in its place. */
  readonly isTrace: boolean;
  /** Its directory was seen to be gone. */
  readonly isDirectoryGone: boolean;
}

interface CandidateRow extends KnownFile {
  readonly isTrace: boolean;
  readonly isDirectoryGone: boolean;
}

const toCandidate = ({ isTrace, isDirectoryGone, ...row }: CandidateRow): Candidate => ({
  row,
  isTrace,
  isDirectoryGone,
});

interface Identity {
  readonly inode: string;
  readonly sizeBytes: number;
}

/**
 * A file may have any number of names (hard links), each with a row. With this many of one, only
 * those are looked at that are known to have left their place: or every arrival among n names would
 * be compared with n rows, and the disk be asked for each.
 */
const namesMax = 16;

/** Rows of a library with the inode and size of one of the files given; see `namesMax`. */
export async function candidatesByInode(
  sql: Queryable,
  libraryId: string,
  files: readonly Identity[],
): Promise<Candidate[]> {
  const found = await sql<{ id: string; inode: string; sizeBytes: number }[]>`
    select likely.id, seen.inode, seen.size_bytes as "sizeBytes"
    from ${distinctly(sql, files)} as seen
    cross join lateral (
      select f.id from files f
      where f.library_id = ${libraryId} and f.inode = seen.inode and f.size_bytes = seen.size_bytes
      limit ${namesMax}
    ) as likely`;
  const byFile = Map.groupBy(found, ({ inode, sizeBytes }) => `${inode} ${sizeBytes}`);
  const crowds = [...byFile.values()].filter((names) => names.length === namesMax);
  const few = [...byFile.values()].filter((names) => names.length < namesMax).flat();
  const crowded = crowds.flatMap(([first]) => first ?? []);
  const ids = [...few.map(({ id }) => id), ...(await idsOfLeft(sql, libraryId, crowded))];
  if (ids.length === 0) return [];
  const rows = await sql<CandidateRow[]>`
    select ${fileColumns(sql)}, false as "isTrace", d.gone_since is not null as "isDirectoryGone"
    from files f join directories d on d.id = f.directory_id
    where f.id = any (${ids}::uuid[])
    order by f.id`;
  return rows.map(toCandidate);
}

/** Rows of these files that are known to have left their place, as far as `namesMax` of each. */
async function idsOfLeft(
  sql: Queryable,
  libraryId: string,
  files: readonly Identity[],
): Promise<string[]> {
  if (files.length === 0) return [];
  const rows = await sql<{ id: string }[]>`
    select left_files.id
    from ${distinctly(sql, files)} as seen
    cross join lateral (
      (
        select f.id from files f
        where f.library_id = ${libraryId} and f.inode = seen.inode
          and f.size_bytes = seen.size_bytes and f.missing_since is not null
        limit ${namesMax}
      )
      union all
      (
        select f.id from library_roots r
        join directories d on d.root_id = r.id and d.gone_since is not null
        join files f on f.directory_id = d.id
        where r.library_id = ${libraryId} and f.inode = seen.inode
          and f.size_bytes = seen.size_bytes
        limit ${namesMax}
      )
    ) as left_files`;
  return rows.map(({ id }) => id);
}

const distinctly = (sql: Queryable, files: readonly Identity[]) => sql`(
  select distinct inode collate "C" as inode, size_bytes
  from unnest(${files.map(({ inode }) => inode)}::text[], ${files.map(sizeOf)}::bigint[])
    as seen (inode, size_bytes)
)`;

/** Rows that were replaced at their place in this scan, by what they were before. */
export async function candidatesByTrace(
  sql: Queryable,
  libraryId: string,
  files: readonly Identity[],
): Promise<Candidate[]> {
  const rows = await sql<CandidateRow[]>`
    select f.id, f.root_id as "rootId", f.directory_id as "directoryId", f.path, f.name, f.role,
      t.size_bytes as "sizeBytes", t.mtime_ms as "mtimeMs", t.inode, t.device,
      f.item_id as "itemId", null as oshash, f.missing_since as "missingSince",
      true as "isTrace", false as "isDirectoryGone"
    from ${distinctly(sql, files)} as seen
    cross join lateral (
      select * from file_traces t
      where t.library_id = ${libraryId} and t.inode = seen.inode
        and t.size_bytes = seen.size_bytes
      order by t.file_id
      limit ${namesMax}
    ) as t
    join files f on f.id = t.file_id
    order by f.id`;
  return rows.map(toCandidate);
}

/** Rows of a library with one of the sizes given whose content hash is known. */
export async function candidatesByHash(
  sql: Queryable,
  libraryId: string,
  sizesBytes: readonly number[],
): Promise<Candidate[]> {
  const rows = await sql<CandidateRow[]>`
    select ${fileColumns(sql)}, false as "isTrace", d.gone_since is not null as "isDirectoryGone"
    from files f
    join directories d on d.id = f.directory_id
    where f.library_id = ${libraryId} and f.oshash is not null
      and f.size_bytes = any (${sizesBytes}::bigint[])
    order by f.id
    limit 2000`;
  return rows.map(toCandidate);
}

/** Forgets what was replaced; the scan that noted it has ended. */
export async function clearTraces(sql: Queryable, libraryId: string): Promise<void> {
  await sql`delete from file_traces where library_id = ${libraryId}`;
}

const sizeOf = ({ sizeBytes }: Identity): number => sizeBytes;
