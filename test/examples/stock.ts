import sharp from 'sharp';
import type { components } from '#api/types.ts';
import { tinyFilm, writeFiles, type TestServer } from '../server.ts';

type Schemas = components['schemas'];

/** What there is to ask about: a library of two films, one with everything. */
export interface Stock {
  readonly server: TestServer;
  readonly library: Schemas['Library'];
  readonly scanId: string;
  readonly movieId: string;
  readonly personId: string;
  readonly seriesId: string;
  readonly seasonId: string;
  readonly episodeId: string;
  readonly fileId: string;
  readonly images: readonly Schemas['ArtworkImage'][];
}

/** Fills a node's libraries. Needs ffmpeg. */
export async function stock(server: TestServer): Promise<Stock> {
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
    personId: movie.people[0]!.personId,
    scanId: scans.items[0]!.id,
    fileId: movie.versions[0]!.files[0]!.id,
  };
}

const nfo = `<movie><title>Heat</title><year>1995</year><plot>A thief and a policeman.</plot>
<genre>Crime</genre><uniqueid type="imdb">tt0113277</uniqueid><director>Michael Mann</director>
<actor><name>Al Pacino</name><role>Vincent Hanna</role></actor><rating>8.3</rating></movie>`;
