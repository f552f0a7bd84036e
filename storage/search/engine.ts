/**
 * What a search engine is: it keeps documents, finds them by words typed by people, and can be
 * filled anew without going dark. Two implement it, PostgreSQL and Typesense; both pass
 * `contract.ts`, so that whoever asks need not know which one answers.
 */

/** One findable thing. Everything in it may be shown to whoever may see its `audience`. */
export interface SearchDocument {
  readonly kind: string;
  /** A UUID; unique within its kind. */
  readonly id: string;
  /** Who may find it: `shared` for all; any other only when a query names it. */
  readonly audience: string;
  readonly title: string;
  /** Other names of it: original, other languages, alternates, sort title; at most 30 are kept. */
  readonly titles: readonly string[];
  /** Names of people and bodies in order of importance; at most 30 are kept. */
  readonly people: readonly string[];
  /** More words to be found by, never shown: identifiers of other systems, tags; at most 50. */
  readonly keywords: readonly string[];
  readonly year: number | undefined;
  /** One short line to show under the title; not searched. */
  readonly subtitle: string | undefined;
  /** Values to filter by and to count, by field; fields the engine was not told of are dropped. */
  readonly facets: Readonly<Record<string, readonly string[]>>;
  /** How prominent it is, 0 to 1: orders what matches equally well. */
  readonly rank: number;
  readonly addedAt: Date;
}

/** What a query is limited to; everything named must hold. */
export interface SearchFilters {
  readonly audiences: readonly string[];
  readonly kinds?: readonly string[] | undefined;
  /** Per field the values of which one must be there; an unknown field matches nothing. */
  readonly facets?: Readonly<Record<string, readonly string[]>> | undefined;
  readonly yearFrom?: number | undefined;
  readonly yearTo?: number | undefined;
}

/** One question. Text beyond `limits.textLength` characters or `limits.words` words is cut off. */
export interface SearchQuery {
  readonly text: string;
  readonly filters: SearchFilters;
  /** True while somebody is typing: the last word may be unfinished. */
  readonly prefix: boolean;
  /** 1 to `limits.page`. */
  readonly limit: number;
  /** 0 to `limits.offset`. */
  readonly offset: number;
  /** Fields to count the values of; none: no counting. */
  readonly facets?: readonly string[] | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** One found document, without what only filters need. */
export interface SearchHit {
  readonly kind: string;
  readonly id: string;
  readonly title: string;
  readonly titles: readonly string[];
  readonly people: readonly string[];
  readonly year: number | undefined;
  readonly subtitle: string | undefined;
}

/** How often one value of a field occurs among what was found. */
export interface FacetCount {
  readonly value: string;
  readonly count: number;
}

export interface SearchAnswer {
  readonly hits: readonly SearchHit[];
  /** Documents found; a lower bound when `isTotalExact` is false. */
  readonly total: number;
  readonly isTotalExact: boolean;
  /** By field, most frequent first, at most `limits.facetValues` each. */
  readonly facets: Readonly<Record<string, readonly FacetCount[]>>;
}

/** A fresh index in the making; the old one answers until `commit`. */
export interface Rebuild {
  /** At most `limits.batch` documents. */
  add(documents: readonly SearchDocument[], signal: AbortSignal): Promise<void>;
  /** The new index takes over; what was not added (nor upserted meanwhile) is gone. */
  commit(signal: AbortSignal): Promise<void>;
  /** Forgets what was added; safe to call after a failure. */
  abort(signal: AbortSignal): Promise<void>;
}

export interface SearchEngine {
  readonly name: string;
  /**
   * Stores documents, replacing those of the same kind and id; at most `limits.batch`. While a
   * rebuild goes on anywhere, they reach the new index too. Throws DocumentRefusedError when one
   * of them cannot be stored; none or some of the others then are.
   */
  upsert(documents: readonly SearchDocument[], signal: AbortSignal): Promise<void>;
  /** Removes documents; unknown ids are no fault. At most `limits.batch`. */
  remove(kind: string, ids: readonly string[], signal: AbortSignal): Promise<void>;
  /** Best first. Throws SearchUnavailableError when the engine cannot answer. */
  query(query: SearchQuery): Promise<SearchAnswer>;
  /** Begins to fill a new index; one that was begun before and never committed is dropped. */
  rebuild(signal: AbortSignal): Promise<Rebuild>;
  /** Whether it answers, and whether it has an index of this program's format to answer from. */
  health(signal: AbortSignal): Promise<{ isUp: boolean; isReady: boolean; detail?: string }>;
}

/** What every engine is told about the documents it will hold. */
export interface SearchSchema {
  /** The facet fields, in camelCase; raise `format` when they change. */
  readonly facets: readonly string[];
  /** A rising number; an index of another format is rebuilt. */
  readonly format: number;
}

/** Everything has a limit. */
export const limits = {
  textLength: 200,
  words: 10,
  wordLength: 40,
  titles: 30,
  people: 30,
  keywords: 50,
  page: 200,
  offset: 1_000,
  batch: 1_000,
  facetValues: 50,
} as const;

/** The engine will never take a document as it is; trying again is of no use. */
export class DocumentRefusedError extends Error {
  constructor(engine: string, detail: string) {
    super(`${engine} refused a document: ${detail}`);
    this.name = 'DocumentRefusedError';
  }
}

/** The engine is down, too slow, or answers nonsense; someone else should be asked. */
export class SearchUnavailableError extends Error {
  readonly engine: string;

  constructor(engine: string, detail: string) {
    super(`${engine}: ${detail}`);
    this.name = 'SearchUnavailableError';
    this.engine = engine;
  }
}
