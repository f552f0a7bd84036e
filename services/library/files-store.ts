import type { Queryable, Tx } from '#storage/postgres/connect.ts';
import { isProbed, type KnownFile, type SeenFile } from './model.ts';

/** The columns of a KnownFile, from `files f`. */
export const fileColumns = (sql: Queryable) => sql`
  f.id, f.root_id as "rootId", f.directory_id as "directoryId", f.path, f.name, f.role,
  f.size_bytes as "sizeBytes", f.mtime_ms as "mtimeMs", f.inode, f.device, f.oshash,
  f.item_id as "itemId", f.missing_since as "missingSince"`;

/** All rows of some directories, the missing ones too. */
export async function knownFiles(
  sql: Queryable,
  directoryIds: readonly string[],
): Promise<KnownFile[]> {
  return sql<KnownFile[]>`
    select ${fileColumns(sql)} from files f where f.directory_id = any (${directoryIds}::uuid[])`;
}

const asRecord = (seen: SeenFile) => ({
  root_id: seen.rootId,
  directory_id: seen.directoryId,
  path: seen.path,
  name: seen.name,
  role: seen.role,
  size_bytes: seen.sizeBytes,
  mtime_ms: seen.mtimeMs,
  inode: seen.inode,
  device: seen.device,
  probe_state: isProbed(seen.role) ? 'due' : 'none',
});

/** Those of some directories of a root in which, or below which, files are on record as present. */
export async function holdingFiles(
  sql: Queryable,
  rootId: string,
  paths: readonly string[],
): Promise<string[]> {
  const rows = await sql<{ path: string }[]>`
    select wanted.path from unnest(${paths}::text[]) as wanted (path)
    where exists (
      select from directories d join files f on f.directory_id = d.id
      where d.root_id = ${rootId} and f.missing_since is null
        and (d.path = wanted.path or starts_with(d.path, wanted.path || '/')))`;
  return rows.map(({ path }) => path);
}

/** Records files that are new. */
export async function insertFiles(
  tx: Tx,
  libraryId: string,
  files: readonly SeenFile[],
): Promise<void> {
  await tx`
    insert into files (library_id, root_id, directory_id, path, name, role, size_bytes, mtime_ms,
      inode, device, probe_state)
    select ${libraryId}::uuid, r.*
    from jsonb_to_recordset(${tx.json(files.map(asRecord))}) as r (
      root_id uuid, directory_id uuid, path text, name text, role text, size_bytes bigint,
      mtime_ms double precision, inode text, device text, probe_state text)`;
}

/** A row that stays at its place, and what was seen there. */
export interface FileUpdate {
  readonly row: KnownFile;
  readonly seen: SeenFile;
  /** What a probe or hash told of it no longer holds. */
  readonly isNewContent: boolean;
}

/** Makes rows say what was seen at their places, and that they are there. */
export async function updateFiles(tx: Tx, updates: readonly FileUpdate[]): Promise<void> {
  const records = updates.map(({ row, seen, isNewContent }) => ({
    ...asRecord(seen),
    id: row.id,
    is_new: isNewContent || (isProbed(seen.role) && !isProbed(row.role)),
  }));
  await tx`
    update files f set
      role = r.role, size_bytes = r.size_bytes, mtime_ms = r.mtime_ms, inode = r.inode,
      device = r.device, missing_since = null, updated_at = now(),
      is_refresh_due = f.is_refresh_due or r.is_new or f.missing_since is not null,
      oshash = case when r.is_new then null else f.oshash end,
      probe_state = case
        when r.is_new or r.probe_state = 'none' then r.probe_state else f.probe_state end,
      probe_error = case when r.is_new then null else f.probe_error end,
      probe_queued_at = case when r.is_new then null else f.probe_queued_at end
    from jsonb_to_recordset(${tx.json(records)}) as r (id uuid, role text, size_bytes bigint,
      mtime_ms double precision, inode text, device text, probe_state text, is_new boolean)
    where f.id = r.id`;
}

/** Marks files missing: at their places they were looked for and not found. */
export async function markMissing(tx: Tx, ids: readonly string[]): Promise<void> {
  await tx`
    update files set missing_since = now(), updated_at = now(), is_refresh_due = true
    where id = any (${ids}::uuid[]) and missing_since is null`;
}

/** Lets rows go from their places, so that they can follow their files to others. */
export async function detachFiles(tx: Tx, ids: readonly string[]): Promise<void> {
  await tx`
    update files set missing_since = now()
    where id = any (${ids}::uuid[]) and missing_since is null`;
}

/**
 * Gives the files that stand at the (detached) rows' places rows of their own, as if just found;
 * resolves to the directories they are in.
 */
export async function splitFiles(tx: Tx, ids: readonly string[]): Promise<string[]> {
  const rows = await tx<{ directoryId: string }[]>`
    insert into files (library_id, root_id, directory_id, path, name, role, size_bytes, mtime_ms,
      inode, device, probe_state)
    select library_id, root_id, directory_id, path, name, role, size_bytes, mtime_ms, inode, device,
      case probe_state when 'none' then 'none' else 'due' end
    from files where id = any (${ids}::uuid[])
    returning directory_id as "directoryId"`;
  return rows.map(({ directoryId }) => directoryId);
}

/** Moves rows to where their files are now; resolves to how many rows there still were. */
export async function moveFiles(
  tx: Tx,
  moves: readonly { row: KnownFile; seen: SeenFile }[],
): Promise<number> {
  const records = moves.map(({ row, seen }) => ({ ...asRecord(seen), id: row.id }));
  const result = await tx`
    update files f set
      root_id = r.root_id, directory_id = r.directory_id, path = r.path, name = r.name,
      role = r.role, mtime_ms = r.mtime_ms, inode = r.inode, device = r.device,
      size_bytes = r.size_bytes, missing_since = null, updated_at = now(), is_refresh_due = true,
      probe_state = case
        when r.probe_state = 'none' or f.probe_state = 'none' then r.probe_state
        when f.size_bytes <> r.size_bytes then 'due'
        else f.probe_state end,
      probe_queued_at = case when f.probe_state = 'done' then f.probe_queued_at end
    from jsonb_to_recordset(${tx.json(records)}) as r (id uuid, root_id uuid, directory_id uuid,
      path text, name text, role text, size_bytes bigint, mtime_ms double precision, inode text,
      device text, probe_state text)
    where f.id = r.id`;
  return result.count;
}

/** Notes what rows were before another file took their places; the first note of a scan stays. */
export async function traceFiles(
  tx: Tx,
  libraryId: string,
  rows: readonly KnownFile[],
): Promise<void> {
  const records = rows.map(({ id, inode, device, sizeBytes, mtimeMs }) => ({
    id,
    inode,
    device,
    size_bytes: sizeBytes,
    mtime_ms: mtimeMs,
  }));
  await tx`
    insert into file_traces (file_id, library_id, inode, device, size_bytes, mtime_ms)
    select r.id, ${libraryId}::uuid, r.inode, r.device, r.size_bytes, r.mtime_ms
    from jsonb_to_recordset(${tx.json(records)}) as r (id uuid, inode text, device text,
      size_bytes bigint, mtime_ms double precision)
    on conflict (file_id) do nothing`;
}
