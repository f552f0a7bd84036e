import { labelOf } from '../episode-label';
import type { Episode, EpisodeCard, Movie, Series } from '../types';

/** What the player knows of a work of any kind. */
export interface Work extends Pick<Movie, 'images' | 'versions' | 'subtitles' | 'extras'> {
  /** What progress is reported of; extras have none. */
  readonly kind: 'movie' | 'episode';
  readonly id: string;
  readonly title: string;
  /** What stands beside the title. */
  readonly note: string;
  readonly userState: Pick<Movie['userState'], 'positionMs' | 'fileId'>;
  /** The page one comes back to. */
  readonly home: string;
  /** Its own address in the player. */
  readonly watch: string;
  readonly previous: EpisodeCard | null;
  readonly next: EpisodeCard | null;
}

const alone = { previous: null, next: null } as const;

export const workOfMovie = (film: Movie): Work => ({
  ...{ kind: 'movie', id: film.id, title: film.title, note: '', images: film.images },
  ...{ versions: film.versions, subtitles: film.subtitles, extras: film.extras },
  ...{ userState: film.userState, home: `/movies/${film.id}`, watch: `/watch/${film.id}` },
  ...alone,
});

export const workOfEpisode = (episode: Episode): Work => ({
  ...{ kind: 'episode', id: episode.id, title: episode.seriesTitle, note: labelOf(episode) },
  ...{ versions: episode.versions, subtitles: episode.subtitles, extras: [] },
  ...{ images: episode.images, userState: episode.userState },
  home: `/series/${episode.seriesId}?season=${episode.season}`,
  watch: `/watch/episode/${episode.id}`,
  ...{ previous: episode.previous, next: episode.next },
});

/** The extras of a series; there is nothing else of it to be played at once. */
export const workOfSeries = (series: Series): Work => ({
  ...{ kind: 'episode', id: series.id, title: series.title, note: '', images: series.images },
  ...{ versions: [], subtitles: [], extras: series.extras, userState: { positionMs: 0 } },
  ...{ home: `/series/${series.id}`, watch: `/watch/series/${series.id}` },
  ...alone,
});

/** Where the player goes on with another episode. */
export const watchHref = ({ id }: EpisodeCard): string => `/watch/episode/${id}`;
