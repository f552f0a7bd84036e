import type { Ids } from './scene.ts';

/** What is asked, of which everything is said by ids. */
export interface Wish {
  readonly path: string;
  readonly method?: string;
  readonly json?: unknown;
}

/** What becomes of an operation where a library is hidden. */
export type Rule =
  /** Answers of the work itself: as if it were not there. */
  | { readonly gone: (ids: Ids) => readonly Wish[] }
  /** Answers of many: without what is hidden. */
  | { readonly without: (ids: Ids) => readonly Wish[] }
  /** Says nothing of works, for the reason given. */
  | { readonly apart: string };

const get = (...paths: string[]): Wish[] => paths.map((path) => ({ path: `/api/v1/${path}` }));

/** One wish for each thing that somebody may have done something with. */
const each =
  (act: `${string} ${string}`, kinds: readonly (keyof typeof items)[], json?: unknown) =>
  (ids: Ids): Wish[] => {
    const [method, list] = act.split(' ') as [string, string];
    return kinds.map((kind) => ({
      path: `/api/v1/users/me/${list}/${kind}/${ids[items[kind]]}`,
      ...{ method, ...(json === undefined ? {} : { json }) },
    }));
  };

const items = {
  movie: 'movieId',
  series: 'seriesId',
  season: 'seasonId',
  episode: 'episodeId',
} as const;
const parts = ['movie', 'series', 'season', 'episode'] as const;
const shelved = ['movie', 'series', 'episode'] as const;
const played = ['movie', 'episode'] as const;

const own = { apart: 'one’s own account, sessions and keys' };
const open = { apart: 'answers strangers, and knows nothing of works' };

/** Every operation that somebody who administers nothing may call. */
export const rules: Readonly<Record<string, Rule>> = {
  ...{ getSetup: open, completeSetup: open, login: open, refresh: open },
  ...{ getOpenApiJson: open, getOpenApiYaml: open, getDocs: open, getDocsFile: open },
  ...{ listProblems: open, getProblem: open, getLiveness: open, getReadiness: open },
  ...{ getStartup: open, getSwarmHealth: open, getClusterReadiness: open },
  ...{ listApiKeys: own, createApiKey: own, deleteApiKey: own, logout: own, logoutAll: own },
  ...{ changePassword: own, listSessions: own, revokeSession: own, getMe: own, updateMe: own },
  revokePlaybackAddresses: own,
  listNodes: { apart: 'nodes only' },
  getImage: { apart: 'whoever has an address may see the picture; of works hidden none is told' },
  streamEvents: { apart: 'a test of its own: node/http/sse.test.ts' },

  listLibraries: { without: () => get('libraries') },
  getLibrary: {
    gone: ({ libraryId, seriesLibraryId }) =>
      get(`libraries/${libraryId}`, `libraries/${seriesLibraryId}`),
  },
  listLibraryScans: { gone: ({ libraryId }) => get(`libraries/${libraryId}/scans`) },
  getScan: { gone: ({ scanId }) => get(`scans/${scanId}`) },

  listMovies: {
    without: ({ libraryId }) =>
      get(
        ...['movies', 'movies?offset=0', 'movies?sort=random', `movies?library=${libraryId}`],
        ...['movies?titlePrefix=heat', 'movies?letter=h', 'movies?genre=Crime'],
        ...['movies?collection=Thieves', 'movies?favourite=true', 'movies?watchlist=true'],
        'movies?sort=year&order=asc',
      ),
  },
  getMovieFilters: {
    without: ({ libraryId }) => get('movies/filters', `movies/filters?library=${libraryId}`),
  },
  listMovieGenres: {
    without: ({ libraryId }) => get('movies/genres', `movies/genres?library=${libraryId}`),
  },
  getMovie: { gone: ({ movieId }) => get(`movies/${movieId}`) },
  getMovieRecord: { gone: ({ movieId }) => get(`movies/${movieId}/record`) },

  listSeries: {
    without: ({ seriesLibraryId }) =>
      get(
        ...['series', 'series?offset=0', `series?library=${seriesLibraryId}`, 'series?letter=d'],
        ...['series?titlePrefix=dark', 'series?genre=Mystery', 'series?favourite=true'],
        ...['series?sort=episode', 'series?sort=year'],
      ),
  },
  getSeriesFilters: { without: () => get('series/filters') },
  listNextUp: { without: () => get('series/next-up') },
  getSeries: { gone: ({ seriesId }) => get(`series/${seriesId}`) },
  getSeriesRecord: { gone: ({ seriesId }) => get(`series/${seriesId}/record`) },
  listEpisodes: {
    gone: ({ seriesId }) =>
      get(`series/${seriesId}/episodes`, `series/${seriesId}/episodes?season=1`),
  },
  listSeriesFiles: { gone: ({ seriesId }) => get(`series/${seriesId}/files`) },
  listMissingEpisodes: { gone: ({ seriesId }) => get(`series/${seriesId}/missing`) },
  getSeason: { gone: ({ seasonId }) => get(`seasons/${seasonId}`) },
  getEpisode: { gone: ({ episodeId }) => get(`episodes/${episodeId}`) },
  listCalendar: { without: () => get('calendar') },
  exportCalendar: { without: () => get('calendar.ics') },

  getPerson: { gone: ({ personId }) => get(`people/${personId}`) },
  listPersonWorks: { gone: ({ personId }) => get(`people/${personId}/works`) },
  listItemImages: { without: ({ movieId }) => get(`items/movie/${movieId}/images`) },

  search: {
    without: ({ libraryId }) =>
      get(
        ...['search?q=heat', 'search?q=dark', 'search?q=secrets', 'search?q=michael%20mann'],
        ...[`search?q=heat&library=${libraryId}`, 'search?q=heta'],
        'search?q=heat&facets=library&facets=genre',
      ),
  },
  suggest: { without: () => get('search/suggest?q=hea', 'search/suggest?q=dark') },

  getProgress: { gone: each('GET progress', played) },
  putProgress: {
    gone: each('PUT progress', played, { positionMs: 90_000, durationMs: 6_000_000 }),
  },
  markWatched: { gone: each('POST watched', parts) },
  unmarkWatched: { gone: each('DELETE watched', parts) },
  addFavourite: { gone: each('POST favourites', shelved) },
  removeFavourite: { gone: each('DELETE favourites', ['episode']) },
  addToWatchlist: { gone: each('POST watchlist', shelved) },
  removeFromWatchlist: { gone: each('DELETE watchlist', ['episode']) },
  listContinueWatching: { without: () => get('users/me/continue-watching') },
  listFavourites: { without: () => get('users/me/favourites') },
  listWatchlist: { without: () => get('users/me/watchlist') },
  exportWatchlist: {
    without: () => get('users/me/watchlist/export', 'users/me/watchlist/export?format=csv'),
  },

  getPlaybackFile: { gone: ({ fileId }) => get(`playback/files/${fileId}`) },
  getPlaybackContent: { gone: ({ fileId }) => get(`playback/files/${fileId}/content`) },
  createPlaybackAddress: {
    gone: ({ fileId }) => [{ path: `/api/v1/playback/files/${fileId}/address`, method: 'POST' }],
  },
};
