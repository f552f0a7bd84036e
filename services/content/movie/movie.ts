import type { components } from '#api/types.ts';
import type { Cache } from '#storage/cache/cache.ts';
import type { Tx } from '#storage/postgres/connect.ts';
import type { Store } from '../../changes.ts';
import type { SearchChanges } from '../../search/source.ts';
import type { ImageLookup } from '../images.ts';
import type { Kind } from '../module.ts';
import type { Works } from '../works.ts';

/** What films need of the rest of the system. */
export interface MovieDeps extends Store {
  readonly cache: Cache;
  readonly images: ImageLookup;
  readonly search: SearchChanges;
  readonly now: () => number;
  /** Told, in the transaction, that a person has said what ids a work has elsewhere. */
  readonly onIdsSet?: (tx: Tx, kind: Kind, id: string) => Promise<void>;
  /** Told, in the transaction, of works that a person made one or took apart. */
  readonly onItemsChanged?: (tx: Tx, kind: Kind, ids: readonly string[]) => Promise<void>;
  /** 0 to 1; where a shuffled list begins. */
  readonly random: () => number;
}

export type MovieCard = components['schemas']['MovieCard'];
export type MovieView = components['schemas']['Movie'];
export type MoviePage = components['schemas']['MoviePage'];

/** Films, as what all kinds share takes them. */
export const works = { kind: 'movie', table: 'movies' } as const satisfies Works;

/** Cache tag of everything that lists films. */
export const listTag = 'movies';

/** Cache tag of one film. */
export const itemTag = (id: string): string => `movie:${id}`;
