import type { Queryable, Tx } from '#storage/postgres/connect.ts';
import type { Failure } from './failure.ts';
import { targetColumns, type Target, type Version } from './targets.ts';

/** Notes that the keyframes of some files are to be read: they are new, or others than before. */
export async function noteDue(tx: Tx, fileIds: readonly string[]): Promise<void> {
  if (fileIds.length === 0) return;
  await tx`
    insert into file_keyframes as k (file_id) select unnest(${fileIds as string[]}::uuid[])
    on conflict (file_id) do update set is_due = true, due_at = now(), tries = 0`;
}

const isVideo = (sql: Queryable) => sql`
  f.role in ('video', 'extra') and f.probe_state = 'done' and f.missing_since is null`;

/** Notes files that nobody has noted; resolves to how many there were. */
export async function noteForgotten(sql: Queryable): Promise<number> {
  const noted = await sql`
    insert into file_keyframes as k (file_id)
    select f.id from files f left join file_keyframes n on n.file_id = f.id
    where ${isVideo(sql)} and (n.file_id is null or
      (not n.is_due and (n.size_bytes, n.mtime_ms) is distinct from (f.size_bytes, f.mtime_ms)))
    on conflict (file_id) do update set is_due = true, due_at = now(), tries = 0`;
  return noted.count;
}

/** The next files whose keyframes are to be read and that can be reached. */
export async function dueKeyframes(sql: Queryable, limit: number): Promise<Target[]> {
  return sql<Target[]>`
    select ${targetColumns(sql)}, k.tries
    from file_keyframes k
    join files f on f.id = k.file_id
    join libraries l on l.id = f.library_id
    join library_roots r on r.id = f.root_id
    where k.is_due and k.due_at <= now() and ${isVideo(sql)}
      and r.removed_at is null and r.unavailable_since is null
    order by k.due_at, k.file_id limit ${limit}`;
}

/** What is known of a file's keyframes: packed times, none, or that they are still to be read. */
export interface KnownKeyframes extends Target {
  readonly isRead: boolean;
  readonly times: Uint8Array | null;
}

/** A video with its keyframes, as far as they are known; undefined when there is none of this id. */
export async function findKeyframes(
  sql: Queryable,
  fileId: string,
): Promise<KnownKeyframes | undefined> {
  const [row] = await sql<KnownKeyframes[]>`
    select ${targetColumns(sql)}, coalesce(k.tries, 0) as tries, k.times,
      k.file_id is not null as "isRead"
    from files f
    join libraries l on l.id = f.library_id
    join library_roots r on r.id = f.root_id and r.removed_at is null
    left join file_keyframes k on k.file_id = f.id
      and k.size_bytes = f.size_bytes and k.mtime_ms = f.mtime_ms
    where f.id = ${fileId} and f.role in ('video', 'extra') and f.missing_since is null`;
  return row;
}

/**
 * Keeps keyframes with the version of the file they were read from. If that is not the one on
 * record, a scan has yet to see it: they stay due, and are looked at again later.
 */
export async function saveKeyframes(
  sql: Queryable,
  fileId: string,
  { times, sizeBytes, mtimeMs }: Version & { readonly times: Uint8Array },
): Promise<void> {
  await sql`
    insert into file_keyframes as k (file_id, size_bytes, mtime_ms, times, is_due, due_at)
    select f.id, ${sizeBytes}, ${mtimeMs}, ${Buffer.from(times)},
      (f.size_bytes, f.mtime_ms) is distinct from (${sizeBytes}::int8, ${mtimeMs}::float8),
      now() + interval '15 min'
    from files f where f.id = ${fileId}
    on conflict (file_id) do update set size_bytes = excluded.size_bytes,
      mtime_ms = excluded.mtime_ms, times = excluded.times, is_due = excluded.is_due,
      due_at = excluded.due_at, error = null, tries = 0`;
}

/** Keeps why they cannot be read from this file. */
export async function refuseKeyframes(
  sql: Queryable,
  { id, sizeBytes, mtimeMs }: Target,
  { error, tries }: Failure,
): Promise<void> {
  await sql`
    insert into file_keyframes (file_id, size_bytes, mtime_ms, error, is_due, tries)
    select id, ${sizeBytes}, ${mtimeMs}, ${error}, false, ${tries} from files where id = ${id}
    on conflict (file_id) do update set size_bytes = excluded.size_bytes,
      mtime_ms = excluded.mtime_ms, times = null, error = excluded.error, is_due = false,
      tries = excluded.tries`;
}

/** Puts a file off for which this was not the moment. */
export async function postponeKeyframes(
  sql: Queryable,
  { id }: Target,
  { retryMs, tries }: { readonly retryMs: number; readonly tries: number },
): Promise<void> {
  await sql`
    update file_keyframes set due_at = now() + ${retryMs} * interval '1 ms', tries = ${tries}
    where file_id = ${id} and is_due`;
}
