import type { HandlersOf } from '#api/handler.ts';
import type { Queryable } from '#storage/postgres/connect.ts';
import type { Store } from '../changes.ts';
import { problem } from '../errors.ts';
import { defineJob, type JobAdder, type JobContext } from '../jobs/job.ts';
import { enrichWorks, type EnrichDeps } from './enrich.ts';
import { noProvider } from './provider-error.ts';

/** Which works of a library are asked about anew. */
export interface RefreshMany {
  readonly libraryId: string;
  readonly kind: string;
  /** `unmatched`: those without a record; `failed`: those whose last asking went wrong. */
  readonly which: 'all' | 'unmatched' | 'failed';
  /** Milliseconds since 1970: what was asked about since then is done. */
  readonly askedAtMs: number;
}

/** Asks about all these works; where it is cut off, it goes on with those that are left. */
export const refreshManyJob = defineJob<RefreshMany>('metadata.refresh-many', {
  queue: 'metadata',
  attempts: 10,
  timeoutMs: 24 * 3_600_000,
  priority: 'low',
});

const batchSize = 16;

/** Does `metadata.refresh-many`. A provider that is away puts works off, as always. */
export async function refreshMany(
  deps: EnrichDeps,
  wanted: RefreshMany,
  { signal, progress }: Pick<JobContext, 'signal' | 'progress'>,
): Promise<void> {
  const { sql } = deps.store;
  const { kind } = wanted;
  const total = await countLeft(sql, wanted);
  let last = '00000000-0000-0000-0000-000000000000';
  for (let done = 0; ;) {
    signal.throwIfAborted();
    progress(Math.min(done, total), total);
    const itemIds = await nextOf(sql, wanted, last);
    if (itemIds.length === 0) return;
    last = itemIds.at(-1) ?? last;
    await enrichWorks(
      deps,
      { kind, itemIds, isFresh: true },
      { signal, progress: () => undefined },
    );
    done += itemIds.length;
  }
}

/** The works `s` that are left to ask about. */
const left = (sql: Queryable, { libraryId, kind, which, askedAtMs }: RefreshMany) => sql`
  metadata_states s where s.kind = ${kind}
    and exists (select from files f where f.item_id = s.item_id and f.library_id = ${libraryId})
    and (s.checked_at is null or s.checked_at < ${new Date(askedAtMs)})
    and ${whichOf(sql, which)}`;

function whichOf(sql: Queryable, which: RefreshMany['which']): ReturnType<Queryable> {
  if (which === 'all') return sql`true`;
  return which === 'failed' ? sql`s.problem is not null` : sql`s.provider_id is null`;
}

async function countLeft(sql: Queryable, wanted: RefreshMany): Promise<number> {
  const [row] = await sql<[{ count: number }]>`select count(*) from ${left(sql, wanted)}`;
  return row.count;
}

async function nextOf(sql: Queryable, wanted: RefreshMany, afterId: string): Promise<string[]> {
  const rows = await sql<{ id: string }[]>`
    select s.item_id as id from ${left(sql, wanted)} and s.item_id > ${afterId}
    order by s.item_id limit ${batchSize}`;
  return rows.map(({ id }) => id);
}

/** The operation that asks for it. */
export function createRefreshMany(deps: {
  readonly store: Store;
  readonly jobs: JobAdder;
  readonly now: () => number;
  /** Whether anybody can be asked about works of a kind. */
  readonly hasProvider: (kind: string) => boolean;
}): HandlersOf<'refreshLibrary'> {
  const { store, jobs, now, hasProvider } = deps;
  return {
    async refreshLibrary({ params: { libraryId }, body }) {
      const [library] = await store.sql<{ kind: string }[]>`
        select kind from libraries where id = ${libraryId}`;
      if (library === undefined) throw problem('not-found', 'There is no such library.');
      const { kind } = library;
      if (!hasProvider(kind)) throw noProvider();
      const wanted = { libraryId, kind, which: body?.which ?? 'all', askedAtMs: now() };
      const jobId = await store.write((tx) =>
        jobs.add(tx, refreshManyJob, wanted, { key: `refresh:${libraryId}` }),
      );
      if (jobId === undefined) throw problem('conflict', 'That library is being refreshed.');
      return { status: 202, body: { jobId } };
    },
  };
}
