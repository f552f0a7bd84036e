import type { Call, HandlersOf, JsonAnswer } from '#api/handler.ts';
import type { components } from '#api/types.ts';
import type { Store } from '../changes.ts';
import { pageOf } from '../cursor.ts';
import { problem } from '../errors.ts';
import { failureIn } from '../failures.ts';
import { defineJob, on, type JobHandler } from '../jobs/job.ts';
import type { Log } from '../log.ts';
import { record } from './record.ts';
import {
  countActivity,
  deleteActivity,
  listActivity,
  type ActivityFilter,
  type ActivityRow,
} from './store.ts';

export { actions, record, type Action, type ActivityEntry } from './record.ts';

/** What the log of activity needs. */
export interface ActivityDeps {
  readonly store: Store;
  /** Days an entry is kept; asked at each clean-up. */
  readonly retentionDays: () => Promise<number>;
  readonly log: Log;
  readonly now: () => number;
}

/** The log of activity: who did what, for administrators to read. */
export interface Activity {
  readonly handlers: HandlersOf<'listActivity'>;
  readonly jobs: readonly JobHandler[];
  /** Writes one entry in the caller's transaction. */
  readonly record: typeof record;
  /** Deletes what is older than the retention; resolves to how many entries went. */
  cleanUp(signal: AbortSignal): Promise<number>;
}

/** Once a day: forgets activity older than the setting `activity.retention_days`. */
export const activityCleanUp = defineJob<object>('activity.clean-up', {
  queue: 'maintenance',
  attempts: 3,
  timeoutMs: 600_000,
  priority: 'low',
  cron: '23 3 * * *',
});

const batchSize = 5_000;
const dayMs = 86_400_000;

/** Makes the log of activity. */
export function createActivity(deps: ActivityDeps): Activity {
  const { sql } = deps.store;
  const log = deps.log.child({ module: 'activity' });
  const cleanUp = async (signal: AbortSignal) => {
    const before = new Date(deps.now() - (await deps.retentionDays()) * dayMs);
    let deleted = 0;
    for (let last = batchSize; last === batchSize && !signal.aborted; deleted += last) {
      last = await deps.store.write((tx) => deleteActivity(tx, before, batchSize));
    }
    if (deleted > 0) log.info('old activity deleted', { deleted });
    return deleted;
  };
  return {
    handlers: { listActivity: (call) => list(sql, call) },
    jobs: [on(activityCleanUp, async (_payload, { signal }) => void (await cleanUp(signal)))],
    record,
    cleanUp,
  };
}

type ListCall = Call<'listActivity'>;

async function list(
  sql: Store['sql'],
  { query }: ListCall,
): Promise<JsonAnswer<components['schemas']['ActivityPage']>> {
  const limit = query.limit ?? 50;
  const filter = filterOf(query);
  const beforeId = query.offset === undefined ? readCursor(query.cursor) : undefined;
  const rows = await listActivity(sql, filter, {
    beforeId,
    offset: query.offset,
    limit: limit + 1,
  });
  const { page, last } = pageOf(rows, limit);
  const items = page.map(toJson);
  const nextCursor = last ? writeCursor(last.id) : null;
  if (query.offset === undefined) return { body: { items, nextCursor } };
  return { body: { items, nextCursor, total: await countActivity(sql, filter) } };
}

function filterOf(query: ListCall['query']): ActivityFilter {
  const { userId, action, resourceType, resourceId, success } = query;
  const from = query.from === undefined ? undefined : new Date(query.from);
  const until = query.until === undefined ? undefined : new Date(query.until);
  return { userId, action, resourceType, resourceId, success, from, until };
}

const toJson = (row: ActivityRow) => ({
  ...row,
  at: row.at.toISOString(),
  details: { ...row.details, ...(row.action === 'backup.failed' && whyOf(row.details['reason'])) },
});

function whyOf(reason: unknown) {
  if (typeof reason !== 'string') return undefined;
  const { code: reasonCode, values: reasonValues } = failureIn(reason);
  return { reasonCode, reasonValues };
}

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

const writeCursor = (id: string) => Buffer.from(id).toString('base64url');

function readCursor(cursor: string | undefined): string | undefined {
  if (cursor === undefined) return undefined;
  const id = Buffer.from(cursor, 'base64url').toString('latin1');
  if (!uuid.test(id)) throw problem('invalid-cursor', 'Start again without a cursor.');
  return id;
}
