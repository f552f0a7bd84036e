import type { HandlersOf } from '#api/handler.ts';
import type { components } from '#api/types.ts';
import type { Queryable, Sql } from '#storage/postgres/connect.ts';
import { isDuplicate } from '#storage/postgres/errors.ts';
import type { Write } from '../changes.ts';
import { pageOf } from '../cursor.ts';
import { problem } from '../errors.ts';
import { failureIn } from '../failures.ts';
import { readSchedules, type Schedule } from './cron.ts';
import { priorityName } from './enqueue.ts';
import {
  cancelJob,
  countJobs,
  deleteJob,
  listJobs,
  readDepths,
  readJob,
  retryDead,
  retryJob,
  type Depth,
  type JobFilter,
  type JobPage,
  type JobRow,
} from './inspect.ts';
import type { QueueName } from './job.ts';
import { limitsFor, queueNames } from './queues.ts';
import { readQueueSettings, writeQueueSetting, type QueueSettings } from './settings.ts';

type Schemas = components['schemas'];

/** The operations of api/jobs.yaml. */
export type JobHandlers = HandlersOf<
  | 'listJobs'
  | 'getJob'
  | 'cancelJob'
  | 'retryJob'
  | 'deleteJob'
  | 'listJobQueues'
  | 'updateJobQueue'
  | 'listDeadJobs'
  | 'retryDeadJobs'
  | 'listJobSchedules'
  | 'runJobSchedule'
>;

interface HandlerDeps {
  readonly sql: Sql;
  readonly write: Write;
  readonly now: () => number;
  /** What this node runs and may run of a queue right now. */
  readonly here: (queue: QueueName) => { limit: number; running: number };
  readonly schedules: () => readonly Schedule[];
  /** Adds a schedule's job now; undefined while one waits or runs. */
  readonly addScheduled: (schedule: Schedule) => Promise<string | undefined>;
  readonly onChanged: (job: JobRow) => void;
}

/** Makes the handlers. */
export function createJobHandlers(deps: HandlerDeps): JobHandlers {
  return { ...jobHandlers(deps), ...deadHandlers(deps), ...queueHandlers(deps), ...cron(deps) };
}

function jobHandlers({ sql, onChanged }: HandlerDeps) {
  const changed = async (id: string) => {
    const row = await mustRead(sql, id);
    onChanged(row);
    return { body: toJob(row) };
  };
  return {
    async listJobs({ query: { queue, state, name, ...page } }) {
      return { body: await readPage(sql, { queue, state, name }, page) };
    },
    async getJob({ params }) {
      return { body: toJob(await mustRead(sql, params.jobId)) };
    },
    async cancelJob({ params }) {
      if (await cancelJob(sql, params.jobId)) return changed(params.jobId);
      const { state } = await mustRead(sql, params.jobId);
      throw problem('conflict', `the job is ${state} already`);
    },
    async retryJob({ params }) {
      const queue = await retryJob(sql, params.jobId).catch((error: unknown) => {
        if (!isDuplicate(error)) throw error;
        throw problem('conflict', 'another job with the same key waits or runs');
      });
      if (queue !== undefined) return changed(params.jobId);
      const { state } = await mustRead(sql, params.jobId);
      throw problem('conflict', `the job is ${state}`);
    },
    async deleteJob({ params }) {
      if (await deleteJob(sql, params.jobId)) return { status: 204, body: undefined };
      const { state } = await mustRead(sql, params.jobId);
      throw problem('conflict', `the job is ${state}; cancel it first`);
    },
  } satisfies Partial<JobHandlers>;
}

function deadHandlers({ sql }: HandlerDeps) {
  return {
    async listDeadJobs({ query: { queue, name, ...page } }) {
      return { body: await readPage(sql, { queue, name, state: 'dead' }, page) };
    },
    async retryDeadJobs({ body }) {
      const filter = { queue: body?.queue, name: body?.name };
      const retried = await retryDead(sql, filter).catch((error: unknown) => {
        if (!isDuplicate(error)) throw error;
        throw problem('conflict', 'a job with one of the keys was just added; try again');
      });
      return { body: { retried } };
    },
  } satisfies Partial<JobHandlers>;
}

function queueHandlers({ sql, write, here }: HandlerDeps) {
  return {
    async listJobQueues() {
      const [depths, settings] = await Promise.all([readDepths(sql), readQueueSettings(sql)]);
      return {
        body: { items: queueNames.map((name) => toQueue(name, { here, depths, settings })) },
      };
    },
    async updateJobQueue({ params: { queue }, body }) {
      await write(async (tx) => {
        const old = (await readQueueSettings(tx)).get(queue);
        const limit = body.limit === undefined ? old?.limit : (body.limit ?? undefined);
        await writeQueueSetting(tx, queue, { limit, paused: body.paused ?? old?.paused ?? false });
      });
      const [depths, settings] = await Promise.all([readDepths(sql), readQueueSettings(sql)]);
      return { body: toQueue(queue, { here, depths, settings }) };
    },
  } satisfies Partial<JobHandlers>;
}

function cron({ sql, now, schedules, addScheduled, onChanged }: HandlerDeps) {
  return {
    async listJobSchedules() {
      const last = await readSchedules(sql);
      const items = schedules().map((schedule) => toSchedule(schedule, last, now()));
      return { body: { items: items.sort((a, b) => (a.name < b.name ? -1 : 1)) } };
    },
    async runJobSchedule({ params }) {
      const schedule = schedules().find(({ definition }) => definition.name === params.name);
      if (schedule === undefined) throw problem('not-found', 'there is no such recurring job');
      const id = await addScheduled(schedule);
      if (id === undefined) throw problem('conflict', 'it waits or runs already');
      const row = await mustRead(sql, id);
      onChanged(row);
      return { body: toJob(row) };
    },
  } satisfies Partial<JobHandlers>;
}

async function mustRead(sql: Queryable, id: string): Promise<JobRow> {
  const row = await readJob(sql, id);
  if (row === undefined) throw problem('not-found', 'there is no such job');
  return row;
}

interface PageQuery {
  readonly limit?: number | undefined;
  readonly cursor?: string | undefined;
  readonly offset?: number | undefined;
}

async function readPage(
  sql: Sql,
  filter: JobFilter,
  { limit = 50, cursor, offset }: PageQuery,
): Promise<Schemas['JobList']> {
  const afterId = cursor === undefined ? undefined : decodeCursor(cursor);
  const page: JobPage = { afterId, offset: offset ?? 0, limit: limit + 1 };
  const [rows, total] = await Promise.all([
    listJobs(sql, filter, page),
    offset === undefined ? undefined : countJobs(sql, filter),
  ]);
  const { page: jobs, last } = pageOf(rows, limit);
  const nextCursor = last === undefined ? null : Buffer.from(last.id).toString('base64url');
  return { items: jobs.map(toJob), nextCursor, ...(total === undefined ? {} : { total }) };
}

function decodeCursor(cursor: string): string {
  const id = Buffer.from(cursor, 'base64url').toString('latin1');
  if (/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(id)) return id;
  throw problem('invalid-cursor', 'use the nextCursor of the page before');
}

function toJob(row: JobRow): Schemas['Job'] {
  const { done, total, note, runAt, createdAt, startedAt, finishedAt, errors, ...rest } = row;
  return {
    ...rest,
    priority: priorityName(row.priority),
    runAt: runAt.toISOString(),
    createdAt: createdAt.toISOString(),
    startedAt: startedAt?.toISOString() ?? null,
    finishedAt: finishedAt?.toISOString() ?? null,
    progress: done === null || total === null ? null : { done, total, note },
    errors: errors.map((error) => ({
      ...error,
      at: new Date(error.at).toISOString(),
      ...failureIn(error.message),
    })),
  };
}

interface QueueFacts extends Pick<HandlerDeps, 'here'> {
  readonly depths: readonly Depth[];
  readonly settings: QueueSettings;
}

function toQueue(name: QueueName, { here, depths, settings }: QueueFacts): Schemas['JobQueue'] {
  const setting = settings.get(name);
  const depth = depths.find(({ queue }) => queue === name);
  return {
    name,
    limit: setting?.limit ?? null,
    defaultLimit: limitsFor('idle')[name],
    paused: setting?.paused ?? false,
    waiting: depth?.waiting ?? 0,
    scheduled: depth?.scheduled ?? 0,
    running: depth?.running ?? 0,
    dead: depth?.dead ?? 0,
    oldestWaitMs: Math.round(depth?.oldestWaitMs ?? 0),
    thisNode: here(name),
  };
}

function toSchedule(
  { definition, cron, nextDue }: Schedule,
  last: ReadonlyMap<string, Date>,
  now: number,
): Schemas['JobSchedule'] {
  return {
    name: definition.name,
    queue: definition.options.queue,
    cron,
    lastDueAt: last.get(definition.name)?.toISOString() ?? null,
    nextDueAt: nextDue(now)?.toISOString() ?? null,
  };
}
