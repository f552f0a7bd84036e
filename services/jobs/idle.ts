import { setTimeout as pause } from 'node:timers/promises';
import type { Queryable } from '#storage/postgres/connect.ts';
import type { QueueName } from './job.ts';

const lookMs = 2_000;

/**
 * Resolves to true as soon as no node has anything to do in these queues, and to false when that
 * takes longer than `withinMs`. A queue that is paused is not waited for, nor what is not due yet.
 * Rejects with the signal's reason.
 */
export async function whenIdle(
  sql: Queryable,
  queues: readonly QueueName[],
  { withinMs, signal }: { readonly withinMs: number; readonly signal: AbortSignal },
): Promise<boolean> {
  const until = performance.now() + withinMs;
  for (;;) {
    signal.throwIfAborted();
    if (!(await hasWork(sql, queues))) return true;
    const leftMs = until - performance.now();
    if (leftMs <= 0) return false;
    await pause(Math.min(lookMs, leftMs), undefined, { signal });
  }
}

async function hasWork(sql: Queryable, queues: readonly QueueName[]): Promise<boolean> {
  const [row] = await sql<{ has: boolean }[]>`
    with open as (
      select queue from unnest(${queues as QueueName[]}::text[]) as q (queue)
      where not exists (select from shared.job_queues s where s.queue = q.queue and s.paused)
    )
    select exists (
      select from open, lateral (
        select from shared.jobs j
        where j.state = 'waiting' and j.queue = open.queue and j.run_at <= now()
        limit 1
      ) as waits
    ) or exists (
      select from shared.jobs j join open using (queue) where j.state = 'running'
    ) as has`;
  return row?.has === true;
}
