import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import type { components } from '#api/types.ts';
import { createAdder } from '#services/jobs/enqueue.ts';
import { defineJob } from '#services/jobs/job.ts';
import { startTmdb } from './fakes/tmdb.ts';
import { startServer, tinyFilm, writeFiles, type TestServer } from './server.ts';
import type { Example, Examples, SpecServer } from './spec-examples.ts';

type Schemas = components['schemas'];

/** What there is to ask about: a library of two films, one with everything. */
interface Stock {
  readonly server: TestServer;
  readonly library: Schemas['Library'];
  readonly scanId: string;
  readonly movieId: string;
  readonly seriesId: string;
  readonly seasonId: string;
  readonly episodeId: string;
  readonly fileId: string;
  readonly images: readonly Schemas['ArtworkImage'][];
}

/** A whole node with an example for every operation of its API. Needs ffmpeg. */
export async function startWithExamples(): Promise<SpecServer> {
  await using stack = new AsyncDisposableStack();
  const heat = { id: 949, title: 'Heat', date: '1995-12-15', minutes: 170 };
  const tmdb = stack.use(await startTmdb([heat]));
  tmdb.series.push({ id: 70523, title: 'Dark', date: '2017-12-01', seasons: { 1: ['Secrets'] } });
  const config = { 'metadata.tmdb.url': `${tmdb.url}/3`, 'metadata.tmdb.api_key': 'key' };
  const server = stack.use(await startServer({ config }));
  const examples = examplesOf(await stock(server));
  const rest = stack.move();
  return { ...server, examples, [Symbol.asyncDispose]: () => rest.disposeAsync() };
}

async function stock(server: TestServer): Promise<Stock> {
  const film = await tinyFilm();
  const poster = (background: string) =>
    sharp({ create: { width: 200, height: 300, channels: 3, background } })
      .jpeg()
      .toBuffer();
  await writeFiles(server.films, {
    'all/Heat (1995)/Heat (1995).mp4': film,
    'all/Heat (1995)/Heat (1995).en.srt': '1\n00:00:00,000 --> 00:00:01,000\nHello\n',
    'all/Heat (1995)/movie.nfo': nfo,
    'all/Heat (1995)/poster.jpg': await poster('red'),
    'all/Heat (1995)/folder.jpg': await poster('blue'),
    'all/Alien (1979)/Alien (1979).mp4': film,
    'all/Broken (2001)/Broken (2001).mkv': 'not a film at all',
    'series/Dark (2017)/Season 1/Dark - S01E01 - Secrets.mp4': film,
    'series/Dark (2017)/Season 1/Dark - S01E01 - Secrets.de.srt': '',
    'series/Dark (2017)/Season 1/Dark - S01E02 - Lies.mp4': film,
    'series/Dark (2017)/trailers/Dark.mp4': film,
  });
  const library = await server.library('Films', 'all');
  await server.library('Series', 'series', 'series');
  const scans = await server.read<Schemas['LibraryScanPage']>(
    `/api/v1/libraries/${library.id}/scans`,
  );
  const movies = await server.read<Schemas['MoviePage']>('/api/v1/movies?titlePrefix=heat');
  const movieId = movies.items[0]!.id;
  const movie = await server.read<Schemas['Movie']>(`/api/v1/movies/${movieId}`);
  const series = await server.read<Schemas['SeriesPage']>('/api/v1/series');
  const seriesId = series.items[0]!.id;
  const { seasons } = await server.read<Schemas['Series']>(`/api/v1/series/${seriesId}`);
  const episodes = await server.read<Schemas['EpisodePage']>(`/api/v1/series/${seriesId}/episodes`);
  const images = await server.read<Schemas['ArtworkImageList']>(
    `/api/v1/items/movie/${movieId}/images`,
  );
  return {
    ...{ seriesId, seasonId: seasons[0]!.id, episodeId: episodes.items[0]!.id },
    ...{ server, library, movieId, images: images.items },
    scanId: scans.items[0]!.id,
    fileId: movie.versions[0]!.files[0]!.id,
  };
}

const nfo = `<movie><title>Heat</title><year>1995</year><plot>A thief and a policeman.</plot>
<genre>Crime</genre><uniqueid type="imdb">tt0113277</uniqueid><director>Michael Mann</director>
<actor><name>Al Pacino</name><role>Vincent Hanna</role></actor><rating>8.3</rating></movie>`;

const examplesOf = (stock: Stock): Examples => ({
  ...publicExamples(stock),
  ...ownExamples(stock),
  ...userExamples(stock),
  ...settingExamples,
  ...backupExamples(stock),
  ...libraryExamples(stock),
  ...movieExamples(stock),
  ...seriesExamples(stock),
  ...imageExamples(stock),
  ...playbackExamples(stock),
  ...searchExamples,
  ...jobExamples(stock),
  ...clusterExamples(stock),
});

/** What needs no credential: probes, documents, signing in. */
function publicExamples({ server }: Stock): Examples {
  return {
    getLiveness: {},
    getReadiness: {},
    getStartup: {},
    getSwarmHealth: {},
    getClusterReadiness: {},
    listNodes: { as: 'user' },
    getMachine: {},
    getOpenApiJson: {},
    getOpenApiYaml: {},
    getDocs: {},
    getDocsFile: { params: { file: 'swagger-ui.css' } },
    listProblems: {},
    getProblem: { params: { code: 'not-found' } },
    getSetup: {},
    completeSetup: async () => {
      const fresh = await startServer({ setUp: false });
      const token = fresh.node.setupToken;
      const body = { token, username: 'first', password: 'a password nobody has' };
      return { server: fresh, body };
    },
    login: { body: { username: 'user', password: server.user.password, deviceName: 'Sofa' } },
    refresh: async () => {
      const { tokens } = await server.account('refreshed');
      return { body: { refreshToken: tokens.refreshToken } };
    },
  };
}

/** What everybody may do with what is theirs. */
function ownExamples({ server, movieId, fileId }: Stock): Examples {
  const movie: Example = { as: 'user', params: { kind: 'movie', itemId: movieId } };
  const asSomebody = async (username: string) => {
    const { tokens, password } = await server.account(username);
    return { token: tokens.accessToken, sessionId: tokens.sessionId, password };
  };
  return {
    getMe: { as: 'user' },
    updateMe: { as: 'user', body: { displayName: 'A user' } },
    logout: async () => ({ token: (await asSomebody('leaving')).token }),
    logoutAll: async () => ({ token: (await asSomebody('leaving-all')).token }),
    changePassword: async () => {
      const { token, password } = await asSomebody('changing');
      const newPassword = 'quite another password';
      return { token, body: { currentPassword: password, newPassword } };
    },
    listSessions: { as: 'user' },
    revokeSession: async () => {
      const { token, sessionId } = await asSomebody('revoking');
      return { token, params: { sessionId } };
    },
    listApiKeys: {},
    createApiKey: { as: 'user', body: { name: 'Sofa', scopes: ['movies:read'], expiresAt: null } },
    deleteApiKey: async () => {
      const json = { name: 'Thrown away', scopes: ['movies:read'] };
      const key = await server.read<Schemas['ApiKey']>('/api/v1/apikeys', { method: 'POST', json });
      return { params: { apiKeyId: key.id } };
    },
    getProgress: movie,
    putProgress: { ...movie, body: { positionMs: 900, durationMs: 2_000, fileId } },
    listContinueWatching: { as: 'user', query: { limit: '1' } },
    markWatched: movie,
    unmarkWatched: movie,
    addFavourite: movie,
    listFavourites: { as: 'user' },
    removeFavourite: movie,
    addToWatchlist: movie,
    listWatchlist: { as: 'user' },
    removeFromWatchlist: movie,
    exportWatchlist: async () => {
      const path = `/api/v1/users/me/watchlist/movie/${movieId}`;
      await server.read(path, { method: 'POST', token: server.userToken });
      return { as: 'user', query: { format: 'json' } };
    },
    streamEvents: { as: 'user', query: { events: 'scan.*,item.added' } },
  };
}

/** What administrators do with the accounts of others. */
function userExamples({ server }: Stock): Examples {
  const make = async (username: string) => {
    const json = { username, password: 'thrown away with its user' };
    const user = await server.read<Schemas['User']>('/api/v1/users', { method: 'POST', json });
    return { params: { userId: user.id } };
  };
  return {
    listUsers: { query: { limit: '1', offset: '1' } },
    getUser: { params: { userId: server.user.id } },
    createUser: { body: { username: 'made', password: 'made to be looked at', role: 'user' } },
    updateUser: async () => ({ ...(await make('changed')), body: { disabled: true } }),
    deleteUser: () => make('deleted'),
    resetPassword: async () => ({ ...(await make('reset')), body: { password: 'a fresh start' } }),
    listUserSessions: { params: { userId: server.user.id } },
    revokeUserSessions: async () => ({ params: { userId: (await server.account('ended')).id } }),
    revokeUserSession: async () => {
      const { id, tokens } = await server.account('ended-once');
      return { params: { userId: id, sessionId: tokens.sessionId } };
    },
  };
}

/** Of a folder of the test's own, set first: without one there are no backups. */
const backupExamples = ({ server }: Stock): Examples => {
  const withFolder = async (): Promise<Example> => {
    const path = '/api/v1/settings/backup.dir';
    await server.read(path, { method: 'PUT', json: { value: server.films } });
    return {};
  };
  return { listBackups: withFolder, makeBackup: withFolder };
};

const settingExamples: Examples = {
  listSettings: {},
  getSetting: { params: { settingKey: 'server.name' } },
  putSetting: { params: { settingKey: 'server.name' }, body: { value: 'Home' } },
  resetSetting: { params: { settingKey: 'server.name' } },
  listActivity: { query: { limit: '2', action: 'auth', success: 'true' } },
  getMetrics: {},
};

function libraryExamples({ server, library, scanId }: Stock): Examples {
  const one: Example = { params: { libraryId: library.id } };
  const make = async (name: string): Promise<Example> => {
    await writeFiles(server.films, { [`${name}/Film (2000)/Film (2000).mkv`]: 'no film' });
    return { params: { libraryId: (await server.library(name, name)).id } };
  };
  const vanished = async (name: string): Promise<Example> => {
    const { params } = await make(name);
    await rm(join(server.films, name, 'Film (2000)'), { recursive: true });
    await writeFiles(server.films, { [`${name}/Other (2001)/Other (2001).mkv`]: 'no film either' });
    const path = `/api/v1/libraries/${params!['libraryId']}`;
    await server.read(`${path}/scans`, { method: 'POST', json: {} });
    await server.settled();
    const { items } = await server.read<Schemas['MissingFilePage']>(`${path}/missing`);
    return { params: { ...params, itemId: items[0]!.itemId! } };
  };
  return {
    listLibraries: {},
    createLibrary: async () => {
      await writeFiles(server.films, { 'made/.keep': '' });
      const paths = [join(server.films, 'made')];
      return { body: { kind: 'movie', name: 'Made', paths, language: 'en', options: {} } };
    },
    getLibrary: one,
    updateLibrary: async () => ({ ...(await make('changed')), body: { scanIntervalMinutes: 60 } }),
    deleteLibrary: () => make('deleted'),
    listLibraryScans: { ...one, query: { limit: '1', offset: '0' } },
    startLibraryScan: async () => ({ ...(await make('scanned')), body: { mode: 'full' } }),
    getVanished: one,
    refreshLibrary: { ...one, body: { which: 'failed' } },
    listMissingFiles: { ...one, query: { limit: '1' } },
    keepMissingItem: () => vanished('kept'),
    releaseMissingItem: () => vanished('released'),
    forgetMissingItem: () => vanished('forgotten'),
    confirmVanished: one,
    keepVanished: one,
    announceArrival: { ...one, body: { path: join(server.films, 'all/Heat (1995)') } },
    receiveRadarrWebhook: {
      body: {
        eventType: 'Download',
        movie: { id: 1, title: 'Heat', year: 1995, folderPath: '/movies/Heat (1995)' },
        movieFile: { id: 1, relativePath: 'Heat (1995).mp4', size: 1 },
        isUpgrade: false,
      },
    },
    receiveSonarrWebhook: { body: { eventType: 'Test', series: { path: 'C:\\testpath' } } },
    listLibraryProblems: { ...one, query: { offset: '0' } },
    getScan: { params: { scanId } },
    cancelScan: { params: { scanId } },
    listFolders: { query: { path: server.films } },
  };
}

function movieExamples({ library, movieId }: Stock): Examples {
  return {
    listMovies: {
      as: 'user',
      query: { limit: '1', offset: '0', sort: 'year', library: library.id, genre: 'Crime' },
    },
    getMovieFilters: { as: 'user' },
    listMovieGenres: { query: { library: library.id } },
    getMovie: { as: 'user', params: { movieId } },
    listItemHistory: { params: { kind: 'movie', itemId: movieId } },
    refreshMovie: { params: { movieId } },
    listMovieMatches: { params: { movieId }, query: { query: 'Heat', year: '1995' } },
    matchMovie: { params: { movieId }, body: { provider: 'tmdb', id: '949' } },
    getMovieRecord: { as: 'user', params: { movieId } },
    updateMovie: { params: { movieId }, body: { tagline: 'A Los Angeles crime saga' } },
  };
}

function seriesExamples({ seriesId, seasonId, episodeId }: Stock): Examples {
  return {
    listSeries: { as: 'user', query: { limit: '1', sort: 'added', titlePrefix: 'dark' } },
    getSeriesFilters: { as: 'user' },
    listNextUp: { as: 'user', query: { limit: '5' } },
    getSeries: { as: 'user', params: { seriesId } },
    updateSeries: { params: { seriesId }, body: { overview: 'A child goes missing.' } },
    getSeason: { as: 'user', params: { seasonId } },
    updateSeason: { params: { seasonId }, body: { title: 'Cycle one' } },
    refreshSeries: { params: { seriesId } },
    listSeriesMatches: { params: { seriesId }, query: { query: 'Dark' } },
    matchSeries: { params: { seriesId }, body: { provider: 'tmdb', id: '70523' } },
    listMissingEpisodes: { as: 'user', params: { seriesId } },
    getSeriesRecord: { as: 'user', params: { seriesId } },
    listCalendar: { as: 'user', query: { from: '2017-12-01', to: '2017-12-31' } },
    exportCalendar: { as: 'user', query: { daysBefore: '0' } },
    listEpisodes: { as: 'user', params: { seriesId }, query: { season: '1', limit: '1' } },
    getEpisode: { as: 'user', params: { episodeId } },
    updateEpisode: { params: { episodeId }, body: { airDate: '2017-12-01', lockedFields: [] } },
  };
}

function imageExamples({ movieId, images }: Stock): Examples {
  const params = { kind: 'movie', itemId: movieId };
  const [, imageId = '', key = ''] = /images\/([^/]+)\/([^/?]+)/.exec(images[0]?.url ?? '') ?? [];
  return {
    getImage: { params: { imageId, key }, query: { width: '100' } },
    listItemImages: { params },
    chooseItemImage: { params: { ...params, imageId: images.at(-1)!.id } },
    unchooseItemImage: { params: { ...params, imageId: images.at(-1)!.id } },
  };
}

function playbackExamples({ fileId }: Stock): Examples {
  const params = { fileId };
  return {
    getPlaybackFile: { as: 'user', params },
    getPlaybackContent: { as: 'user', params, headers: { range: 'bytes=100-199' }, status: 206 },
    createPlaybackAddress: { as: 'user', params, body: { lifetimeMs: 60_000 } },
    revokePlaybackAddresses: { as: 'user' },
  };
}

const searchExamples: Examples = {
  search: { as: 'user', query: { q: 'heat', facets: 'genre' } },
  suggest: { as: 'user', query: { q: 'he' } },
  getSearchStatus: {},
  rebuildSearch: { body: { engine: 'postgres' } },
};

/** No node knows how to do it, so it waits until somebody says otherwise. */
const forgotten = defineJob<object>('test.forgotten', {
  ...{ queue: 'scrobble', attempts: 1, timeoutMs: 1_000 },
});

function jobExamples({ server }: Stock): Examples {
  const { sql } = server.db;
  const add = async (state: 'waiting' | 'dead' | 'completed'): Promise<Example> => {
    const jobId = await createAdder().add(sql, forgotten, {}, { delayMs: 3_600_000 });
    if (jobId === undefined) throw new Error('the job was not added');
    await sql`
      update shared.jobs set state = ${state},
        finished_at = case when ${state} = 'waiting' then null else now() end
      where id = ${jobId}`;
    return { params: { jobId } };
  };
  return {
    listJobs: { query: { limit: '1', offset: '0' } },
    listJobQueues: {},
    updateJobQueue: { params: { queue: 'scrobble' }, body: { limit: 3 } },
    listJobSchedules: {},
    runJobSchedule: { params: { name: 'library.clean' } },
    listDeadJobs: async () => {
      await add('dead');
      return {};
    },
    retryDeadJobs: { body: { name: forgotten.name } },
    getJob: () => add('completed'),
    deleteJob: () => add('completed'),
    cancelJob: () => add('waiting'),
    retryJob: () => add('dead'),
  };
}

/** A node alone, which opens itself where that is needed; no change of members is carried out. */
function clusterExamples({ server }: Stock): Examples {
  const path = '/api/v1/cluster';
  const itself = async () => {
    const { nodeId } = await server.read<Schemas['ClusterStatus']>(path);
    return { params: { memberId: nodeId } };
  };
  const plan = async () => ({ ...(await itself()), query: { dryRun: 'true' } });
  const open = () => server.read(`${path}/init`, { method: 'POST' });
  const token = async () => {
    await open();
    const made = await server.read<Schemas['CreatedClusterToken']>(`${path}/tokens`, {
      ...{ method: 'POST', json: { uses: 1 } },
    });
    return { params: { tokenId: made.id } };
  };
  return {
    getClusterStatus: {},
    initCluster: {},
    getClusterHealth: {},
    listClusterEvents: { query: { limit: '5' } },
    listClusterTokens: {},
    createClusterToken: async () => {
      await open();
      return { body: { kind: 'witness', ttlMs: 60_000, uses: null } };
    },
    revokeClusterToken: token,
    rotateClusterToken: token,
    listClusterMembers: {},
    getClusterMember: itself,
    promoteClusterMember: plan,
    demoteClusterMember: plan,
    removeClusterMember: plan,
    drainClusterMember: itself,
    undrainClusterMember: itself,
    transferClusterLeadership: async () => ({ body: { to: (await itself()).params.memberId } }),
    getClusterAutopilot: {},
    putClusterAutopilot: async () => ({ body: await server.read(`${path}/autopilot`) }),
    snapshotCluster: {},
  };
}
