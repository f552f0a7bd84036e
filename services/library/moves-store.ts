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
 * A file may have any number of names (hard links), each with a row; more than this many for one
 * are not looked at, or every arrival among n names would be compared with n rows.
 */
const namesMax = 64;

/**
 * Rows of a library with the inode and size of one of the files given: of each, at most `namesMax`,
 * and those first that are known to have left their place.
 */
export async function candidatesByInode(
  sql: Queryable,
  libraryId: string,
  files: readonly Identity[],
): Promise<Candidate[]> {
  const rows = await sql<CandidateRow[]>`
    select ${fileColumns(sql)}, false as "isTrace", d.gone_since is not null as "isDirectoryGone"
    from (
      select distinct inode collate "C" as inode, size_bytes
      from unnest(${files.map(({ inode }) => inode)}::text[], ${files.map(sizeOf)}::bigint[])
        as seen (inode, size_bytes)
    ) as seen
    cross join lateral (
      select f.id from files f join directories d on d.id = f.directory_id
      where f.library_id = ${libraryId} and f.inode = seen.inode and f.size_bytes = seen.size_bytes
      order by f.missing_since is null and d.gone_since is null, f.id
      limit ${namesMax}
    ) as likely
    join files f on f.id = likely.id
    join directories d on d.id = f.directory_id
    order by f.id`;
  return rows.map(toCandidate);
}

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
    from (
      select distinct inode collate "C" as inode, size_bytes
      from unnest(${files.map(({ inode }) => inode)}::text[], ${files.map(sizeOf)}::bigint[])
        as seen (inode, size_bytes)
    ) as seen
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
