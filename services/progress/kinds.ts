import type { components } from '#api/types.ts';
import type { Queryable } from '#storage/postgres/connect.ts';
import type { Limited } from '../visible.ts';

/** A picture of a work. */
export interface ItemImage {
  readonly url: string;
  readonly blurhash: string;
  readonly width: number;
  readonly height: number;
}

/** What a list of works of all kinds shows of one. */
export interface ItemSummary {
  readonly id: string;
  readonly title: string;
  readonly year: number | null;
  readonly durationMs: number | null;
  readonly isAvailable: boolean;
  readonly images: Readonly<Record<string, ItemImage>>;
  /** Ids elsewhere, by source; only exports need them. */
  readonly externalIds: Readonly<Record<string, string>>;
  /** Where an episode stands. */
  readonly episode?: components['schemas']['EpisodePlace'];
}

/** What progress asks of a kind of work; it knows kinds by this alone. */
export interface ProgressKind {
  readonly kind: components['schemas']['ItemKind'];
  exists(sql: Queryable, id: string, viewer: Limited): Promise<boolean>;
  /** Those of the works (at most 200) that are there for the viewer, in any order. */
  summaries(sql: Queryable, ids: readonly string[], viewer: Limited): Promise<ItemSummary[]>;
  /** A condition: the work with the id in this column is there for the viewer. */
  seen(sql: Queryable, viewer: Limited, id: ReturnType<Queryable>): ReturnType<Queryable>;
}

/** What is watched in parts (a season, a series): to mark it is to mark those. */
export interface CompoundKind {
  readonly kind: 'season' | 'series';
  /** The kind of its parts. */
  readonly of: ProgressKind['kind'];
  /** Ids of its parts; undefined: there is no such thing. */
  parts(sql: Queryable, id: string, viewer: Limited): Promise<readonly string[] | undefined>;
}
