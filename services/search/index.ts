import type { Cache } from '#storage/cache/cache.ts';
import {
  limits,
  type SearchEngine,
  type SearchQuery,
  type SearchSchema,
} from '#storage/search/engine.ts';
import type { Store } from '../changes.ts';
import type { JobAdder, JobHandler } from '../jobs/job.ts';
import type { Log } from '../log.ts';
import { createAsk, type Answered } from './ask.ts';
import { createRoutes, type SearchRoutes } from './routes.ts';
import { facetFields, type Decorate, type PersonIds, type SearchSource } from './source.ts';
import { searchTag, upkeepJobs } from './upkeep.ts';

export { createSearchChanges } from './changes.ts';
export { searchTag } from './upkeep.ts';
export type { Decorate, Decoration, PersonIds, SearchChanges, SearchSource } from './source.ts';

/** What engines are told of our documents. Raise `format` when documents or the analyser change. */
export const searchSchema: SearchSchema = { facets: facetFields, format: 3 };

export interface SearchDeps {
  readonly store: Store;
  readonly cache: Cache;
  /** The engine inside PostgreSQL: always filled, and asked when nothing better can answer. */
  readonly fallback: SearchEngine;
  /** A better engine, asked first while it is up and has heard of everything. */
  readonly primary?: SearchEngine | undefined;
  readonly jobs: JobAdder;
  readonly sources: readonly SearchSource[];
  readonly decorate?: Decorate;
  readonly personIds?: PersonIds;
  readonly log: Log;
  readonly now: () => number;
}

/** Finding things of all kinds. */
export interface Search {
  readonly handlers: SearchRoutes;
  readonly jobs: JobHandler[];
  /** For other services; nothing private is found unless `filters.audiences` names it. */
  find(query: SearchQuery): Promise<Answered>;
  /**
   * The engine that is asked first, for the health of the node; undefined: only the fallback is
   * there. Rejects when it is down.
   */
  health(signal: AbortSignal): Promise<{ name: string; isReady: boolean } | undefined>;
}

const resultTtlMs = 30_000;

/** Makes search over the kinds given. */
export function createSearch(deps: SearchDeps): Search {
  const { store, cache, primary, fallback } = deps;
  const { sql, write } = store;
  const log = deps.log.child({ module: 'search' });
  const { format } = searchSchema;
  const engines = primary === undefined ? [fallback] : [primary, fallback];
  const ask = createAsk({ sql, primary, fallback, format, log, now: deps.now });
  const results = cache.define<string, Answered>({
    name: 'search',
    ttlMs: resultTtlMs,
    sharedTtlMs: resultTtlMs,
    load: (key, signal) => ask({ ...readKey(key), signal }),
    tags: () => [searchTag],
  });
  const find = async (query: SearchQuery) => results.get(keyOf(query));
  return {
    handlers: createRoutes({ ...deps, sql, engines, find, format }),
    jobs: upkeepJobs({ ...deps, sql, write, engines, format, log }),
    find,
    async health(signal) {
      if (primary === undefined) return undefined;
      const { isUp, isReady, detail } = await primary.health(signal);
      if (!isUp) throw new Error(`${primary.name}: ${detail ?? 'does not answer'}`);
      return { name: primary.name, isReady };
    },
  };
}

/** A question as a cache key: equal questions, equal keys. */
function keyOf({ text, filters, prefix, limit, offset, facets = [] }: SearchQuery): string {
  const sorted = (values: readonly string[] | undefined) => values && [...values].sort();
  const byField = Object.entries(filters.facets ?? {})
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([field, values]) => [field, sorted(values)]);
  return JSON.stringify([
    text.slice(0, limits.textLength),
    [sorted(filters.audiences), sorted(filters.kinds), filters.yearFrom, filters.yearTo, byField],
    [prefix, limit, offset, sorted(facets)],
  ]);
}

type Key = [
  string,
  [string[], string[] | null, number | null, number | null, [string, string[]][]],
  [boolean, number, number, string[]],
];

function readKey(key: string): SearchQuery {
  const [text, [audiences, kinds, yearFrom, yearTo, byField], rest] = JSON.parse(key) as Key;
  const [prefix, limit, offset, facets] = rest;
  return {
    ...{ text, prefix, limit, offset, facets },
    filters: {
      audiences,
      kinds: kinds ?? undefined,
      yearFrom: yearFrom ?? undefined,
      yearTo: yearTo ?? undefined,
      facets: Object.fromEntries(byField),
    },
  };
}
