import type { Queryable } from '#storage/postgres/connect.ts';
import type { ItemImage } from '../progress/kinds.ts';

/** Where every kind has the pictures of its works from. */
export interface ImageLookup {
  /** The chosen picture of each type, by item; items without any are absent. */
  forItems(
    sql: Queryable,
    kind: string,
    ids: readonly string[],
  ): Promise<ReadonlyMap<string, Readonly<Record<string, ItemImage>>>>;
}
