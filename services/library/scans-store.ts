import type { Queryable, Tx } from '#storage/postgres/connect.ts';
import type { Counters, Scan, ScanMode, ScanPhase, ScanState } from './model.ts';

const columns = (sql: Queryable) => sql`
  s.id, s.library_id as "libraryId", s.mode, s.state, s.phase, s.epoch, s.counters,
  s.ignored_by as "ignoredBy", s.error,
  s.requested_by as "requestedBy", s.created_at as "createdAt", s.started_at as "startedAt",
  s.finished_at as "finishedAt"`;

/** A scan by its id. */
export async function findScan(sql: Queryable, id: string): Promise<Scan | undefined> {
  const [row] = await sql<Scan[]>`select ${columns(sql)} from library_scans s where s.id = ${id}`;
  return row;
}

/** The scan of a library that waits or runs. */
export async function activeScan(sql: Queryable, libraryId: string): Promise<Scan | undefined> {
  const [row] = await sql<Scan[]>`
    select ${columns(sql)} from library_scans s
    where s.library_id = ${libraryId} and s.state in ('queued', 'running')`;
  return row;
}

/** All scans that wait or run. */
export async function activeScans(sql: Queryable): Promise<Scan[]> {
  return sql<Scan[]>`
    select ${columns(sql)} from library_scans s
    where s.state in ('queued', 'running') order by s.id`;
}

/** The latest scan of each of the libraries given. */
export async function latestScans(
  sql: Queryable,
  libraryIds: readonly string[],
): Promise<Map<string, Scan>> {
  const rows = await sql<Scan[]>`
    select latest.* from unnest(${libraryIds}::uuid[]) as l (id)
    cross join lateral (
      select ${columns(sql)} from library_scans s
      where s.library_id = l.id order by s.id desc limit 1
    ) latest`;
  return new Map(rows.map((row) => [row.libraryId, row]));
}

/** One page of a library's scans, the latest first. */
export async function scanPage(
  sql: Queryable,
  page: { libraryId: string; before: string | undefined; offset: number; limit: number },
): Promise<Scan[]> {
  return sql<Scan[]>`
    select ${columns(sql)} from library_scans s
    where s.library_id = ${page.libraryId} and (${page.before ?? null}::uuid is null
      or s.id < ${page.before ?? null}::uuid)
    order by s.id desc limit ${page.limit} offset ${page.offset}`;
}

/** How many scans a library has on record. */
export async function countScans(sql: Queryable, libraryId: string): Promise<number> {
  const [row] = await sql<[{ count: number }]>`
    select count(*) from library_scans where library_id = ${libraryId}`;
  return row.count;
}

/** Makes a scan; undefined when the library has an active one (or is no more). */
export async function insertScan(
  tx: Tx,
  scan: { libraryId: string; mode: ScanMode; requestedBy: string | undefined },
): Promise<Scan | undefined> {
  const [row] = await tx<Scan[]>`
    insert into library_scans as s (library_id, mode, state, requested_by)
    select l.id, ${scan.mode}, 'queued', ${scan.requestedBy ?? null}
    from libraries l where l.id = ${scan.libraryId}
    on conflict (library_id) where state in ('queued', 'running') do nothing
    returning ${columns(tx)}`;
  return row;
}

/**
 * Takes a scan over for a new run; undefined when it has ended. Waits for the transactions of a run
 * that still goes on, and shuts it out.
 */
export async function takeOver(tx: Tx, id: string): Promise<Scan | undefined> {
  await tx`select from library_scans where id = ${id} for update`;
  const [row] = await tx<Scan[]>`
    update library_scans s set
      state = 'running', epoch = epoch + 1, started_at = coalesce(started_at, now())
    where s.id = ${id} and s.state in ('queued', 'running')
    returning ${columns(tx)}`;
  return row;
}

/** False when the scan was ended, or taken over by another run, since `epoch` began. */
export async function holds(tx: Tx, id: string, epoch: number): Promise<boolean> {
  const rows = await tx`
    select from library_scans
    where id = ${id} and epoch = ${epoch} and state = 'running' for key share`;
  return rows.count === 1;
}

/** Adds to a scan's counters. */
export async function raiseCounters(
  tx: Tx,
  id: string,
  by: Partial<Counters>,
): Promise<Partial<Counters>> {
  const [row] = await tx<{ counters: Partial<Counters> }[]>`
    update library_scans s set counters = s.counters || (
      select coalesce(jsonb_object_agg(
        r.key, coalesce((s.counters ->> r.key)::bigint, 0) + r.value::bigint), '{}')
      from jsonb_each_text(${tx.json(by)}) as r)
    where s.id = ${id}
    returning s.counters`;
  return row?.counters ?? {};
}

/** Says by which files entries are left out. */
export async function setIgnoredBy(
  tx: Tx,
  id: string,
  ignoredBy: Scan['ignoredBy'],
): Promise<void> {
  await tx`
    update library_scans set ignored_by = ${tx.json(ignoredBy)} where id = ${id}`;
}

/** Says which phase a scan is in. */
export async function setPhase(tx: Tx, id: string, phase: ScanPhase): Promise<void> {
  await tx`update library_scans set phase = ${phase} where id = ${id}`;
}

/** Ends a scan; undefined when it had ended before. */
export async function endScan(
  tx: Tx,
  id: string,
  end: { state: Exclude<ScanState, 'queued' | 'running'>; error?: string },
): Promise<Scan | undefined> {
  const [row] = await tx<Scan[]>`
    update library_scans s set
      state = ${end.state}, error = ${end.error ?? null}, finished_at = now(),
      phase = case when ${end.state} = 'completed' then 'done' else s.phase end
    where s.id = ${id} and s.state in ('queued', 'running')
    returning ${columns(tx)}`;
  return row;
}

/** Forgets the scans of every library but its latest `keep`. */
export async function pruneScans(sql: Queryable, keep: number): Promise<void> {
  await sql`
    delete from library_scans where id in (
      select id from (
        select id, row_number() over (partition by library_id order by id desc) as place
        from library_scans where state not in ('queued', 'running')
      ) ranked where place > ${keep})`;
}
