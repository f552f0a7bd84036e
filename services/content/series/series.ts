import type { components } from '#api/types.ts';
import type { Tx } from '#storage/postgres/connect.ts';
import type { Store } from '../../changes.ts';
import type { SearchChanges } from '../../search/source.ts';
import type { ImageLookup } from '../images.ts';
import type { Kind } from '../module.ts';
import type { Works } from '../works.ts';

/** What series need of the rest of the system. */
export interface SeriesDeps extends Store {
  readonly images: ImageLookup;
  readonly search: SearchChanges;
  readonly now: () => number;
  /** Told, in the transaction, that a person has said what ids a work has elsewhere. */
  readonly onIdsSet?: (tx: Tx, kind: Kind, id: string) => Promise<void>;
  /** Told, in the transaction, that a person has said in which order its episodes count. */
  readonly onOrderSet?: (tx: Tx, kind: Kind, id: string) => Promise<void>;
  /** Told, in the transaction, of works that a person made one or took apart. */
  readonly onItemsChanged?: (tx: Tx, kind: Kind, ids: readonly string[]) => Promise<void>;
}

type Schemas = components['schemas'];
export type SeriesCard = Schemas['SeriesCard'];
export type SeriesPage = Schemas['SeriesPage'];
export type SeriesFilters = Schemas['SeriesFilters'];
export type SeriesView = Schemas['Series'];
export type SeasonView = Schemas['Season'];
export type EpisodeCard = Schemas['EpisodeCard'];
export type EpisodeView = Schemas['Episode'];

/** Series, as what all kinds share takes them. */
export const works = { kind: 'series', table: 'series' } as const satisfies Works;

/** Cache tag of everything that lists series. */
export const listTag = 'series';

/** Cache tag of one series. */
export const itemTag = (id: string): string => `series:${id}`;
