import type { StreamLoudness } from '#storage/media/media.ts';
import type { Queryable } from '#storage/postgres/connect.ts';
import type { Failure } from './failure.ts';
import { targetColumns, type Target, type Version } from './targets.ts';

/** The next files to measure, of libraries that ask for it (`loudness`), and that can be reached. */
export async function dueLoudness(sql: Queryable, limit: number): Promise<Target[]> {
  return sql<Target[]>`
    select ${targetColumns(sql)}, coalesce(m.tries, 0) as tries
    from libraries l
    join files f on f.library_id = l.id
    join library_roots r on r.id = f.root_id
    left join file_loudness m on m.file_id = f.id
    where l.options @> '{"loudness": true}'
      and f.role = 'video' and f.probe_state = 'done' and f.missing_since is null
      and r.removed_at is null and r.unavailable_since is null
      and (m.file_id is null or m.retry_at <= now() or m.retry_at is null)
      and (m.streams is null and m.retry_at is not null or
        (m.size_bytes, m.mtime_ms) is distinct from (f.size_bytes, f.mtime_ms))
    order by f.id limit ${limit}`;
}

/**
 * Keeps how loud a file is, with the version of it that was measured. If that is not the one on
 * record, a scan has yet to see it, and it is looked at again later.
 */
export async function saveLoudness(
  sql: Queryable,
  fileId: string,
  { streams, sizeBytes, mtimeMs }: Version & { readonly streams: readonly StreamLoudness[] },
): Promise<void> {
  await sql`
    insert into file_loudness (file_id, size_bytes, mtime_ms, streams, retry_at)
    select id, ${sizeBytes}, ${mtimeMs}, ${sql.json(streams as never)},
      case when (size_bytes, mtime_ms) is distinct from (${sizeBytes}::int8, ${mtimeMs}::float8)
        then now() + interval '15 min' end
    from files where id = ${fileId}
    on conflict (file_id) do update set size_bytes = excluded.size_bytes,
      mtime_ms = excluded.mtime_ms, streams = excluded.streams, error = null,
      retry_at = excluded.retry_at, tries = 0`;
}

/** Keeps why it is not measured, and when that is tried again, if ever. */
export async function failLoudness(
  sql: Queryable,
  { id, sizeBytes, mtimeMs }: Target,
  { error, retryMs, tries }: Failure,
): Promise<void> {
  await sql`
    insert into file_loudness (file_id, size_bytes, mtime_ms, error, retry_at, tries)
    select id, ${sizeBytes}, ${mtimeMs}, ${error},
      now() + ${retryMs ?? null}::float8 * interval '1 ms', ${tries}
    from files where id = ${id}
    on conflict (file_id) do update set size_bytes = excluded.size_bytes,
      mtime_ms = excluded.mtime_ms, streams = null, error = excluded.error,
      retry_at = excluded.retry_at, tries = excluded.tries`;
}
