import { SearchUnavailableError, type SearchEngine } from '#storage/search/engine.ts';
import type { Write } from '../changes.ts';
import { defineJob, on, type JobAdder, type JobContext, type JobHandler } from '../jobs/job.ts';
import { indexChanges } from './changes.ts';
import { drain, rebuild, type FeedDeps } from './feed.ts';
import * as pending from './pending.ts';

/** Fills one engine anew. */
export const rebuildIndex = defineJob<{ engine: string }>('search.rebuild', {
  queue: 'library',
  attempts: 3,
  timeoutMs: 7_200_000,
  priority: 'low',
});

/** Looks every minute whether an engine came back, lags behind, or was never filled. */
export const keepIndex = defineJob<object>('search.keep', {
  queue: 'library',
  attempts: 3,
  timeoutMs: 60_000,
  cron: '* * * * *',
});

/** Cache tag of every search result. */
export const searchTag = 'search';

/** An engine that is behind by more than this is sooner filled anew than told of each change. */
const pendingMax = 50_000;
/** Milliseconds after which changes whose transactions took long are looked for. */
const againMs = 5_000;
const healthTimeoutMs = 5_000;

export interface UpkeepDeps extends FeedDeps {
  readonly write: Write;
  readonly jobs: JobAdder;
  /** All engines; each is kept whole by itself. */
  readonly engines: readonly SearchEngine[];
}

/** The jobs that keep the engines filled. */
export function upkeepJobs(deps: UpkeepDeps): JobHandler[] {
  return [
    on(indexChanges, ({ engine }, context) => index(deps, engine, context)),
    on(rebuildIndex, ({ engine }, context) => rebuildOne(deps, engine, context)),
    on(keepIndex, (_, context) => keep(deps, context)),
  ];
}

async function index(deps: UpkeepDeps, only: string | undefined, context: JobContext) {
  const engines = deps.engines.filter(({ name }) => only === undefined || name === only);
  const failures: unknown[] = [];
  let told = 0;
  for (const engine of engines) {
    try {
      told += await drain(deps, engine, context.signal);
    } catch (error) {
      context.signal.throwIfAborted();
      // One engine must not wait for the other; for one that is down the changes are kept.
      if (!(error instanceof SearchUnavailableError)) failures.push(error);
      else context.log.info('search engine is down; its changes wait', { engine: engine.name });
    }
  }
  if (told > 0) {
    await deps.write(async (tx, stale) => {
      stale(searchTag);
      await deps.jobs.add(tx, indexChanges, {}, { key: 'again', delayMs: againMs });
    });
  }
  if (failures.length > 0) throw failures[0];
}

async function rebuildOne(deps: UpkeepDeps, name: string, context: JobContext) {
  const engine = deps.engines.find((one) => one.name === name);
  if (engine === undefined) {
    context.log.warn('no such search engine is configured', { engine: name });
    return;
  }
  const documents = await rebuild(deps, engine, context);
  context.log.info('search index rebuilt', { engine: name, documents });
  await deps.write(async (_, stale) => stale(searchTag));
}

async function keep(deps: UpkeepDeps, { signal }: JobContext): Promise<void> {
  await pending.forgetOthers(
    deps.sql,
    deps.engines.map(({ name }) => name),
  );
  for (const engine of deps.engines) await keepOne(deps, engine, signal);
}

async function keepOne(deps: UpkeepDeps, engine: SearchEngine, signal: AbortSignal) {
  const { sql, format, jobs } = deps;
  const { name } = engine;
  const backlog = await pending.backlogOf(sql, name, pendingMax + 1);
  if (backlog.pending > pendingMax) {
    await sql.begin(async (tx) => {
      await pending.clearPending(tx, name);
      await pending.setState(tx, name, { state: 'rebuild', format });
    });
    deps.log.warn('search engine too far behind; it will be filled anew', { engine: name });
  }
  const limited = AbortSignal.any([signal, AbortSignal.timeout(healthTimeoutMs)]);
  const health = await engine.health(limited);
  if (!health.isUp) return;
  if (!health.isReady || !(await pending.isFilled(sql, name, format))) {
    await jobs.add(sql, rebuildIndex, { engine: name }, { key: name });
  } else if (backlog.pending > 0) {
    await jobs.add(sql, indexChanges, { engine: name }, { key: `keep:${name}` });
  }
}
