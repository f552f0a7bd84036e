import type { Queryable } from '#storage/postgres/connect.ts';

/** One thing a library could not take in; `stage`, `id` and `ordinal` are its place in the list. */
export interface ProblemRow {
  readonly stage: number;
  readonly id: string;
  readonly ordinal: number;
  readonly type: 'root' | 'directory' | 'name' | 'file' | 'claim';
  readonly rootPath: string;
  /** Relative to the root. */
  readonly path: string;
  readonly reason: string;
  readonly fileId: string | null;
  readonly itemId: string | null;
}

/** The place of a problem in the list. */
export type ProblemPlace = Pick<ProblemRow, 'stage' | 'id' | 'ordinal'>;

const first: ProblemPlace = { stage: 0, id: '00000000-0000-0000-0000-000000000000', ordinal: 0 };

/** One that could be looked into: what else cannot be done with others goes without saying. */
const isMeasured = (sql: Queryable, libraryId: string) => sql`
  f.library_id = ${libraryId} and r.removed_at is null and f.probe_state = 'done'
    and f.missing_since is null`;

/** Files of which a measure cannot be taken. */
export const unmeasured = (sql: Queryable, libraryId: string) => sql`
  select 6, f.id, 0, 'file', r.path, f.path, 'keyframes: ' || k.error, f.id, f.item_id
  from file_keyframes k join files f on f.id = k.file_id join library_roots r on r.id = f.root_id
  where k.error is not null and ${isMeasured(sql, libraryId)}
    and k.size_bytes = f.size_bytes and k.mtime_ms = f.mtime_ms
  union all
  select 7, f.id, 0, 'file', r.path, f.path, 'loudness: ' || m.error, f.id, f.item_id
  from file_loudness m join files f on f.id = m.file_id join library_roots r on r.id = f.root_id
  where m.error is not null and m.retry_at is null and ${isMeasured(sql, libraryId)}
    and m.size_bytes = f.size_bytes and m.mtime_ms = f.mtime_ms`;

const all = (sql: Queryable, libraryId: string) => sql`
  select 1 as stage, r.id, 0 as ordinal, 'root' as type, r.path as "rootPath", '' as path,
    coalesce(r.unavailable_reason, '') as reason, null::uuid as "fileId", null::uuid as "itemId"
  from library_roots r
  where r.library_id = ${libraryId} and r.removed_at is null and r.unavailable_since is not null
  union all
  select 2, d.id, 0, 'directory', r.path, d.path, d.error, null, null
  from library_roots r join directories d on d.root_id = r.id
  where r.library_id = ${libraryId} and r.removed_at is null and d.error is not null
  union all
  select 3, d.id, refused.ordinal::integer, 'name', r.path,
    case when d.path = '' then '' else d.path || '/' end || (refused.value ->> 'name'),
    refused.value ->> 'reason', null, null
  from library_roots r join directories d on d.root_id = r.id
  cross join lateral jsonb_array_elements(d.refused) with ordinality as refused (value, ordinal)
  where r.library_id = ${libraryId} and r.removed_at is null and d.refused is not null
  union all
  select 4, f.id, 0, 'file', r.path, f.path, coalesce(f.probe_error, ''), f.id, f.item_id
  from files f join library_roots r on r.id = f.root_id
  where f.library_id = ${libraryId} and r.removed_at is null and f.probe_state = 'failed'
    and f.missing_since is null
  union all
  select 5, c.id, 0, 'claim', r.path, substr(c.path, length(rtrim(r.path, '/')) + 2), c.reason,
    null, null
  from library_roots r join ${claims(sql)} as c on starts_with(c.path, rtrim(r.path, '/') || '/')
  where r.library_id = ${libraryId} and r.removed_at is null
  union all ${unmeasured(sql, libraryId)}`;

/** A table of the folders, absolute, of which several servers say what lies there. */
export const claims = (sql: Queryable): ReturnType<Queryable> => sql`(
  select md5(concat_ws(' ', o.source, o.server, o.path))::uuid as id, o.path,
    format('two servers say what lies here: %s (%s), which said so first and is believed, '
      'and %s (%s)', a.server, a.title, o.server, o.title) as reason
  from arr_rivals o join arr_works a on a.source = o.source and a.path = o.path)`;

/**
 * One page of what a library could not take in: folders first, then directories, names, files, then
 * folders of which two servers speak.
 */
export async function problemPage(
  sql: Queryable,
  libraryId: string,
  page: { after: ProblemPlace | undefined; offset: number; limit: number },
): Promise<ProblemRow[]> {
  const after = page.after ?? first;
  return sql<ProblemRow[]>`
    select * from (${all(sql, libraryId)}) as problems
    where (stage, id, ordinal) > (${after.stage}::integer, ${after.id}::uuid,
      ${after.ordinal}::integer)
    order by stage, id, ordinal
    limit ${page.limit} offset ${page.offset}`;
}

/** How many things a library could not take in. */
export async function countProblems(sql: Queryable, libraryId: string): Promise<number> {
  const [row] = await sql<[{ count: number }]>`
    select count(*) from (${all(sql, libraryId)}) as problems`;
  return row.count;
}
