import type { Queryable, Sql } from '#storage/postgres/connect.ts';
import { isUnavailable } from '#storage/postgres/errors.ts';
import type { Log } from '../log.ts';
import { enqueueDue, type Schedule } from './cron.ts';
import { safeMessage } from './failure.ts';
import type { JobAdder } from './job.ts';
import { every, type Round } from './wake.ts';

/** How long finished jobs are remembered. */
export interface Retention {
  readonly finishedMs: number;
  readonly deadMs: number;
}

/** A day for what went well or was cancelled, a week for the dead. */
export const retention: Retention = { finishedMs: 86_400_000, deadMs: 7 * 86_400_000 };

interface DutiesDeps {
  readonly sql: Sql;
  readonly log: Log;
  readonly jobs: JobAdder;
  readonly now: () => number;
  readonly isLeader: () => boolean;
  readonly everyMs: number;
  readonly schedules: readonly Schedule[];
}

const pruneEveryMs = 300_000;
const pruneBatch = 5_000;

/** Starts what one node does for all: recurring jobs, and clearing away old ones. */
export function startDuties(deps: DutiesDeps): Round {
  let minute = -1;
  let prunedAt = -Infinity;
  return every(deps.everyMs, async () => {
    if (!deps.isLeader()) return void (minute = -1);
    const current = Math.floor(deps.now() / 60_000);
    if (current !== minute) await enqueueDue(deps, deps.schedules);
    minute = current;
    if (performance.now() - prunedAt < pruneEveryMs) return;
    prunedAt = performance.now();
    await pruneAll(deps);
  });
}

async function pruneAll({ sql, log }: DutiesDeps): Promise<void> {
  try {
    let pruned = 0;
    let batch = pruneBatch;
    while (batch === pruneBatch) pruned += batch = await prune(sql, retention);
    if (pruned > 0) log.debug('old jobs cleared away', { jobs: pruned });
  } catch (error) {
    const facts = { reason: safeMessage(error) };
    if (isUnavailable(error)) log.debug('old jobs not cleared away', facts);
    else log.error('old jobs not cleared away', facts);
  }
}

/** Deletes a batch of what is older than its retention; resolves to how many. */
export async function prune(sql: Queryable, { finishedMs, deadMs }: Retention): Promise<number> {
  const rows = await sql`
    delete from shared.jobs where id in (
      select id from shared.jobs
      where state in ('completed', 'cancelled', 'dead')
        and finished_at < now() - ${Math.min(finishedMs, deadMs)} * interval '1 ms'
        and finished_at < now()
          - case state when 'dead' then ${deadMs} else ${finishedMs} end::float8 * interval '1 ms'
      order by finished_at
      limit ${pruneBatch}
      for update skip locked
    )
    returning 1`;
  return rows.length;
}
