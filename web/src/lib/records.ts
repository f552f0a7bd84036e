import type { components } from '$api/types';
import { api, read } from './api';

type Schemas = components['schemas'];
export type Candidate = Schemas['RecordCandidate'];
type Found = Promise<Schemas['RecordMatches']>;

/** Tells a record from all others; several providers count alike. */
export const keyOf = ({ provider, id }: { provider: string; id: string }): string =>
  `${provider} ${id}`;

/** A work of a kind that providers have records of. */
export interface Recorded {
  readonly kind: 'movie' | 'series';
  readonly id: string;
}

/** What a person looks for; without a query: what was weighed when it was decided. */
export interface Words {
  readonly query?: string;
  readonly year?: number;
}

interface Call {
  readonly words: Words;
  readonly signal: AbortSignal;
}

const calls = {
  movie: {
    list: (movieId: string, { words: query, signal }: Call): Found => {
      const params = { path: { movieId }, query };
      return read(api.GET('/api/v1/movies/{movieId}/matches', { params, signal }));
    },
    take: (movieId: string, body: Schemas['RecordChoice']) =>
      read(api.POST('/api/v1/movies/{movieId}/match', { params: { path: { movieId } }, body })),
    refresh: (movieId: string) =>
      read(api.POST('/api/v1/movies/{movieId}/refresh', { params: { path: { movieId } } })),
  },
  series: {
    list: (seriesId: string, { words: query, signal }: Call): Found => {
      const params = { path: { seriesId }, query };
      return read(api.GET('/api/v1/series/{seriesId}/matches', { params, signal }));
    },
    take: (seriesId: string, body: Schemas['RecordChoice']) =>
      read(api.POST('/api/v1/series/{seriesId}/match', { params: { path: { seriesId } }, body })),
    refresh: (seriesId: string) =>
      read(api.POST('/api/v1/series/{seriesId}/refresh', { params: { path: { seriesId } } })),
  },
};

/** Which record a work is, and which others it might be. */
export const matches = ({ kind, id }: Recorded, words: Words = {}) => ({
  queryKey: ['matches', kind, id, words] as const,
  queryFn: ({ signal }: { signal: AbortSignal }) => calls[kind].list(id, { words, signal }),
  // Asking a provider alone changes it, and nothing tells of that.
  staleTime: 0,
});

/** Says which record a work is; its fields follow as soon as a worker is free. */
export const takeRecord = ({ kind, id }: Recorded, { provider, id: record }: Candidate) =>
  calls[kind].take(id, { provider: provider as Schemas['RecordChoice']['provider'], id: record });

/** Has the provider asked about a work anew. */
export const refresh = ({ kind, id }: Recorded) => calls[kind].refresh(id);

const sources: Readonly<Record<string, string>> = {
  imdb: 'IMDb',
  tmdb: 'TMDb',
  tvdb: 'TheTVDB',
};

/** What a source of ids calls itself. */
export const nameOfSource = (source: string): string => sources[source] ?? source.toUpperCase();

/** Pages elsewhere about a work of a kind, by the source of an id. */
export const recordPages: Readonly<
  Record<Recorded['kind'], Readonly<Record<string, (id: string) => string>>>
> = {
  movie: {
    imdb: (id) => `https://www.imdb.com/title/${id}/`,
    tmdb: (id) => `https://www.themoviedb.org/movie/${id}`,
    tvdb: (id) => `https://thetvdb.com/dereferrer/movie/${id}`,
  },
  series: {
    imdb: (id) => `https://www.imdb.com/title/${id}/`,
    tmdb: (id) => `https://www.themoviedb.org/tv/${id}`,
    tvdb: (id) => `https://thetvdb.com/dereferrer/series/${id}`,
  },
};
