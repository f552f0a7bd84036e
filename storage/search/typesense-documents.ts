import type { CollectionCreateSchema } from 'typesense/lib/Typesense/Collections.js';
import { analyzeQuery, compounds, lexemesOf, tokens } from './analyze.ts';
import { limits } from './engine.ts';
import type {
  FacetCount,
  SearchAnswer,
  SearchDocument,
  SearchFilters,
  SearchHit,
  SearchQuery,
  SearchSchema,
} from './engine.ts';

/**
 * What a document is in Typesense. The `*_words` fields are searched and hold words as our own
 * analyser cuts them, so that both engines agree; the others are only stored, to be shown.
 */
export interface StoredDocument {
  readonly id: string;
  readonly kind: string;
  readonly item_id: string;
  readonly audience: string;
  readonly title: string;
  readonly titles: readonly string[];
  readonly people: readonly string[];
  readonly subtitle?: string;
  readonly year?: number;
  readonly rank: number;
  readonly added_at: number;
  readonly title_words: string;
  readonly titles_words: readonly string[];
  readonly people_words: readonly string[];
  readonly keyword_words: readonly string[];
  readonly [facet: `facet_${string}`]: readonly string[];
}

/** The searched fields with their weights. */
const searched = {
  title_words: 10,
  titles_words: 8,
  people_words: 4,
  keyword_words: 1,
} as const;

const facetField = (field: string) => `facet_${field}` as const;

/** The id of a document: Typesense knows only one. */
export const documentId = (kind: string, id: string): string => `${kind}-${id}`;

/** The collection that holds documents of this schema. */
export function collectionSchema(name: string, schema: SearchSchema): CollectionCreateSchema {
  const stored = { index: false, optional: true } as const;
  return {
    name,
    fields: [
      { name: 'kind', type: 'string', facet: true },
      { name: 'audience', type: 'string', facet: true },
      { name: 'title_words', type: 'string' },
      { name: 'titles_words', type: 'string[]' },
      { name: 'people_words', type: 'string[]' },
      { name: 'keyword_words', type: 'string[]' },
      { name: 'year', type: 'int32', optional: true },
      { name: 'rank', type: 'float' },
      { name: 'added_at', type: 'int64' },
      ...schema.facets.map((field) => ({
        name: facetField(field),
        type: 'string[]' as const,
        facet: true,
        optional: true,
      })),
      { name: 'item_id', type: 'string', ...stored },
      { name: 'title', type: 'string', ...stored },
      { name: 'titles', type: 'string[]', ...stored },
      { name: 'people', type: 'string[]', ...stored },
      { name: 'subtitle', type: 'string', ...stored },
    ],
    default_sorting_field: 'rank',
  };
}

/** A document as it is sent. */
export function stored(document: SearchDocument, schema: SearchSchema): StoredDocument {
  const titles = document.titles.slice(0, limits.titles);
  const people = document.people.slice(0, limits.people);
  const keywords = document.keywords.slice(0, limits.keywords);
  const { kind, id, audience, title, subtitle, year, rank } = document;
  return {
    id: documentId(kind, id),
    kind,
    item_id: id,
    audience,
    title,
    titles,
    people,
    ...(subtitle === undefined ? {} : { subtitle }),
    ...(year === undefined ? {} : { year }),
    rank,
    added_at: Math.floor(document.addedAt.getTime() / 1_000),
    title_words: line(title),
    titles_words: titles.map(line),
    people_words: people.map(line),
    keyword_words: [...keywords.map(line), ...(year === undefined ? [] : [String(year)])],
    ...Object.fromEntries(
      schema.facets.map((field) => [facetField(field), document.facets[field] ?? []]),
    ),
  };
}

function line(text: string): string {
  const found = tokens(text);
  return [...found.flatMap(lexemesOf), ...compounds(text, found)].join(' ');
}

/** One search as Typesense takes it. */
export function searchParameters(query: SearchQuery, collection: string) {
  const text = analyzeQuery(query.text, query.prefix);
  const facets = (query.facets ?? []).map(facetField);
  return {
    collection,
    q: text.phrase,
    query_by: Object.keys(searched).join(','),
    query_by_weights: Object.values(searched).join(','),
    prefix: String(text.isLastOpen),
    num_typos: '2',
    min_len_1typo: 4,
    min_len_2typo: 8,
    typo_tokens_threshold: 1,
    drop_tokens_threshold: 1,
    filter_by: filterBy(query.filters),
    sort_by: '_text_match:desc,rank:desc,added_at:desc',
    ...(facets.length === 0 ? {} : { facet_by: facets.join(',') }),
    max_facet_values: limits.facetValues,
    limit: query.limit,
    offset: query.offset,
    include_fields: 'kind,item_id,title,titles,people,subtitle,year',
    highlight_fields: 'none',
    enable_synonyms: false,
    enable_curations: false,
  };
}

function filterBy(filters: SearchFilters): string {
  const parts = [`audience:=${anyOf(filters.audiences)}`];
  if (filters.kinds) parts.push(`kind:=${anyOf(filters.kinds)}`);
  if (filters.yearFrom !== undefined) parts.push(`year:>=${filters.yearFrom}`);
  if (filters.yearTo !== undefined) parts.push(`year:<=${filters.yearTo}`);
  for (const [field, values] of Object.entries(filters.facets ?? {})) {
    parts.push(`${facetField(field)}:=${anyOf(values)}`);
  }
  return parts.join(' && ');
}

/** A list of exact values. Back-ticks quote a value and cannot stand inside one. */
export const anyOf = (values: readonly string[]): string =>
  `[${values.map((value) => `\`${value.replaceAll('`', ' ')}\``).join(',')}]`;

/** The part of an answer that is used. */
export interface TypesenseResult {
  readonly found?: number;
  readonly search_cutoff?: boolean;
  readonly hits?: readonly { readonly document: StoredDocument }[];
  readonly facet_counts?: readonly {
    readonly field_name: string;
    readonly counts: readonly { readonly value: string; readonly count: number }[];
  }[];
  readonly code?: number;
  readonly error?: string;
}

/** An answer of Typesense as ours. */
export function answerOf(result: TypesenseResult): SearchAnswer {
  const facets: Record<string, readonly FacetCount[]> = {};
  for (const { field_name: name, counts } of result.facet_counts ?? []) {
    facets[name.slice('facet_'.length)] = counts
      .slice(0, limits.facetValues)
      .map(({ value, count }) => ({ value, count }));
  }
  return {
    hits: (result.hits ?? []).map(({ document }) => hitOf(document)),
    total: result.found ?? 0,
    isTotalExact: result.search_cutoff !== true,
    facets,
  };
}

const hitOf = (document: StoredDocument): SearchHit => ({
  kind: document.kind,
  id: document.item_id,
  title: document.title,
  titles: document.titles,
  people: document.people,
  year: document.year,
  subtitle: document.subtitle,
});
