import type { paths } from '$api/types';
import { api, read } from './api';
import type { Card, Job } from './types';

type MovieQuery = NonNullable<paths['/api/v1/movies']['get']['parameters']['query']>;

/**
 * What the app asks for, by name; `api/stale.ts` makes it stale by the same names. What it depends on
 * is an argument: it may be asked again when the page that asked has gone on, or is gone.
 */
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

/** A list that comes in pages, the next one under the cursor of the one before. */
const paged = {
  initialPageParam: '',
  getNextPageParam: (last: { nextCursor: string | null }) => last.nextCursor ?? undefined,
} as const;
type PageCall = { pageParam: string; signal: AbortSignal };
const cursorOf = ({ pageParam }: PageCall) => (pageParam === '' ? {} : { cursor: pageParam });

export type SavedList = 'watchlist' | 'favourites';

export const savedList = (name: SavedList) => ({
  ...paged,
  queryKey: [name, 'all'] as const,
  queryFn: (call: PageCall) => {
    const params = { query: { limit: pageSize, ...cursorOf(call) } };
    return read(api.GET(`/api/v1/users/me/${name}`, { params, signal: call.signal }));
  },
});

/** What was done, newest first; of one group of actions unless that is empty. */
export const activity = (group: string) => ({
  ...paged,
  queryKey: ['activity', group] as const,
  queryFn: (call: PageCall) => {
    const query = { limit: 50, ...(group === '' ? {} : { action: group }), ...cursorOf(call) };
    return read(api.GET('/api/v1/admin/activity', { params: { query }, signal: call.signal }));
  },
});

/** Of one state unless that is empty. */
export const jobs = (state: Job['state'] | '') => ({
  queryKey: ['jobs', 'list', state] as const,
  queryFn: async ({ signal }: { signal: AbortSignal }) => {
    const query = { limit: 50, ...(state === '' ? {} : { state }) };
    return (await read(api.GET('/api/v1/jobs', { params: { query }, signal }))).items;
  },
});

/** What the machine of the node that answers has and lacks. */
export const machine = () => ({
  queryKey: ['machine'] as const,
  queryFn: ({ signal }: { signal: AbortSignal }) =>
    read(api.GET('/api/v1/admin/machine', { signal })),
});

/** Without a path: where to begin. */
export const folders = (path: string | undefined) => ({
  queryKey: ['folders', path] as const,
  queryFn: ({ signal }: { signal: AbortSignal }) => {
    const query = path === undefined ? {} : { path };
    return read(api.GET('/api/v1/admin/folders', { params: { query }, signal }));
  },
});

export const images = (itemId: string) => ({
  queryKey: ['images', itemId] as const,
  queryFn: async ({ signal }: { signal: AbortSignal }) => {
    const params = { path: { kind: 'movie' as const, itemId } };
    const answer = api.GET('/api/v1/items/{kind}/{itemId}/images', { params, signal });
    return (await read(answer)).items;
  },
});

export const libraryProblems = (libraryId: string) => ({
  queryKey: ['libraries', libraryId, 'problems'] as const,
  queryFn: async ({ signal }: { signal: AbortSignal }) => {
    const params = { path: { libraryId }, query: { limit: 200 } };
    const answer = api.GET('/api/v1/libraries/{libraryId}/problems', { params, signal });
    return (await read(answer)).items;
  },
});

export type MembershipChange = 'promote' | 'demote' | 'remove';

/** What a change would do, told before it is done. */
export const changePlan = (memberId: string, action: MembershipChange) => ({
  queryKey: ['cluster', 'plan', action, memberId] as const,
  gcTime: 0,
  queryFn: ({ signal }: { signal: AbortSignal }) => {
    const params = { path: { memberId }, query: { dryRun: true } };
    const address = `/api/v1/cluster/members/{memberId}/${action}` as const;
    return read(api.POST(address, { params, body: {}, signal }));
  },
});
