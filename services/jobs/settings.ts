import type { Queryable, Sql } from '#storage/postgres/connect.ts';
import type { QueueName } from './job.ts';
import { channel } from './enqueue.ts';
import { isQueueName, type QueueSetting } from './queues.ts';

/** What administrators have set, by queue; a queue that is absent has its defaults. */
export type QueueSettings = ReadonlyMap<QueueName, QueueSetting>;

/** Reads what is set for the queues. */
export async function readQueueSettings(sql: Queryable): Promise<QueueSettings> {
  const rows = await sql<{ queue: string; limit: number | null; paused: boolean }[]>`
    select queue, limit_override as "limit", paused from shared.job_queues`;
  return new Map(
    rows.flatMap(({ queue, limit, paused }) =>
      isQueueName(queue) ? [[queue, { limit: limit ?? undefined, paused }] as const] : [],
    ),
  );
}

/** Sets a queue's limit (undefined: its default) and whether it is paused, and tells all workers. */
export async function writeQueueSetting(
  tx: Sql | Queryable,
  queue: QueueName,
  { limit, paused }: QueueSetting,
): Promise<void> {
  await tx`
    with written as (
      insert into shared.job_queues (queue, limit_override, paused)
      values (${queue}, ${limit ?? null}, ${paused})
      on conflict (queue) do update set limit_override = excluded.limit_override,
        paused = excluded.paused, updated_at = now()
      returning 1
    )
    select pg_notify(${channel}, 'queues') from written`;
}
