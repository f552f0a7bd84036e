import type { components } from '$api/types';

type Schemas = components['schemas'];
export type EpisodePlace = Schemas['EpisodePlace'];
type MovieCard = Pick<
  Schemas['MovieCard'],
  'id' | 'title' | 'year' | 'durationMs' | 'isAvailable' | 'images' | 'userState'
> &
  Partial<Schemas['MovieCard']>;

/** What a list says of a work beside its name; what is not known or of another kind is left out. */
export interface TileFacts {
  readonly genres?: readonly string[] | undefined;
  /** Out of ten. */
  readonly rating?: number | null | undefined;
  /** `2160p`, `HDR10`. */
  readonly formats?: readonly string[] | undefined;
  readonly sizeBytes?: number | undefined;
  readonly episodes?: number | undefined;
  readonly addedAt?: string | undefined;
}

/** A work of any kind as grids and rows show it; what is said in words, the page says. */
export interface Tile {
  /** One of a kind in any list. */
  readonly key: string;
  readonly kind: 'movie' | 'series' | 'episode';
  readonly id: string;
  /** The page of it. */
  readonly href: string;
  /** The player with it; of a series nothing is played but its episodes. */
  readonly watch: string | undefined;
  readonly title: string;
  readonly year: number | null;
  /** Where an episode stands; its title above is that of its series. */
  readonly place: EpisodePlace | undefined;
  readonly images: Schemas['ItemImages'];
  readonly isAvailable: boolean;
  readonly isWatched: boolean;
  readonly isFavourite: boolean;
  /** Where to go on, 0 for nowhere, and of how much; 0: not known. */
  readonly positionMs: number;
  readonly durationMs: number;
  /** Episodes of a series that are yet to be watched. */
  readonly unwatched: number;
  readonly facts: TileFacts;
}

const stateOf = (
  { isWatched, isFavourite, positionMs, durationMs }: Schemas['UserState'],
  runs: number | null,
) => ({ isWatched, isFavourite, positionMs, durationMs: durationMs ?? runs ?? 0, unwatched: 0 });

/** A film. Pure, as all here. */
export const movieTile = (card: MovieCard): Tile => ({
  ...{ key: `movie ${card.id}`, kind: 'movie', id: card.id, place: undefined },
  ...{ href: `/movies/${card.id}`, watch: `/watch/${card.id}` },
  ...{ title: card.title, year: card.year, images: card.images, isAvailable: card.isAvailable },
  ...stateOf(card.userState, card.durationMs),
  facts: {
    ...{ genres: card.genres, rating: card.rating, sizeBytes: card.sizeBytes },
    ...{ formats: formatsOf(card), addedAt: card.addedAt },
  },
});

/** What is worth a word of how it looks: that a picture is as pictures were is not. */
const formatsOf = ({ resolutions = [], hdrKinds = [] }: MovieCard) => [
  ...resolutions,
  ...hdrKinds.filter((kind) => kind !== 'SDR'),
];

/** A series; watched when all of its episodes but specials are. */
export const seriesTile = (card: Schemas['SeriesCard']): Tile => ({
  ...{ key: `series ${card.id}`, kind: 'series', id: card.id, place: undefined },
  ...{ href: `/series/${card.id}`, watch: undefined },
  ...{ title: card.title, year: card.year, images: card.images, isAvailable: card.isAvailable },
  isWatched: card.episodeCount > 0 && card.watchedCount === card.episodeCount,
  isFavourite: card.isFavourite,
  ...{ positionMs: 0, durationMs: 0, unwatched: card.episodeCount - card.watchedCount },
  facts: { genres: card.genres, episodes: card.episodeCount, addedAt: card.addedAt },
});

/** An episode, under the name of its series. */
export const episodeTile = (card: Schemas['EpisodeCard']): Tile => ({
  ...episodeAt(card.id, card),
  ...{ images: card.images, isAvailable: card.isAvailable },
  ...stateOf(card.userState, card.durationMs),
});

const episodeAt = (id: string, place: EpisodePlace) => ({
  ...{ key: `episode ${id}`, kind: 'episode' as const, id, place, year: null },
  ...{ href: `/episodes/${id}`, watch: `/watch/episode/${id}`, title: place.seriesTitle },
  facts: {},
});

/** An entry of somebody's list, or of somebody's works. */
export function itemTile(item: Omit<Schemas['UserItem'], 'at'>): Tile {
  if (item.kind === 'movie') return movieTile(item);
  const { images, isAvailable } = item;
  const state = stateOf(item.userState, item.durationMs);
  if (item.kind === 'episode' && item.episode !== undefined) {
    return { ...episodeAt(item.id, item.episode), images, isAvailable, ...state };
  }
  return {
    ...{ key: `series ${item.id}`, kind: 'series', id: item.id, place: undefined },
    ...{ href: `/series/${item.id}`, watch: undefined, title: item.title, year: item.year },
    ...{ images, isAvailable, ...state, facts: {} },
  };
}

/** The colour of a work without a picture, as a hue of its own (0–359). */
export const hueOf = (title: string): number =>
  [...title].reduce((sum, c) => (sum * 31 + (c.codePointAt(0) ?? 0)) % 360, 7);

/** Of something that was found, what tells where it leads. */
export const searchHref = ({ kind, id }: Pick<Schemas['SearchItem'], 'kind' | 'id'>): string =>
  `/${kind === 'movie' ? 'movies' : kind === 'episode' ? 'episodes' : 'series'}/${id}`;
