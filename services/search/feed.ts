import type { Queryable, Sql, Tx } from '#storage/postgres/connect.ts';
import {
  DocumentRefusedError,
  type Rebuild,
  type SearchDocument,
  type SearchEngine,
} from '#storage/search/engine.ts';
import type { Log } from '../log.ts';
import * as pending from './pending.ts';
import type { SearchSource, SourceDocument } from './source.ts';

/** What it takes to fill engines. */
export interface FeedDeps {
  readonly sql: Sql;
  readonly sources: readonly SearchSource[];
  readonly format: number;
  readonly log: Log;
}

const batchMax = 128;
/** An engine may keep a transaction waiting for less than PostgreSQL lets it be idle (60 s). */
const stepTimeoutMs = 45_000;

/**
 * Tells an engine of pending changes until there are none; resolves to how many it was told of.
 * Each batch is read and stored under the engine's lock, so that an older state of an item never
 * overtakes a newer one; it is struck out only after it was stored.
 */
export async function drain(deps: FeedDeps, engine: SearchEngine, signal: AbortSignal) {
  let told = 0;
  for (;;) {
    signal.throwIfAborted();
    const step = await deps.sql.begin((tx) => drainOnce(deps, { tx, engine, signal }));
    told += step;
    if (step < batchMax) return told;
  }
}

interface Step {
  readonly tx: Tx;
  readonly engine: SearchEngine;
  readonly signal: AbortSignal;
}

async function drainOnce(deps: FeedDeps, { tx, engine, signal }: Step): Promise<number> {
  if (!(await pending.tryEngineLock(tx, engine.name))) return 0;
  const changes = await pending.oldestPending(tx, engine.name, batchMax);
  const byKind = Map.groupBy(changes, ({ kind }) => kind);
  const limited = AbortSignal.any([signal, AbortSignal.timeout(stepTimeoutMs)]);
  for (const [kind, some] of byKind) {
    const ids = [...new Set(some.map(({ itemId }) => itemId))];
    const documents = await documentsOf(deps, tx, { kind, ids });
    await storeAll(deps, documents, (list) => engine.upsert(list, limited));
    const there = new Set(documents.map(({ id }) => id));
    const gone = ids.filter((id) => !there.has(id));
    if (gone.length > 0) await engine.remove(kind, gone, limited);
  }
  await pending.deletePending(
    tx,
    changes.map(({ seq }) => seq),
  );
  return changes.length;
}

async function documentsOf(
  { sources }: FeedDeps,
  sql: Queryable,
  { kind, ids }: { kind: string; ids: readonly string[] },
): Promise<SearchDocument[]> {
  const source = sources.find((one) => one.kind === kind);
  if (source === undefined) return [];
  return (await source.documents(sql, ids)).map((document) => clean(kind, document));
}

const yearMax = 9_999;

/** Whatever a file's tags held, an engine gets text without NULs and numbers in their range. */
function clean(kind: string, document: SourceDocument): SearchDocument {
  const text = (value: string) => value.replaceAll('\0', '').toWellFormed();
  const { year, rank, facets } = document;
  const isYear = Number.isInteger(year) && year !== undefined && year >= 0 && year <= yearMax;
  return {
    ...document,
    kind,
    title: text(document.title),
    titles: document.titles.map(text),
    people: document.people.map(text),
    keywords: document.keywords.map(text),
    subtitle: document.subtitle === undefined ? undefined : text(document.subtitle),
    year: isYear ? year : undefined,
    rank: Number.isFinite(rank) ? Math.min(Math.max(rank, 0), 1) : 0,
    facets: Object.fromEntries(
      Object.entries(facets).map(([field, values]) => [
        field,
        [...new Set(values.map(text))].filter((value) => value !== ''),
      ]),
    ),
  };
}

/** Stores what can be stored: one document that is refused must not keep all others out. */
async function storeAll(
  deps: Pick<FeedDeps, 'log'>,
  documents: readonly SearchDocument[],
  store: (some: readonly SearchDocument[]) => Promise<void>,
): Promise<void> {
  if (documents.length === 0) return;
  try {
    await store(documents);
  } catch (error) {
    if (!(error instanceof DocumentRefusedError)) throw error;
    if (documents.length === 1) {
      const [{ kind, id } = { kind: '', id: '' }] = documents;
      deps.log.error('a document cannot be indexed', { kind, id, error: error.message });
      return;
    }
    const half = Math.ceil(documents.length / 2);
    await storeAll(deps, documents.slice(0, half), store);
    await storeAll(deps, documents.slice(half), store);
  }
}

/** What a rebuild tells of its progress. */
export interface RebuildContext {
  readonly signal: AbortSignal;
  progress(done: number, total: number): void;
}

/**
 * Fills an engine anew from PostgreSQL while the old index answers; resolves to the number of
 * documents. Changes made meanwhile reach the new index through `drain`, here or on other nodes.
 */
export async function rebuild(
  deps: FeedDeps,
  engine: SearchEngine,
  context: RebuildContext,
): Promise<number> {
  const { signal } = context;
  const made = await locked(deps, engine, () => engine.rebuild(signal));
  try {
    const done = await fill(deps, { engine, made, context });
    await locked(deps, engine, async (tx) => {
      await made.commit(signal);
      await pending.setState(tx, engine.name, { state: 'ready', format: deps.format });
    });
    return done;
  } catch (error) {
    await made.abort(AbortSignal.timeout(stepTimeoutMs)).catch((cause: unknown) => {
      // The next rebuild clears away what this one leaves behind.
      deps.log.warn('a failed rebuild could not be cleared away', { error: String(cause) });
    });
    throw error;
  }
}

interface Filling {
  readonly engine: SearchEngine;
  readonly made: Rebuild;
  readonly context: RebuildContext;
}

async function fill(deps: FeedDeps, { engine, made, context }: Filling): Promise<number> {
  let done = 0;
  for (const source of deps.sources) {
    let last: string | undefined;
    for (;;) {
      context.signal.throwIfAborted();
      const ids = await locked(deps, engine, (tx) =>
        fillOnce(deps, { tx, source, made, afterId: last, signal: context.signal }),
      );
      done += ids.length;
      context.progress(done, done);
      last = ids.at(-1);
      if (ids.length < batchMax) break;
    }
  }
  return done;
}

interface FillStep {
  readonly tx: Tx;
  readonly source: SearchSource;
  readonly made: Rebuild;
  readonly afterId: string | undefined;
  readonly signal: AbortSignal;
}

async function fillOnce(deps: FeedDeps, step: FillStep): Promise<string[]> {
  const { tx, source, made, afterId } = step;
  const ids = await source.idsAfter(tx, afterId, batchMax);
  if (ids.length === 0) return [];
  const documents = await documentsOf(deps, tx, { kind: source.kind, ids });
  const signal = AbortSignal.any([step.signal, AbortSignal.timeout(stepTimeoutMs)]);
  await storeAll(deps, documents, (some) => made.add(some, signal));
  return ids;
}

async function locked<T>(
  { sql }: FeedDeps,
  engine: SearchEngine,
  work: (tx: Tx) => Promise<T>,
): Promise<T> {
  const result = await sql.begin(async (tx) => {
    await pending.engineLock(tx, engine.name);
    return { value: await work(tx) };
  });
  return result.value;
}
