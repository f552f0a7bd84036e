import type postgres from 'postgres';
import type { Sql } from '../postgres/connect.ts';
import { analyzeQuery, type AnalyzedText } from './analyze.ts';
import { limits } from './engine.ts';
import type {
  FacetCount,
  Rebuild,
  SearchAnswer,
  SearchEngine,
  SearchHit,
  SearchQuery,
  SearchSchema,
} from './engine.ts';
import { allButOne, lookups, type Lookups } from './postgres-lexemes.ts';
import * as store from './postgres-store.ts';
import { nearest, typosAllowed } from './typos.ts';

const alternativesMax = 5;
const sweepBatch = 5_000;

interface Found {
  readonly rows: readonly store.FoundRow[];
  readonly total: number;
  readonly isTotalExact: boolean;
  /** What found them, for counting facets. */
  readonly lookups: Lookups;
}

/**
 * Search inside PostgreSQL: full text for words and their beginnings, trigrams over the vocabulary
 * for mistyped ones. Needs the tables of migration 9.
 */
export function createPostgresSearch(deps: { sql: Sql; schema: SearchSchema }): SearchEngine {
  const { sql, schema } = deps;
  return {
    name: 'postgres',
    upsert: (documents) => store.upsertDocuments(sql, documents, schema.facets),
    remove: (kind, ids) => store.deleteDocuments(sql, kind, ids),
    query: (query) => answer(sql, query),
    rebuild: () => beginRebuild(deps),
    health: async (signal) => {
      await stoppable(sql`select 1`, signal);
      return { isUp: true, isReady: true };
    },
  };
}

async function answer(sql: Sql, query: SearchQuery): Promise<SearchAnswer> {
  const text = analyzeQuery(query.text, query.prefix);
  const nothing = { hits: [], total: 0, isTotalExact: true, facets: {} };
  if (text.words.length === 0) return nothing;
  const found = await find(sql, query, text);
  if (found.total === 0) return nothing;
  return {
    hits: found.rows.slice(query.offset, query.offset + query.limit).map(hitOf),
    total: found.total,
    isTotalExact: found.isTotalExact,
    facets: await facetsOf(sql, query, found.lookups),
  };
}

const hitOf = (row: store.FoundRow): SearchHit => ({
  kind: row.kind,
  id: row.id,
  title: row.title,
  titles: row.titles,
  people: row.people,
  year: row.year ?? undefined,
  subtitle: row.subtitle ?? undefined,
});

async function find(sql: Sql, query: SearchQuery, text: AnalyzedText): Promise<Found> {
  const singles = text.words.map((word) => [word]);
  const found = await lookUp(sql, query, lookups(text, singles));
  return found.total > 0 ? found : findNear(sql, query, text);
}

async function lookUp(sql: Sql, query: SearchQuery, looked: Lookups): Promise<Found> {
  const { filters, offset, limit } = query;
  const ask = { lookups: looked, filters, limit: offset + limit };
  if (looked.isVague) {
    const first = await stoppable(store.findFirst(sql, ask), query.signal);
    if (first.filter(store.isNamedSo).length >= ask.limit) {
      return { rows: first, total: first.length, isTotalExact: false, lookups: looked };
    }
  }
  const some = await stoppable(store.findSome(sql, ask), query.signal);
  const total = some[0]?.total ?? 0;
  if (total <= store.matchesMax) return { rows: some, total, isTotalExact: true, lookups: looked };
  const prominent = await stoppable(store.findProminent(sql, ask), query.signal);
  const unique = new Map([...some, ...prominent].map((row) => [`${row.kind}:${row.id}`, row]));
  const rows = [...unique.values()].sort(store.byMerit);
  return { rows, total, isTotalExact: false, lookups: looked };
}

/** Nothing has these words: what has words like them; at last, what has all of them but one. */
async function findNear(sql: Sql, query: SearchQuery, text: AnalyzedText): Promise<Found> {
  const meant = await meanings(sql, query, text);
  const isUnknown = (choices: readonly string[], at: number) => choices[0] !== text.words[at];
  const known = meant.map((choices, at) =>
    isUnknown(choices, at) ? choices : choices.slice(0, 1),
  );
  for (const alternatives of meant.some(isUnknown) ? [known, meant] : [meant]) {
    const found = await lookUp(sql, query, lookups(text, alternatives));
    if (found.total > 0) return found;
  }
  const looked = lookups(text, known);
  if (meant.length < 2) return { rows: [], total: 0, isTotalExact: true, lookups: looked };
  const all = allButOne(meant);
  return lookUp(sql, query, { ...looked, all, index: all });
}

/** For each word what it may stand for, best first: itself, when it is a word we know. */
async function meanings(sql: Sql, query: SearchQuery, text: AnalyzedText): Promise<string[][]> {
  const found: string[][] = [];
  for (const [at, word] of text.words.entries()) {
    if (typosAllowed(Array.from(word).length) === 0) {
      found.push([word]);
      continue;
    }
    const isPrefix = text.isLastOpen && at === text.words.length - 1;
    const rows = await stoppable(store.similarWords(sql, word, isPrefix), query.signal);
    const known = rows.map((row) => row.word);
    const near = nearest(word, known, { isPrefix, max: alternativesMax });
    const isKnown = known.some((other) => other === word || (isPrefix && other.startsWith(word)));
    found.push([...new Set(isKnown ? [word, ...near] : [...near, word])]);
  }
  return found;
}

async function facetsOf(
  sql: Sql,
  query: SearchQuery,
  looked: Lookups,
): Promise<Record<string, FacetCount[]>> {
  const fields = query.facets ?? [];
  if (fields.length === 0) return {};
  const ask = { lookups: looked, filters: query.filters, fields };
  const rows = await stoppable(store.countFacets(sql, ask), query.signal);
  const counts: Record<string, FacetCount[]> = Object.fromEntries(fields.map((f) => [f, []]));
  for (const { facet, count } of rows) {
    const cut = facet.indexOf('=');
    const values = counts[facet.slice(0, cut)];
    if (values && values.length < limits.facetValues) {
      values.push({ value: facet.slice(cut + 1), count });
    }
  }
  return counts;
}

/**
 * Refills in place: every document is replaced by its new form, then those that were written by
 * nobody since the beginning are swept away. At no moment is anything missing.
 */
async function beginRebuild({ sql, schema }: { sql: Sql; schema: SearchSchema }): Promise<Rebuild> {
  const generation = await store.nextGeneration(sql);
  return {
    add: (documents) => store.upsertDocuments(sql, documents, schema.facets),
    commit: async (signal) => {
      let swept = sweepBatch;
      while (swept === sweepBatch) {
        signal.throwIfAborted();
        swept = await store.sweepDocuments(sql, generation, sweepBatch);
      }
      await store.sweepWords(sql, generation);
      await sql`analyze shared.search_documents, shared.search_words`;
    },
    abort: async () => undefined,
  };
}

/** A query that is cancelled when nobody waits for it any more. */
async function stoppable<Rows extends readonly (object | undefined)[]>(
  query: postgres.PendingQuery<Rows>,
  signal: AbortSignal | undefined,
): Promise<Rows> {
  signal?.throwIfAborted();
  const stop = () => query.cancel();
  signal?.addEventListener('abort', stop, { once: true });
  try {
    return await query;
  } finally {
    signal?.removeEventListener('abort', stop);
  }
}
