import type { components } from '#api/types.ts';
import type { Queryable } from '#storage/postgres/connect.ts';
import type { Store } from '../../changes.ts';
import type { ItemImage } from '../../progress/kinds.ts';

/** Where the pictures of works come from. */
export interface ImageLookup {
  /** The chosen picture of each type, by item; items without any are absent. */
  forItems(
    sql: Queryable,
    kind: string,
    ids: readonly string[],
  ): Promise<ReadonlyMap<string, Readonly<Record<string, ItemImage>>>>;
}

/** What series need of the rest of the system. */
export interface SeriesDeps extends Pick<Store, 'sql'> {
  readonly images: ImageLookup;
  readonly now: () => number;
}

type Schemas = components['schemas'];
export type SeriesCard = Schemas['SeriesCard'];
export type SeriesView = Schemas['Series'];
export type EpisodeCard = Schemas['EpisodeCard'];
export type EpisodeView = Schemas['Episode'];

/** Cache tag of everything that lists series. */
export const listTag = 'series';
