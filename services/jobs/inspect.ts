import type { Queryable } from '#storage/postgres/connect.ts';
import { channel } from './enqueue.ts';
import type { QueueName } from './job.ts';

/** What the API calls a job's state: a waiting job whose time has not come is scheduled. */
export type JobState = 'waiting' | 'scheduled' | 'running' | 'completed' | 'cancelled' | 'dead';

/** A job as the table has it. */
export interface JobRow {
  readonly id: string;
  readonly name: string;
  readonly queue: string;
  readonly state: JobState;
  readonly priority: number;
  readonly key: string | null;
  readonly payload: Record<string, unknown>;
  readonly attempt: number;
  readonly attempts: number;
  readonly timeoutMs: number;
  readonly runAt: Date;
  readonly createdAt: Date;
  readonly startedAt: Date | null;
  readonly finishedAt: Date | null;
  readonly nodeId: string | null;
  readonly cancelRequested: boolean;
  readonly done: number | null;
  readonly total: number | null;
  readonly note: string | null;
  readonly errors: readonly { attempt: number; at: string; message: string }[];
}

/** Which jobs a list shows. */
export interface JobFilter {
  readonly queue: string | undefined;
  readonly state: JobState | undefined;
  readonly name: string | undefined;
}

/** Which part of a list: the jobs after `afterId`, or from `offset` on. */
export interface JobPage {
  readonly afterId: string | undefined;
  readonly offset: number;
  readonly limit: number;
}

const columns = (sql: Queryable) => sql`
  id, name, queue, priority, key, payload, attempt, attempts, timeout_ms as "timeoutMs",
  case when state = 'waiting' and run_at > now() then 'scheduled' else state end as state,
  run_at as "runAt", created_at as "createdAt", started_at as "startedAt",
  finished_at as "finishedAt", node_id as "nodeId", cancel_requested as "cancelRequested",
  progress_done as done, progress_total as total, progress_note as note, errors`;

function matching(sql: Queryable, { queue, state, name }: JobFilter) {
  const inState =
    state === undefined
      ? sql``
      : state === 'scheduled'
        ? sql`and state = 'waiting' and run_at > now()`
        : state === 'waiting'
          ? sql`and state = 'waiting' and run_at <= now()`
          : sql`and state = ${state}`;
  return sql`true
    ${queue === undefined ? sql`` : sql`and queue = ${queue}`}
    ${name === undefined ? sql`` : sql`and name = ${name}`} ${inState}`;
}

/** Jobs, the newest first. */
export async function listJobs(
  sql: Queryable,
  filter: JobFilter,
  page: JobPage,
): Promise<JobRow[]> {
  return sql<JobRow[]>`
    select ${columns(sql)} from shared.jobs
    where ${matching(sql, filter)}
      ${page.afterId === undefined ? sql`` : sql`and id < ${page.afterId}`}
    order by id desc limit ${page.limit} offset ${page.offset}`;
}

/** How many jobs a filter finds. */
export async function countJobs(sql: Queryable, filter: JobFilter): Promise<number> {
  const [row] = await sql<{ count: number }[]>`
    select count(*) from shared.jobs where ${matching(sql, filter)}`;
  return row?.count ?? 0;
}

/** One job, or undefined. */
export async function readJob(sql: Queryable, id: string): Promise<JobRow | undefined> {
  const [row] = await sql<JobRow[]>`select ${columns(sql)} from shared.jobs where id = ${id}`;
  return row;
}

/**
 * Cancels a job that waits, at once; asks the worker of one that runs to stop it. Resolves to
 * false when the job is over already, or is not there.
 */
export async function cancelJob(sql: Queryable, id: string): Promise<boolean> {
  const rows = await sql`
    with changed as (
      update shared.jobs set
        cancel_requested = true,
        state = case state when 'waiting' then 'cancelled' else state end,
        finished_at = case state when 'waiting' then now() end
      where id = ${id} and state in ('waiting', 'running')
      returning id, state
    ), told as (
      select pg_notify(${channel}, 'cancel:' || id) from changed where state = 'running'
    )
    select id from changed where (select count(*) from told) >= 0`;
  return rows.length > 0;
}

/**
 * Sends a job that is over, or rests between tries, to the head of its queue with all its tries
 * before it. Resolves to its queue; undefined when it runs or is not there. Throws PostgreSQL's
 * unique violation while another job holds its key.
 */
export async function retryJob(sql: Queryable, id: string): Promise<QueueName | undefined> {
  const [row] = await sql<{ queue: QueueName }[]>`
    with changed as (
      update shared.jobs set state = 'waiting', attempt = 0, rescues = 0, run_at = now(),
        finished_at = null, cancel_requested = false
      where id = ${id} and state <> 'running'
      returning queue
    ), told as (
      select pg_notify(${channel}, 'add:' || queue) from changed
    )
    select queue from changed where (select count(*) from told) >= 0`;
  return row?.queue;
}

/** Deletes a job that is over; resolves to whether there was one. */
export async function deleteJob(sql: Queryable, id: string): Promise<boolean> {
  const rows = await sql`
    delete from shared.jobs
    where id = ${id} and state in ('completed', 'cancelled', 'dead') returning 1`;
  return rows.length > 0;
}

const retryMax = 10_000;

/**
 * Gives the dead (all, or of a queue or kind; 10,000 at most) their tries again. Of several with
 * one key the latest is taken, and none while a living job holds the key. Resolves to how many.
 */
export async function retryDead(sql: Queryable, filter: Omit<JobFilter, 'state'>): Promise<number> {
  const [row] = await sql<{ count: number }[]>`
    with picked as (
      select distinct on (name, coalesce(key, id::text)) id from shared.jobs
      where ${matching(sql, { ...filter, state: 'dead' })}
        and not exists (
          select from shared.jobs living
          where living.name = jobs.name and living.key = jobs.key
            and living.state in ('waiting', 'running')
        )
      order by name, coalesce(key, id::text), id desc
      limit ${retryMax}
    ), changed as (
      update shared.jobs set state = 'waiting', attempt = 0, rescues = 0, run_at = now(),
        finished_at = null, cancel_requested = false
      where id in (select id from picked) and state = 'dead'
      returning queue
    ), told as (
      select pg_notify(${channel}, 'add:' || queue) from (select distinct queue from changed) q
    )
    select count(*) from changed where (select count(*) from told) >= 0`;
  return row?.count ?? 0;
}

/** Jobs per queue and state, of those that are not over, and the dead. */
export interface Depth {
  readonly queue: string;
  readonly waiting: number;
  readonly scheduled: number;
  readonly running: number;
  readonly dead: number;
  /** How long the job that is due for longest has been waiting; 0 when none is due. */
  readonly oldestWaitMs: number;
}

/** Counts what waits, runs and is dead; what is over and well is not counted. */
export async function readDepths(sql: Queryable): Promise<Depth[]> {
  return sql<Depth[]>`
    select queue,
      count(*) filter (where state = 'waiting' and run_at <= now()) as waiting,
      count(*) filter (where state = 'waiting' and run_at > now()) as scheduled,
      count(*) filter (where state = 'running') as running,
      count(*) filter (where state = 'dead') as dead,
      greatest(0, coalesce(extract(epoch from
        now() - min(run_at) filter (where state = 'waiting')) * 1000, 0))::float8 as "oldestWaitMs"
    from shared.jobs where state in ('waiting', 'running', 'dead')
    group by queue`;
}
