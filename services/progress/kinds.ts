import type { Queryable } from '#storage/postgres/connect.ts';

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
}

/** What progress asks of a kind of work; it knows kinds by this alone. */
export interface ProgressKind {
  readonly kind: 'movie' | 'episode';
  exists(sql: Queryable, id: string): Promise<boolean>;
  /** Those of the works (at most 200) that exist, in any order. */
  summaries(sql: Queryable, ids: readonly string[]): Promise<ItemSummary[]>;
}
