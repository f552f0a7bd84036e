import type { HandlersOf } from '#api/handler.ts';
import type { Tx } from '#storage/postgres/connect.ts';
import type { Artwork } from '../artwork/index.ts';
import type { Store } from '../changes.ts';
import { defineJob, on, type JobAdder, type JobHandler } from '../jobs/job.ts';
import type { Log } from '../log.ts';
import type { SearchChanges } from '../search/source.ts';
import type { SeesItem } from '../visible.ts';
import { pullArr, type ArrDeps } from './arr.ts';
import { enrichWorks, type EnrichDeps, type EnrichPayload } from './enrich.ts';
import type { Subject } from './kind.ts';
import { createRefreshMany, refreshMany, refreshManyJob } from './refresh-many.ts';
import { createRoutes, type MetadataOperation } from './routes.ts';
import { claimDue, noteChanged, reopen } from './store.ts';

export interface MetadataDeps {
  readonly store: Store;
  readonly jobs: JobAdder;
  readonly search: SearchChanges;
  readonly artwork: Pick<Artwork, 'offered'>;
  readonly log: Log;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly random: () => number;
  /** Tells this node's jobs from those of others; see `createSearchChanges`. */
  readonly instance: string;
  readonly subjects: readonly Subject[];
  /** None unless stated. */
  readonly arr?: Pick<ArrDeps, 'servers' | 'ourPaths'>;
  readonly languages?: EnrichDeps['languages'];
  readonly seesItem: SeesItem;
}

/** What providers know of works, and when to ask them. */
export interface Metadata {
  readonly handlers: HandlersOf<MetadataOperation | 'refreshLibrary'>;
  readonly jobs: readonly JobHandler[];
  /** Notes, in the transaction that changed them, works that came or are taken for others now. */
  readonly changed: (tx: Tx, kind: string, itemIds: readonly string[]) => Promise<void>;
  /** Notes that a person has said what ids a work has elsewhere: they decide its record anew. */
  readonly idsSet: (tx: Tx, kind: string, itemId: string) => Promise<void>;
  /** Notes that a person wants to know more of a work than was asked for. */
  readonly moreWanted: (tx: Tx, kind: string, itemId: string) => Promise<void>;
}

/** Asks providers about some works of one kind. */
export const enrichJob = defineJob<EnrichPayload>('metadata.enrich', {
  queue: 'metadata',
  attempts: 3,
  timeoutMs: 30 * 60_000,
});

/** Hands out works that are due. */
const dueJob = defineJob<object>('metadata.due', {
  queue: 'metadata',
  attempts: 1,
  timeoutMs: 60_000,
  cron: '* * * * *',
});

/** Asks Radarr and Sonarr what they have. */
export const arrJob = defineJob<object>('metadata.arr', {
  queue: 'metadata',
  attempts: 1,
  timeoutMs: 5 * 60_000,
  cron: '*/10 * * * *',
});

const itemsPerJob = 16;
const claimMax = 100 * itemsPerJob;
/** Changes come in flocks. */
const delayMs = 1_000;
const relyMs = 500;

/** Makes the metadata chain beyond the files; without providers works stay as files tell them. */
export function createMetadata(deps: MetadataDeps): Metadata {
  const { store, jobs } = deps;
  const log = deps.log.child({ module: 'metadata' });
  const subjects = new Map(deps.subjects.map((one) => [one.kind.kind as string, one]));
  const asked = deps.subjects.filter(({ providers }) => providers.length > 0);
  const kinds = asked.map(({ kind }) => kind.kind);
  sayWhoIsAsked(log, deps.subjects);
  const enriching: EnrichDeps = { ...deps, log, subjects };
  const changed = createNote(deps, subjects);
  const arr = deps.arr ?? { servers: [], ourPaths: async () => () => undefined };
  return {
    handlers: {
      ...createRoutes({ store, jobs, subjects, enrichJob, seesItem: deps.seesItem }),
      ...createRefreshMany({
        ...{ store, jobs, now: deps.now },
        hasProvider: (kind) => kinds.some((one) => one === kind),
      }),
    },
    jobs: [
      on(enrichJob, (payload, context) => enrichWorks(enriching, payload, context)),
      on(refreshManyJob, (payload, context) => refreshMany(enriching, payload, context)),
      on(dueJob, async () => {
        if (kinds.length > 0) await handOut(deps, kinds);
      }),
      on(arrJob, () => pullArr({ ...{ store, log }, ...arr })),
    ],
    changed,
    async moreWanted(tx, kind, itemId) {
      if (!kinds.some((one) => one === kind)) return;
      await jobs.add(tx, enrichJob, { kind, itemIds: [itemId] }, { priority: 'high' });
    },
    async idsSet(tx, kind, itemId) {
      await reopen(tx, { kind, itemId });
      await changed(tx, kind, [itemId]);
      await jobs.add(tx, enrichJob, { kind, itemIds: [itemId] }, { priority: 'high' });
    },
  };
}

/** Asks for at most two jobs a second, however many works change. */
function createNote(
  { jobs, now, instance }: MetadataDeps,
  subjects: ReadonlyMap<string, Subject>,
): Metadata['changed'] {
  let addedAt = -Infinity;
  return async (tx, kind, itemIds) => {
    const found = subjects.get(kind);
    if (found === undefined || itemIds.length === 0) return;
    await noteChanged(tx, found.kind, itemIds);
    if (found.providers.length === 0 || now() - addedAt < relyMs) return;
    addedAt = now();
    await jobs.add(tx, dueJob, {}, { key: `changed:${instance}`, delayMs });
  };
}

/** Claims and jobs are one: a node that dies between leaves nothing claimed that nobody does. */
async function handOut({ store, jobs }: MetadataDeps, kinds: readonly string[]): Promise<void> {
  await store.sql.begin(async (tx) => {
    const due = await claimDue(tx, kinds, claimMax);
    const payloads = [...Map.groupBy(due, ({ kind }) => kind)].flatMap(([kind, works]) => {
      const ids = works.map(({ itemId }) => itemId);
      const count = Math.ceil(ids.length / itemsPerJob);
      return Array.from({ length: count }, (_, at) => ({
        payload: { kind, itemIds: ids.slice(at * itemsPerJob, (at + 1) * itemsPerJob) },
      }));
    });
    await jobs.addMany(tx, enrichJob, payloads);
  });
}

function sayWhoIsAsked(log: Log, subjects: readonly Subject[]): void {
  for (const { kind, providers } of subjects) {
    for (const { label } of providers) log.info('provider', { kind: kind.kind, provider: label });
  }
  if (subjects.every(({ providers }) => providers.length === 0)) {
    log.info('no provider is asked: set metadata.tmdb.api_key for what TMDb knows');
  }
}
