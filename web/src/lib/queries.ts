import type { paths } from '$api/types';
import { api, read } from './api';
import { episodeTile, itemTile, movieTile, seriesTile, type Tile } from './tiles';
import type { Job, Library } from './types';

type SeriesQuery = NonNullable<paths['/api/v1/series']['get']['parameters']['query']>;
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

export const series = (seriesId: string) => ({
  queryKey: ['series', 'one', seriesId] as const,
  queryFn: ({ signal }: { signal: AbortSignal }) =>
    read(api.GET('/api/v1/series/{seriesId}', { params: { path: { seriesId } }, signal })),
});

export const episode = (episodeId: string) => ({
  queryKey: ['episode', episodeId] as const,
  queryFn: ({ signal }: { signal: AbortSignal }) =>
    read(api.GET('/api/v1/episodes/{episodeId}', { params: { path: { episodeId } }, signal })),
});

/** What a work is about, of any kind. */
export const about = (kind: Tile['kind'], id: string) => ({
  queryKey: ['about', kind, id] as const,
  queryFn: async ({ signal }: { signal: AbortSignal }) => {
    if (kind === 'movie') return movie(id).queryFn({ signal });
    if (kind === 'series') return series(id).queryFn({ signal });
    return { ...(await episode(id).queryFn({ signal })), genres: [] };
  },
});

const rowSize = 24;

export const continueWatching = () => ({
  queryKey: ['continue'] as const,
  queryFn: async ({ signal }: { signal: AbortSignal }) => {
    const params = { query: { limit: rowSize } };
    const { items } = await read(api.GET('/api/v1/users/me/continue-watching', { params, signal }));
    return items.map(itemTile);
  },
});

export const nextUp = () => ({
  queryKey: ['next-up'] as const,
  queryFn: async ({ signal }: { signal: AbortSignal }) => {
    const params = { query: { limit: rowSize } };
    const { items } = await read(api.GET('/api/v1/series/next-up', { params, signal }));
    return items.map(episodeTile);
  },
});

/** Works of a kind that came last, of one library where it is named. */
export const recentlyAdded = (kind: Library['kind'], library?: string) => ({
  queryKey: ['recent', kind, library] as const,
  queryFn: async ({ signal }: { signal: AbortSignal }): Promise<readonly Tile[]> => {
    if (kind === 'series') {
      // By what came of it: who follows a series waits for its next episode.
      const query = { sort: 'episode', limit: rowSize } as const;
      const params = { query: { ...query, ...(library === undefined ? {} : { library }) } };
      return (await read(api.GET('/api/v1/series', { params, signal }))).items.map(seriesTile);
    }
    const query = { sort: 'added', limit: rowSize } as const;
    const params = {
      query: { ...query, ...(library === undefined ? {} : { library: [library] }) },
    };
    return (await read(api.GET('/api/v1/movies', { params, signal }))).items.map(movieTile);
  },
});

export const watchlist = () => ({
  queryKey: ['watchlist'] as const,
  queryFn: async ({ signal }: { signal: AbortSignal }) => {
    const params = { query: { limit: rowSize } };
    const { items } = await read(api.GET('/api/v1/users/me/watchlist', { params, signal }));
    return items.map(itemTile);
  },
});

export const movieFilters = () => ({
  queryKey: ['filters', 'movies'] as const,
  queryFn: ({ signal }: { signal: AbortSignal }) =>
    read(api.GET('/api/v1/movies/filters', { params: { query: {} }, signal })),
  staleTime: 60_000,
});

export const seriesFilters = () => ({
  queryKey: ['filters', 'series'] as const,
  queryFn: ({ signal }: { signal: AbortSignal }) =>
    read(api.GET('/api/v1/series/filters', { signal })),
  staleTime: 60_000,
});

/** Works a page of a grid holds. */
export const pageSize = 60;

/** A page of a grid, and how many works there are in all. */
export interface TilePage {
  readonly items: readonly Tile[];
  readonly total: number;
}

/** One page of a grid, asked for by its number. */
export interface PageQuery {
  readonly queryKey: readonly unknown[];
  readonly queryFn: (call: { signal: AbortSignal }) => Promise<TilePage>;
}

export const moviePage = (filter: MovieQuery, page: number): PageQuery => ({
  queryKey: ['movies', filter, page],
  async queryFn({ signal }) {
    const query = { ...filter, limit: pageSize, offset: page * pageSize };
    const { items, total } = await read(api.GET('/api/v1/movies', { params: { query }, signal }));
    return { items: items.map(movieTile), total: total ?? 0 };
  },
});

export const seriesPage = (filter: SeriesQuery, page: number): PageQuery => ({
  queryKey: ['series', 'list', filter, page],
  async queryFn({ signal }) {
    const query = { ...filter, limit: pageSize, offset: page * pageSize };
    const { items, total } = await read(api.GET('/api/v1/series', { params: { query }, signal }));
    return { items: items.map(seriesTile), total: total ?? 0 };
  },
});

export const search = (q: string) => ({
  queryKey: ['search', q] as const,
  queryFn: ({ signal }: { signal: AbortSignal }) =>
    read(api.GET('/api/v1/search', { params: { query: { q, limit: 60 } }, signal })),
});

/** A list that comes in pages, the next one under the cursor of the one before. */
export const paged = {
  initialPageParam: '',
  getNextPageParam: (last: { nextCursor: string | null }) => last.nextCursor ?? undefined,
} as const;
export type PageCall = { pageParam: string; signal: AbortSignal };
/** Where a page begins, as it is asked for. */
export const cursorOf = ({ pageParam }: PageCall) =>
  pageParam === '' ? {} : { cursor: pageParam };

/** Episodes of a season, in order. */
export const episodes = (seriesId: string, season: number) => ({
  ...paged,
  queryKey: ['episodes', seriesId, season] as const,
  queryFn: (call: PageCall) => {
    const params = { path: { seriesId }, query: { season, limit: 100, ...cursorOf(call) } };
    const { signal } = call;
    return read(api.GET('/api/v1/series/{seriesId}/episodes', { params, signal }));
  },
});

export type SavedList = 'watchlist' | 'favourites';

export const savedList = (name: SavedList) => ({
  ...paged,
  queryKey: [name, 'all'] as const,
  queryFn: async (call: PageCall) => {
    const params = { query: { limit: pageSize, ...cursorOf(call) } };
    const answer = api.GET(`/api/v1/users/me/${name}`, { params, signal: call.signal });
    const { items, nextCursor } = await read(answer);
    return { items: items.map(itemTile), nextCursor };
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

export const settings = () => ({
  queryKey: ['settings'] as const,
  queryFn: async ({ signal }: { signal: AbortSignal }) =>
    (await read(api.GET('/api/v1/settings', { signal }))).items,
});

/** Backups in their folder, newest first. */
export const backups = () => ({
  queryKey: ['backups'] as const,
  queryFn: ({ signal }: { signal: AbortSignal }) => read(api.GET('/api/v1/backups', { signal })),
});

/** Who belongs to the cluster, witnesses too. */
export const members = () => ({
  queryKey: ['cluster', 'members'] as const,
  queryFn: async ({ signal }: { signal: AbortSignal }) =>
    (await read(api.GET('/api/v1/cluster/members', { signal }))).items,
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

/** What has pictures to choose from. */
export interface Pictured {
  readonly kind: 'movie' | 'series' | 'season' | 'episode';
  readonly id: string;
}

export const images = ({ kind, id: itemId }: Pictured) => ({
  queryKey: ['images', kind, itemId] as const,
  queryFn: async ({ signal }: { signal: AbortSignal }) => {
    const params = { path: { kind, itemId } };
    const answer = api.GET('/api/v1/items/{kind}/{itemId}/images', { params, signal });
    return (await read(answer)).items;
  },
});

/** What changed of a work when, and by whose word. */
export const workHistory = ({ kind, id: itemId }: Pictured) => ({
  queryKey: ['history', kind, itemId] as const,
  // Nothing tells of a change that leaves the work as it is shown.
  staleTime: 0,
  queryFn: async ({ signal }: { signal: AbortSignal }) => {
    const params = { path: { kind, itemId } };
    const answer = api.GET('/api/v1/items/{kind}/{itemId}/history', { params, signal });
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

/** Whether so much of a library is missing that it waits for a person's word. */
export const vanished = (libraryId: string) => ({
  queryKey: ['libraries', libraryId, 'vanished'] as const,
  queryFn: ({ signal }: { signal: AbortSignal }) => {
    const params = { path: { libraryId } };
    return read(api.GET('/api/v1/libraries/{libraryId}/vanished', { params, signal }));
  },
});

/** Files of a library that are not where they were. */
export const missingFiles = (libraryId: string) => ({
  ...paged,
  queryKey: ['libraries', libraryId, 'missing'] as const,
  queryFn: (call: PageCall) => {
    const params = { path: { libraryId }, query: { limit: 50, ...cursorOf(call) } };
    const { signal } = call;
    return read(api.GET('/api/v1/libraries/{libraryId}/missing', { params, signal }));
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
