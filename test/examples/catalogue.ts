import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import type { components } from '#api/types.ts';
import { writeFiles } from '../server.ts';
import type { Example, Examples } from '../spec-examples.ts';
import type { Stock } from './stock.ts';

type Schemas = components['schemas'];

export function libraryExamples({ server, library, scanId }: Stock): Examples {
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

/** The works of a library that is made of these files, which hold nothing. */
async function worksOf(
  server: Stock['server'],
  kind: 'movie' | 'series',
  { name, files }: { readonly name: string; readonly files: readonly string[] },
): Promise<{ id: string; fileIds: string[] }[]> {
  await writeFiles(
    server.films,
    Object.fromEntries(files.map((file) => [`${name}/${file}`, file])),
  );
  const { id } = await server.library(name, name, kind);
  return [
    ...(await server.db.sql<{ id: string; fileIds: string[] }[]>`
      select item_id as id, array_agg(id::text order by path) as "fileIds" from files
      where library_id = ${id} and role = 'video' group by item_id order by item_id`),
  ];
}

export function movieExamples({ server, library, movieId }: Stock): Examples {
  return {
    mergeMovies: async () => {
      const files = ['Ran (1985)/Ran.mkv', 'Ran Restored/Ran Restored.mkv'];
      const [one, other] = await worksOf(server, 'movie', { name: 'merged', files });
      return { params: { movieId: one!.id }, body: { movieIds: [other!.id] } };
    },
    splitMovie: async () => {
      const files = ['M (1931)/M (1931) - 1080p.mkv', 'M (1931)/M (1931) - 720p.mkv'];
      const [one] = await worksOf(server, 'movie', { name: 'split', files });
      return { params: { movieId: one!.id }, body: { fileIds: one!.fileIds.slice(1) } };
    },
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

export const peopleExamples = ({ personId }: Stock): Examples => ({
  getPerson: { as: 'user', params: { personId } },
  listPersonWorks: { as: 'user', params: { personId }, query: { limit: '1' } },
});

export function seriesExamples({ server, seriesId, seasonId, episodeId }: Stock): Examples {
  return {
    mergeSeries: async () => {
      const files = ['Lost (2004)/Lost S01E01.mkv', 'Lost HD/Lost HD S01E02.mkv'];
      const [one, other] = await worksOf(server, 'series', { name: 'merged series', files });
      return { params: { seriesId: one!.id }, body: { seriesIds: [other!.id] } };
    },
    splitSeries: async () => {
      const files = ['a/Lost/Lost S01E01.mkv', 'b/Lost/Lost S01E02.mkv'];
      const [one] = await worksOf(server, 'series', { name: 'split series', files });
      return { params: { seriesId: one!.id }, body: { fileIds: one!.fileIds.slice(1) } };
    },
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
    listSeriesFiles: { as: 'user', params: { seriesId }, query: { season: '1', limit: '1' } },
    listMissingEpisodes: { as: 'user', params: { seriesId } },
    getSeriesRecord: { as: 'user', params: { seriesId } },
    listCalendar: { as: 'user', query: { from: '2017-12-01', to: '2017-12-31' } },
    exportCalendar: { as: 'user', query: { daysBefore: '0' } },
    listEpisodes: { as: 'user', params: { seriesId }, query: { season: '1', limit: '1' } },
    getEpisode: { as: 'user', params: { episodeId } },
    updateEpisode: { params: { episodeId }, body: { airDate: '2017-12-01', lockedFields: [] } },
  };
}

export function imageExamples({ movieId, images }: Stock): Examples {
  const params = { kind: 'movie', itemId: movieId };
  const [, imageId = '', key = ''] = /images\/([^/]+)\/([^/?]+)/.exec(images[0]?.url ?? '') ?? [];
  const upload = async (hue: number) => {
    const path = `/api/v1/items/movie/${movieId}/images?type=banner`;
    const headers = { 'content-type': 'image/png' };
    const bytes = await picture(hue);
    return { path, headers, bytes };
  };
  return {
    uploadItemImage: async () => {
      const { headers, bytes } = await upload(1);
      return { params, query: { type: 'banner' }, headers, bytes };
    },
    deleteItemImage: async (server) => {
      const { path, headers, bytes } = await upload(2);
      const authorization = `Bearer ${server.adminToken}`;
      const init = { method: 'POST', headers: { ...headers, authorization }, body: bytes };
      const answer = await fetch(server.url + path, init);
      const { id } = (await answer.json()) as Schemas['ArtworkImage'];
      return { params: { ...params, imageId: id } };
    },
    getImage: { params: { imageId, key }, query: { width: '100' } },
    listItemImages: { params },
    chooseItemImage: { params: { ...params, imageId: images.at(-1)!.id } },
    unchooseItemImage: { params: { ...params, imageId: images.at(-1)!.id } },
  };
}

export function playbackExamples({ fileId }: Stock): Examples {
  const params = { fileId };
  return {
    getPlaybackFile: { as: 'user', params },
    getPlaybackContent: { as: 'user', params, headers: { range: 'bytes=100-199' }, status: 206 },
    createPlaybackAddress: { as: 'user', params, body: { lifetimeMs: 60_000 } },
    revokePlaybackAddresses: { as: 'user' },
  };
}

export const searchExamples: Examples = {
  search: { as: 'user', query: { q: 'heat', facets: 'genre' } },
  suggest: { as: 'user', query: { q: 'he' } },
  getSearchStatus: {},
  rebuildSearch: { body: { engine: 'postgres' } },
};

/** A banner of one colour. */
const picture = async (red: number) =>
  new Uint8Array(
    await sharp({
      create: { width: 100, height: 20, channels: 3, background: { r: red, g: 0, b: 0 } },
    })
      .png()
      .toBuffer(),
  );
