import type { components } from '#api/types.ts';
import type { Queryable, Sql, Tx } from '#storage/postgres/connect.ts';
import type { SearchDocument } from '#storage/search/engine.ts';
import type { Permission } from '../principal.ts';

export type { SearchDocument };

/** The audience of everything that is not private. */
export const sharedAudience = 'shared';

/**
 * The facet fields documents may carry. A kind fills those that mean something to it; the names
 * are the ones of `SearchFacets` in api/search.yaml.
 */
export const facetFields = [
  'library',
  'genre',
  'tag',
  'decade',
  'certification',
  'studio',
  'resolution',
  'videoCodec',
  'hdr',
  'audioLanguage',
] as const;
export type FacetField = (typeof facetFields)[number];

/** A document whose facets are fields we know. */
export type SourceDocument = Omit<SearchDocument, 'kind' | 'facets'> & {
  readonly facets: Partial<Record<FacetField, readonly string[]>>;
};

/**
 * What a kind brings so that its items can be found. An item that should not be found (hidden,
 * deleted) is simply not returned, and is removed from the index.
 */
export interface SearchSource {
  readonly kind: string;
  /** What a caller must hold to find items of this kind; absent: `search:read` is enough. */
  readonly permission?: Permission;
  /** The items among `ids` (at most 500) that are to be found, in any order. */
  documents(sql: Queryable, ids: readonly string[]): Promise<SourceDocument[]>;
  /** Ids of all items after `afterId` (undefined: from the first), ascending, at most `limit`. */
  idsAfter(sql: Queryable, afterId: string | undefined, limit: number): Promise<string[]>;
}

/** The side that tells the index of changes; a kind takes it as a dependency. */
export interface SearchChanges {
  /** Notes in the caller's transaction that items were added, changed or deleted. */
  changed(tx: Sql | Tx, kind: string, ids: readonly string[]): Promise<void>;
}

/** A picture to show beside a result. */
export interface Poster {
  readonly url: string;
  readonly blurhash: string;
}

/** What a result is shown with, besides what was found. */
export interface Decoration {
  readonly poster?: Poster;
  /** Where an episode stands. */
  readonly episode?: components['schemas']['EpisodePlace'];
}

/** Ids of people by their names; who is not known is absent. */
export type PersonIds = (names: readonly string[]) => Promise<ReadonlyMap<string, string>>;

/** Finds what results are shown with; who has nothing is absent. By `<kind>:<id>`. */
export type Decorate = (
  items: readonly { kind: string; id: string }[],
) => Promise<ReadonlyMap<string, Decoration>>;
