import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { Client } from 'typesense';
import type { Log } from '../log.ts';
import { createBreaker, type Breaker } from '../breaker.ts';
import { DocumentRefusedError, SearchUnavailableError } from './engine.ts';
import type {
  Rebuild,
  SearchAnswer,
  SearchDocument,
  SearchEngine,
  SearchQuery,
  SearchSchema,
} from './engine.ts';
import {
  answerOf,
  anyOf,
  collectionSchema,
  documentId,
  searchParameters,
  stored,
  type TypesenseResult,
} from './typesense-documents.ts';

export interface TypesenseOptions {
  /** Where it is; several nodes of a cluster are separated by commas. */
  readonly url: string;
  readonly apiKey: string;
  /** The alias that is searched; collections are `<name>_f<format>_<time>`. */
  readonly name?: string;
  /** Milliseconds a search may take in all, so that another engine can still be asked. */
  readonly searchTimeoutMs?: number;
  /** Milliseconds one try of a small request may take. */
  readonly timeoutMs?: number;
  /** Milliseconds a batch of documents may take. */
  readonly importTimeoutMs?: number;
}

/** A search engine with connections to close. */
export type TypesenseEngine = SearchEngine & AsyncDisposable;

interface Parts {
  readonly client: Client;
  readonly importer: Client;
  readonly schema: SearchSchema;
  readonly breaker: Breaker;
  readonly alias: string;
  /** Points at the collection being filled, so that every node's changes reach it too. */
  readonly nextAlias: string;
  readonly searchTimeoutMs: number;
  readonly now: () => number;
  readonly log: Log;
}

const deleteBatch = 40;
const failuresMax = 3;
const openMs = 10_000;

/**
 * Search by a Typesense server (30 or newer) through its own client, after its published OpenAPI
 * contract. An alias names the collection that answers; a rebuild fills another one and swaps.
 */
export function createTypesenseSearch(
  deps: { schema: SearchSchema; log: Log; now: () => number },
  options: TypesenseOptions,
): TypesenseEngine {
  const { schema, now } = deps;
  const agents = {
    httpAgent: new HttpAgent({ keepAlive: true, maxSockets: 32 }),
    httpsAgent: new HttpsAgent({ keepAlive: true, maxSockets: 32 }),
  };
  const alias = options.name ?? 'revenge';
  const parts: Parts = {
    client: connect(options, { ...agents, timeoutMs: options.timeoutMs ?? 2_000 }),
    importer: connect(options, { ...agents, timeoutMs: options.importTimeoutMs ?? 30_000 }),
    schema,
    breaker: createBreaker({ now }, { failuresMax, openMs }),
    alias,
    nextAlias: `${alias}_next`,
    searchTimeoutMs: options.searchTimeoutMs ?? 1_500,
    now,
    log: deps.log.child({ module: 'typesense' }),
  };
  return {
    name: 'typesense',
    upsert: (documents, signal) => upsert(parts, documents, signal),
    remove: (kind, ids, signal) => remove(parts, { kind, ids }, signal),
    query: (query) => search(parts, query),
    rebuild: (signal) => beginRebuild(parts, signal),
    health: (signal) => health(parts, signal),
    [Symbol.asyncDispose]: async () => {
      agents.httpAgent.destroy();
      agents.httpsAgent.destroy();
    },
  };
}

function connect(
  { url, apiKey }: TypesenseOptions,
  { timeoutMs, ...agents }: { timeoutMs: number; httpAgent: HttpAgent; httpsAgent: HttpsAgent },
): Client {
  return new Client({
    nodes: url.split(',').map((node) => ({ url: node.trim().replace(/\/+$/, '') })),
    apiKey,
    connectionTimeoutSeconds: timeoutMs / 1_000,
    numRetries: 1,
    retryIntervalSeconds: 0.1,
    healthcheckIntervalSeconds: 5,
    // It would write to the console, request bodies included; what failed is ours to log.
    logLevel: 'silent',
    ...agents,
  });
}

/** Runs one request; a failure becomes ours, without the client's error: it holds the API key. */
async function ask<T>(parts: Parts, signal: AbortSignal, request: () => Promise<T>): Promise<T> {
  signal.throwIfAborted();
  if (!parts.breaker.mayTry()) {
    throw new SearchUnavailableError('typesense', 'not asked; it did not answer before');
  }
  try {
    const answer = await request();
    parts.breaker.succeeded();
    return answer;
  } catch (error) {
    const isLate = (signal.reason as Error | undefined)?.name === 'TimeoutError';
    if (signal.aborted && !isLate) throw signal.reason;
    const status = statusOf(error);
    if (status === undefined || status >= 500) {
      parts.breaker.failed();
      if (parts.breaker.state() === 'open') parts.log.warn('typesense does not answer', { status });
    } else parts.breaker.succeeded();
    throw isLate ? new SearchUnavailableError('typesense', 'too slow') : asUnavailable(error);
  }
}

const statusOf = (error: unknown): number | undefined =>
  (error as { httpStatus?: number }).httpStatus ??
  (error as { response?: { status?: number } }).response?.status;

/** A failure of ours that still tells the status. */
function asUnavailable(error: unknown): SearchUnavailableError {
  const status = statusOf(error);
  const { message, code } = error as { message?: string; code?: string };
  const detail = code ?? message?.slice(0, 200) ?? 'failed';
  const ours = new SearchUnavailableError('typesense', detail);
  return Object.assign(ours, status === undefined ? {} : { httpStatus: status });
}

/** Nothing when it is not there: 404 is an answer. */
async function askMaybe<T>(
  parts: Parts,
  signal: AbortSignal,
  request: () => Promise<T>,
): Promise<T | undefined> {
  try {
    return await ask(parts, signal, request);
  } catch (error) {
    if (statusOf(error) === 404) return undefined;
    throw error;
  }
}

async function search(parts: Parts, query: SearchQuery): Promise<SearchAnswer> {
  const late = AbortSignal.timeout(parts.searchTimeoutMs);
  const signal = query.signal ? AbortSignal.any([query.signal, late]) : late;
  const parameters = searchParameters(query, parts.alias);
  const nothing = { hits: [], total: 0, isTotalExact: true, facets: {} };
  const { audiences, kinds, facets } = query.filters;
  const lists = [audiences, ...(kinds ? [kinds] : []), ...Object.values(facets ?? {})];
  // Typesense takes neither an empty question nor an empty list for what they are.
  if (parameters.q === '' || lists.some((list) => list.length === 0)) return nothing;
  const unknown = [...Object.keys(facets ?? {}), ...(query.facets ?? [])].filter(
    (field) => !parts.schema.facets.includes(field),
  );
  if (unknown.length > 0) return nothing;
  const { results } = await ask(parts, signal, () =>
    parts.client.apiCall.post<{ results: TypesenseResult[] }>(
      '/multi_search',
      { searches: [parameters] },
      {},
      {},
      { abortSignal: signal },
    ),
  );
  const [result] = results;
  if (result === undefined || result.error !== undefined) {
    // A search that fails inside a batch is told with status 200.
    throw new SearchUnavailableError('typesense', result?.error?.slice(0, 200) ?? 'no result');
  }
  return answerOf(result);
}

async function upsert(
  parts: Parts,
  documents: readonly SearchDocument[],
  signal: AbortSignal,
): Promise<void> {
  if (documents.length === 0) return;
  for (const target of [parts.alias, parts.nextAlias]) {
    await importInto(parts, { target, documents }, signal);
  }
}

/**
 * Sends JSON lines and reads the verdict on each: the status is 200 even if all were refused.
 * False: there is no such collection.
 */
async function importInto(
  parts: Parts,
  { target, documents }: { target: string; documents: readonly SearchDocument[] },
  signal: AbortSignal,
): Promise<boolean> {
  const lines = documents.map((document) => JSON.stringify(stored(document, parts.schema)));
  const answer = await askMaybe(parts, signal, () =>
    parts.importer.apiCall.post<string>(
      `/collections/${encodeURIComponent(target)}/documents/import`,
      lines.join('\n'),
      { action: 'upsert', dirty_values: 'coerce_or_reject' },
      { 'Content-Type': 'application/octet-stream' },
      { abortSignal: signal, responseType: 'text' },
    ),
  );
  if (answer === undefined) return false;
  const verdicts = answer
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as { success: boolean; error?: string });
  const refused = verdicts.find(({ success }) => !success);
  if (refused) throw new DocumentRefusedError('typesense', refused.error ?? 'it does not say why');
  if (verdicts.length !== lines.length) {
    throw new SearchUnavailableError('typesense', 'it did not answer for every document');
  }
  return true;
}

async function remove(
  parts: Parts,
  { kind, ids }: { kind: string; ids: readonly string[] },
  signal: AbortSignal,
): Promise<void> {
  for (let from = 0; from < ids.length; from += deleteBatch) {
    const some = ids.slice(from, from + deleteBatch).map((id) => documentId(kind, id));
    for (const target of [parts.alias, parts.nextAlias]) {
      await askMaybe(parts, signal, () =>
        parts.client
          .collections(target)
          .documents()
          .delete({ filter_by: `id:${anyOf(some)}` }),
      );
    }
  }
}

const targetOf = async (parts: Parts, alias: string, signal: AbortSignal) =>
  (await askMaybe(parts, signal, () => parts.client.aliases(alias).retrieve()))?.collection_name;

const prefixOf = ({ alias, schema }: Parts): string => `${alias}_f${schema.format}_`;

async function beginRebuild(parts: Parts, signal: AbortSignal): Promise<Rebuild> {
  const { client, alias, nextAlias } = parts;
  const live = await targetOf(parts, alias, signal);
  await sweep(parts, [live], signal);
  // Later than the live one's even if the clock stands still or was set back.
  const serial = Math.max(parts.now(), Number(live?.split('_').at(-1) ?? 0) + 1);
  const name = `${prefixOf(parts)}${serial}`;
  await ask(parts, signal, () => client.collections().create(collectionSchema(name, parts.schema)));
  await ask(parts, signal, () => client.aliases().upsert(nextAlias, { collection_name: name }));
  return {
    add: async (documents, signal) => {
      if (documents.length === 0) return;
      if (await importInto(parts, { target: name, documents }, signal)) return;
      throw new SearchUnavailableError('typesense', 'another rebuild took over');
    },
    commit: async (signal) => {
      if ((await targetOf(parts, nextAlias, signal)) !== name) {
        throw new SearchUnavailableError('typesense', 'another rebuild took over');
      }
      await ask(parts, signal, () => client.aliases().upsert(alias, { collection_name: name }));
      await askMaybe(parts, signal, () => client.aliases(nextAlias).delete());
      await sweep(parts, [name], signal);
    },
    abort: async (signal) => {
      if ((await targetOf(parts, nextAlias, signal)) !== name) return;
      await askMaybe(parts, signal, () => client.aliases(nextAlias).delete());
      await askMaybe(parts, signal, () => client.collections(name).delete());
    },
  };
}

/** Deletes our collections that nothing points at any more. */
async function sweep(
  parts: Parts,
  keep: readonly (string | undefined)[],
  signal: AbortSignal,
): Promise<void> {
  const ours = new RegExp(`^${parts.alias}_f\\d+_\\d+$`);
  const all = await ask(parts, signal, () => parts.client.collections().retrieve());
  for (const { name } of all) {
    if (!ours.test(name) || keep.includes(name)) continue;
    await askMaybe(parts, signal, () => parts.client.collections(name).delete());
  }
}

async function health(parts: Parts, signal: AbortSignal) {
  try {
    const { ok } = await ask(parts, signal, () => parts.client.health.retrieve());
    if (!ok) return { isUp: false, isReady: false, detail: 'it is not ready' };
    const target = await targetOf(parts, parts.alias, signal);
    return { isUp: true, isReady: target?.startsWith(prefixOf(parts)) ?? false };
  } catch (error) {
    if (!(error instanceof SearchUnavailableError)) throw error;
    return { isUp: false, isReady: false, detail: error.message };
  }
}
