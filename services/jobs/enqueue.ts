import type { Queryable } from '#storage/postgres/connect.ts';
import type { AddOptions, JobAdder, JobDefinition } from './job.ts';

/** The channel on which workers are woken: `add:<queue>`, `cancel:<job>`, `queues`. */
export const channel = 'revenge_jobs';

/** Lower runs first. */
const priorities = { high: 1, normal: 2, low: 3 } as const;

/** The name of a stored priority. */
export const priorityName = (priority: number): 'high' | 'normal' | 'low' =>
  priority === 1 ? 'high' : priority === 3 ? 'low' : 'normal';

const payloadMaxBytes = 65_536;
const keyMax = 500;
const chunk = 2_000;

interface NewJob {
  readonly payload: string;
  readonly key: string | null;
  readonly priority: number;
  readonly delayMs: number;
}

/**
 * Enqueues in the caller's transaction. Workers hear of it when that commits: PostgreSQL keeps one
 * of equal notifications per transaction, so many jobs for a queue cost one. Throws RangeError for
 * a payload over 64 KiB or a key over 500 characters: payloads are ids, not content.
 */
export function createAdder(): JobAdder {
  return {
    async add(tx, definition, ...[payload, options]) {
      const [row] = await insert(tx, definition, [prepare(definition, payload, options)]);
      return row?.id;
    },
    async addMany(tx, definition, jobs) {
      const rows = jobs.map(({ payload, options }) => prepare(definition, payload, options));
      // One order for all who insert the same keys, or two of them could wait for each other.
      rows.sort((a, b) => compareKeys(a.key, b.key));
      let added = 0;
      for (let from = 0; from < rows.length; from += chunk) {
        added += (await insert(tx, definition, rows.slice(from, from + chunk))).length;
      }
      return added;
    },
  };
}

function compareKeys(a: string | null, b: string | null): number {
  if (a === b) return 0;
  if (a === null || b === null) return a === null ? 1 : -1;
  return a < b ? -1 : 1;
}

function prepare<Payload extends object>(
  { name, options }: JobDefinition<Payload>,
  payload: Payload,
  { key, delayMs = 0, priority = options.priority ?? 'normal' }: AddOptions = {},
): NewJob {
  const text = JSON.stringify(payload);
  if (text.length > payloadMaxBytes) throw new RangeError(`the payload of ${name} is too large`);
  if (key !== undefined && key.length > keyMax)
    throw new RangeError(`a key of ${name} is too long`);
  return { payload: text, key: key ?? null, priority: priorities[priority], delayMs };
}

function insert<Payload extends object>(
  tx: Queryable,
  { name, options }: JobDefinition<Payload>,
  jobs: readonly NewJob[],
): Promise<{ id: string }[]> {
  const wake = `add:${options.queue}`;
  return tx<{ id: string }[]>`
    with added as (
      insert into shared.jobs
        (name, queue, payload, key, priority, attempts, timeout_ms, run_at)
      select ${name}, ${options.queue}, payload::jsonb, key, priority,
        ${options.attempts}, ${options.timeoutMs}, now() + delay_ms * interval '1 ms'
      from unnest(
        ${jobs.map((job) => job.payload)}::text[], ${jobs.map((job) => job.key)}::text[],
        ${jobs.map((job) => job.priority)}::smallint[], ${jobs.map((job) => job.delayMs)}::float8[]
      ) as job (payload, key, priority, delay_ms)
      on conflict (name, key) where key is not null and state in ('waiting', 'running')
      do nothing
      returning id, run_at <= now() as due
    ), woken as (
      select pg_notify(${channel}, ${wake}) from (select from added where due limit 1) any_due
    )
    select id from added where (select count(*) from woken) >= 0`;
}
