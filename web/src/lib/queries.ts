import type { paths } from '$api/types';
import { api, read } from './api';
import type { Card } from './types';

type MovieQuery = NonNullable<paths['/api/v1/movies']['get']['parameters']['query']>;

/** What the app asks for, by name; `api/stale.ts` makes it stale by the same names. */
export const me = () => ({
  queryKey: ['me'] as const,
  queryFn: ({ signal }: { signal: AbortSignal }) => read(api.GET('/api/v1/users/me', { signal })),
  staleTime: 60_000,
});

export const libraries = () => ({
  queryKey: ['libraries'] as const,
  queryFn: async ({ signal }: { signal: AbortSignal }) =>
    (await read(api.GET('/api/v1/libraries', { signal }))).items,
});

/** With their numbers and their last scan: for who looks after them. */
export const libraryDetails = () => ({
  queryKey: ['libraries', 'details'] as const,
  queryFn: async ({ signal }: { signal: AbortSignal }) => {
    const { items } = await read(api.GET('/api/v1/libraries', { signal }));
    const details = items.map(({ id: libraryId }) =>
      read(api.GET('/api/v1/libraries/{libraryId}', { params: { path: { libraryId } }, signal })),
    );
    return Promise.all(details);
  },
});

export const movie = (movieId: string) => ({
  queryKey: ['movie', movieId] as const,
  queryFn: ({ signal }: { signal: AbortSignal }) =>
    read(api.GET('/api/v1/movies/{movieId}', { params: { path: { movieId } }, signal })),
});

export const continueWatching = () => ({
  queryKey: ['continue'] as const,
  queryFn: async ({ signal }: { signal: AbortSignal }): Promise<readonly Card[]> => {
    const query = { limit: 24 };
    return (
      await read(api.GET('/api/v1/users/me/continue-watching', { params: { query }, signal }))
    ).items;
  },
});

export const recentlyAdded = (library?: string) => ({
  queryKey: ['recent', library] as const,
  queryFn: async ({ signal }: { signal: AbortSignal }): Promise<readonly Card[]> => {
    const query: MovieQuery = {
      ...{ sort: 'added', limit: 24 },
      ...(library === undefined ? {} : { library: [library] }),
    };
    return (await read(api.GET('/api/v1/movies', { params: { query }, signal }))).items;
  },
});

export const watchlist = () => ({
  queryKey: ['watchlist'] as const,
  queryFn: async ({ signal }: { signal: AbortSignal }): Promise<readonly Card[]> =>
    (
      await read(
        api.GET('/api/v1/users/me/watchlist', { params: { query: { limit: 24 } }, signal }),
      )
    ).items,
});

export const movieFilters = () => ({
  queryKey: ['filters'] as const,
  queryFn: ({ signal }: { signal: AbortSignal }) =>
    read(api.GET('/api/v1/movies/filters', { params: { query: {} }, signal })),
  staleTime: 60_000,
});

/** Films a page of the grid holds. */
export const pageSize = 60;

export const moviePage = (filter: MovieQuery, page: number) => ({
  queryKey: ['movies', filter, page] as const,
  queryFn: ({ signal }: { signal: AbortSignal }) => {
    const query = { ...filter, limit: pageSize, offset: page * pageSize };
    return read(api.GET('/api/v1/movies', { params: { query }, signal }));
  },
});

export const search = (q: string) => ({
  queryKey: ['search', q] as const,
  queryFn: ({ signal }: { signal: AbortSignal }) =>
    read(api.GET('/api/v1/search', { params: { query: { q, limit: 60 } }, signal })),
});
