import type { Queryable } from '#storage/postgres/connect.ts';

/** The states of the table; what the API calls scheduled is waiting until its time comes. */
export type StoredState = 'waiting' | 'running' | 'completed' | 'cancelled' | 'dead';

/** How a claim ended, with all that the table has to know. */
export type Outcome = { readonly id: string; readonly claims: number } & (
  | { readonly kind: 'completed' | 'cancelled' | 'returned' }
  | { readonly kind: 'failed'; readonly message: string; readonly pauseMs: number }
  | { readonly kind: 'dead'; readonly message: string }
);

/** Failed tries that are remembered with a job. */
const errorsMax = 10;

/**
 * Writes the outcomes of many claims at once. An outcome whose claim is not the latest, or whose
 * job is not running any more, changes nothing. Resolves to the accepted
 * ones' states by id.
 */
export async function writeOutcomes(
  sql: Queryable,
  outcomes: readonly Outcome[],
): Promise<Map<string, StoredState>> {
  const rows = await sql<{ id: string; state: StoredState }[]>`
    update shared.jobs set
      state = case when kind = 'completed' then 'completed'
        when kind = 'cancelled' or cancel_requested then 'cancelled'
        when kind = 'dead' then 'dead' else 'waiting' end,
      finished_at = case
        when kind in ('completed', 'cancelled', 'dead') or cancel_requested then now() end,
      attempt = case kind when 'returned' then attempt - 1 else attempt end,
      -- What is given back keeps its time, and so its place before all that was added since.
      run_at = case kind when 'failed' then now() + pause_ms * interval '1 ms' else run_at end,
      worker_id = null,
      errors = case when message is null then errors else
        (case when jsonb_array_length(errors) >= ${errorsMax} then errors - 0 else errors end)
        || jsonb_build_object('attempt', attempt, 'at', now(), 'message', message) end
    from unnest(
      ${outcomes.map(({ id }) => id)}::uuid[], ${outcomes.map(({ claims }) => claims)}::integer[],
      ${outcomes.map(({ kind }) => kind)}::text[],
      ${outcomes.map((o) => ('message' in o ? o.message : null))}::text[],
      ${outcomes.map((o) => (o.kind === 'failed' ? o.pauseMs : null))}::float8[]
    ) as outcome (job_id, claim, kind, message, pause_ms),
      (select set_config('synchronous_commit', 'off', true)) as quick
    where id = job_id and claims = claim and state = 'running'
    returning id, state`;
  return new Map(rows.map(({ id, state }) => [id, state]));
}

/** How far a job is. */
export interface Progress {
  readonly id: string;
  readonly claims: number;
  readonly done: number;
  readonly total: number;
  readonly note: string | undefined;
}

/** Writes how far many jobs are. */
export async function writeProgress(sql: Queryable, list: readonly Progress[]): Promise<void> {
  await sql`
    update shared.jobs set progress_done = done, progress_total = total, progress_note = note
    from unnest(
      ${list.map(({ id }) => id)}::uuid[], ${list.map(({ claims }) => claims)}::integer[],
      ${list.map(({ done }) => done)}::bigint[], ${list.map(({ total }) => total)}::bigint[],
      ${list.map(({ note }) => note ?? null)}::text[]
    ) as progress (job_id, claim, done, total, note),
      (select set_config('synchronous_commit', 'off', true)) as quick
    where id = job_id and claims = claim and state = 'running'`;
}
