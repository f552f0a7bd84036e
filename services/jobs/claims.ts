import type { Queryable } from '#storage/postgres/connect.ts';
import type { QueueName } from './job.ts';

/** A job in the hands of this worker. `claims` names this very claim; an older one has no say. */
export interface Claimed {
  readonly id: string;
  readonly name: string;
  readonly queue: QueueName;
  readonly payload: object;
  readonly attempt: number;
  readonly attempts: number;
  readonly timeoutMs: number;
  readonly claims: number;
  readonly waitedMs: number;
}

/** Who claims: the process, and the node it runs on. */
export interface WorkerId {
  readonly nodeId: string;
  readonly workerId: string;
}

interface Wanted extends WorkerId {
  /** The kinds of job this process knows; others are left to nodes that do. */
  readonly names: readonly string[];
  readonly slots: readonly { queue: QueueName; count: number }[];
}

type ClaimedRow = Claimed & { priority: number };

/**
 * Takes due jobs, at most as many per queue as it has free slots: high priority first, then the
 * longest due. A worker that is not registered gets nothing: who does not beat does not take.
 *
 * Claims, outcomes and progress do not wait for the disk (synchronous_commit, PostgreSQL manual
 * 28.3): if PostgreSQL itself crashes within the half second until they are there, jobs run again,
 * which at-least-once allows. Adding a job is the caller's transaction and as durable as that.
 */
export async function claimDue(sql: Queryable, wanted: Wanted): Promise<Claimed[]> {
  const rows = await sql<ClaimedRow[]>`
    with wanted as (
      select queue, slots
      from unnest(
        ${wanted.slots.map(({ queue }) => queue)}::text[],
        ${wanted.slots.map(({ count }) => count)}::integer[]
      ) as w (queue, slots)
      where exists (select from shared.job_workers where worker_id = ${wanted.workerId})
        and set_config('synchronous_commit', 'off', true) is not null
    ), due as (
      select job.id, job.run_at
      from wanted, lateral (
        select id, run_at from shared.jobs
        where state = 'waiting' and queue = wanted.queue and run_at <= now()
          and name = any(${wanted.names as string[]}::text[])
        order by priority, run_at, id
        limit wanted.slots
        for update skip locked
      ) as job
    )
    update shared.jobs set
      state = 'running', attempt = attempt + 1, claims = claims + 1, started_at = now(),
      node_id = ${wanted.nodeId}, worker_id = ${wanted.workerId}, cancel_requested = false,
      progress_done = null, progress_total = null, progress_note = null
    from due where jobs.id = due.id
    returning jobs.id, name, queue, payload, attempt, attempts, timeout_ms as "timeoutMs", claims,
      priority, greatest(0, extract(epoch from now() - due.run_at) * 1000)::float8 as "waitedMs"`;
  return rows.sort((a, b) => a.priority - b.priority || b.waitedMs - a.waitedMs || byId(a, b));
}

const byId = (a: Claimed, b: Claimed) => (a.id < b.id ? -1 : 1);

/** Makes this process the node's worker; what a predecessor held becomes free to rescue. */
export async function register(sql: Queryable, { nodeId, workerId }: WorkerId): Promise<void> {
  await sql`
    insert into shared.job_workers (node_id, worker_id) values (${nodeId}, ${workerId})
    on conflict (node_id) do update
      set worker_id = excluded.worker_id, started_at = now(), beat_at = now()`;
}

/** Says that this worker lives. Resolves to false when it is not registered any more. */
export async function beat(sql: Queryable, workerId: string): Promise<boolean> {
  const rows = await sql`
    update shared.job_workers set beat_at = now()
    from (select set_config('synchronous_commit', 'off', true)) as quick
    where worker_id = ${workerId}
    returning 1`;
  return rows.length === 1;
}

/** True when another process has registered for this node since. */
export async function isSuperseded(sql: Queryable, worker: WorkerId): Promise<boolean> {
  const rows = await sql`
    select from shared.job_workers
    where node_id = ${worker.nodeId} and worker_id <> ${worker.workerId}`;
  return rows.length > 0;
}

/** Takes this worker off the list, so that nobody waits for its silence. */
export async function unregister(sql: Queryable, workerId: string): Promise<void> {
  await sql`delete from shared.job_workers where worker_id = ${workerId}`;
}

/** Forgets workers silent for longer than `silentMs`; of these nodes, or of any. */
export async function forgetSilent(
  sql: Queryable,
  { silentMs, nodes }: { readonly silentMs: number; readonly nodes?: readonly string[] },
): Promise<string[]> {
  const rows = await sql<{ nodeId: string }[]>`
    delete from shared.job_workers
    where beat_at < now() - ${silentMs} * interval '1 ms'
      and (${nodes === undefined} or node_id = any(${(nodes ?? []) as string[]}::text[]))
    returning node_id as "nodeId"`;
  return rows.map(({ nodeId }) => nodeId);
}

/** What the table says this worker holds. */
export interface Held {
  readonly id: string;
  readonly claims: number;
  readonly cancelRequested: boolean;
  readonly heldMs: number;
}

/** Everything this worker holds according to the table. */
export async function readHeld(sql: Queryable, workerId: string): Promise<Held[]> {
  return sql<Held[]>`
    select id, claims, cancel_requested as "cancelRequested",
      (extract(epoch from now() - started_at) * 1000)::float8 as "heldMs"
    from shared.jobs where state = 'running' and worker_id = ${workerId}`;
}

/**
 * A job that was rescued this often, and as often as it may be tried, is dead at the next: it may
 * be what kills. It is not few, because whoever is killed again and again while much work waits
 * holds the same jobs each time, and a long scan all along.
 */
const rescuesMax = 10;
const rescueBatch = 1_000;

/** A job taken from a holder that is gone. */
export interface Rescued {
  readonly id: string;
  readonly name: string;
  readonly queue: QueueName;
  readonly state: 'waiting' | 'cancelled' | 'dead';
}

/**
 * Returns to the queue what is held by nobody: workers off the list, and jobs that run for longer
 * than `stuckMs` and their own time-out allow. It does not count as a try, but one job is not
 * rescued without end, because one that brings its process down must not take the house along. Its
 * time stays, and so its place: a scan that was cut off does not queue behind all it has added.
 */
export async function rescue(sql: Queryable, stuckMs: number): Promise<Rescued[]> {
  return sql<Rescued[]>`
    with lost as (
      select id, exists (
        select from shared.job_workers w where w.worker_id = jobs.worker_id
      ) as stuck
      from shared.jobs
      where state = 'running' and (
        not exists (select from shared.job_workers w where w.worker_id = jobs.worker_id)
        or started_at < now() - greatest(${stuckMs}, timeout_ms + 60000) * interval '1 ms'
      )
      limit ${rescueBatch}
      for update skip locked
    )
    update shared.jobs set
      state = case when cancel_requested then 'cancelled'
        when rescues >= greatest(${rescuesMax}, attempts) then 'dead' else 'waiting' end,
      finished_at = case
        when cancel_requested or rescues >= greatest(${rescuesMax}, attempts) then now() end,
      attempt = attempt - 1, rescues = rescues + 1, worker_id = null,
      errors = (errors || jsonb_build_object('attempt', attempt, 'at', now(), 'message',
        case when stuck then 'it ran for too long' else 'the node that ran it is gone' end))
    from lost where jobs.id = lost.id
    returning jobs.id, name, queue, state`;
}
