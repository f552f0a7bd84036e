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

/** Rows of a library with the inode and size of one of the files given. */
export async function candidatesByInode(
  sql: Queryable,
  libraryId: string,
  files: readonly Identity[],
): Promise<Candidate[]> {
  const rows = await sql<CandidateRow[]>`
    select ${fileColumns(sql)}, false as "isTrace", d.gone_since is not null as "isDirectoryGone"
    from unnest(${files.map(({ inode }) => inode)}::text[], ${files.map(sizeOf)}::bigint[])
      as seen (inode, size_bytes)
    join files f on f.inode = seen.inode collate "C" and f.size_bytes = seen.size_bytes
    join directories d on d.id = f.directory_id
    where f.library_id = ${libraryId}
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
    from unnest(${files.map(({ inode }) => inode)}::text[], ${files.map(sizeOf)}::bigint[])
      as seen (inode, size_bytes)
    join file_traces t on t.inode = seen.inode collate "C" and t.size_bytes = seen.size_bytes
    join files f on f.id = t.file_id
    where t.library_id = ${libraryId}
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
