import { Cron } from 'croner';
import type { Queryable, Sql } from '#storage/postgres/connect.ts';
import type { Log } from '../log.ts';
import { safeMessage } from './failure.ts';
import type { JobAdder, JobDefinition } from './job.ts';

/** A recurring job: its definition with the pattern read. */
export interface Schedule {
  readonly definition: JobDefinition<object>;
  readonly cron: string;
  /** The latest minute at or before `at` (ms) for which the job is due; undefined: never yet. */
  readonly lastDue: (at: number) => Date | undefined;
  readonly nextDue: (at: number) => Date | undefined;
}

/** Runs of one schedule never pile up: while one waits or runs, the next is not added. */
export const scheduleKey = 'cron';

/**
 * Reads the `cron` of a definition: five fields, UTC, as in crontab(5) (both day fields set: either
 * counts). Undefined without one; throws on a pattern that cannot be read.
 */
export function scheduleOf(definition: JobDefinition<object>): Schedule | undefined {
  const { cron } = definition.options;
  if (cron === undefined) return undefined;
  const pattern = parse(definition.name, cron);
  return {
    definition,
    cron,
    // croner looks strictly before its reference; a second later, the minute itself counts.
    lastDue: (at) => pattern.previousRuns(1, new Date(Math.floor(at / 1_000) * 1_000 + 1_000))[0],
    nextDue: (at) => pattern.nextRun(new Date(at)) ?? undefined,
  };
}

function parse(name: string, cron: string): Cron {
  try {
    return new Cron(cron, { timezone: 'UTC', mode: '5-part', paused: true });
  } catch (cause) {
    throw new Error(`the cron of ${name} is not a pattern of five fields: ${cron}`, { cause });
  }
}

interface Deps {
  readonly sql: Sql;
  readonly log: Log;
  readonly jobs: JobAdder;
  readonly now: () => number;
}

/**
 * Enqueues what is due now, each once: of any number of schedulers one wins each minute, and what
 * was missed while nobody scheduled is made up for by a single run. One schedule's failure does
 * not keep the others from theirs.
 */
export async function enqueueDue(deps: Deps, schedules: readonly Schedule[]): Promise<void> {
  for (const schedule of schedules) {
    try {
      await enqueueOne(deps, schedule);
    } catch (error) {
      const facts = { name: schedule.definition.name, reason: safeMessage(error) };
      deps.log.warn('a recurring job could not be enqueued', facts);
    }
  }
}

async function enqueueOne({ sql, log, jobs, now }: Deps, schedule: Schedule): Promise<void> {
  const due = schedule.lastDue(now());
  if (due === undefined) return;
  const { definition } = schedule;
  await sql.begin(async (tx) => {
    if (await isNew(tx, schedule, due)) return;
    if (!(await raise(tx, definition.name, due))) return;
    const id = await jobs.add(tx, definition, {}, { key: scheduleKey });
    log.debug('recurring job due', { name: definition.name, due, added: id !== undefined });
  });
}

/** Notes a schedule seen for the first time, or changed: its past is not made up for. */
async function isNew(tx: Queryable, { definition, cron }: Schedule, due: Date): Promise<boolean> {
  const rows = await tx`
    insert into shared.job_schedules (name, cron, due_at)
    values (${definition.name}, ${cron}, ${due})
    on conflict (name) do update set cron = excluded.cron, due_at = excluded.due_at
      where job_schedules.cron <> excluded.cron
    returning 1`;
  return rows.length > 0;
}

async function raise(tx: Queryable, name: string, due: Date): Promise<boolean> {
  const rows = await tx`
    update shared.job_schedules set due_at = ${due}
    where name = ${name} and due_at < ${due}
    returning 1`;
  return rows.length > 0;
}

/** When each schedule was last due and enqueued, by name. */
export async function readSchedules(sql: Queryable): Promise<Map<string, Date>> {
  const rows = await sql<{ name: string; dueAt: Date }[]>`
    select name, due_at as "dueAt" from shared.job_schedules`;
  return new Map(rows.map(({ name, dueAt }) => [name, dueAt]));
}
