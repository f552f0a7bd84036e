import sharp from 'sharp';
import type { components } from '#api/types.ts';
import { startServer, writeFiles, type Account, type TestServer } from '../server.ts';

type Schemas = components['schemas'];

/** A work with what hangs on it, each by the name that paths have for it. */
export interface Ids {
  readonly libraryId: string;
  readonly scanId: string;
  readonly seriesLibraryId: string;
  readonly movieId: string;
  readonly seriesId: string;
  readonly seasonId: string;
  readonly episodeId: string;
  readonly fileId: string;
  readonly personId: string;
  readonly imageId: string;
}

/** A node with libraries that are hidden from somebody, and others that are not. */
export interface Scene extends AsyncDisposable {
  readonly server: TestServer;
  readonly viewer: Account;
  readonly hidden: Ids;
  readonly shown: Ids;
  /** What no answer to the viewer may hold: ids and names of what is hidden. */
  readonly secrets: readonly string[];
  /** Gives the viewer the shown libraries only; with `null` all. */
  limit(libraryIds?: readonly string[] | null): Promise<void>;
  /** Has the viewer begun, watched and kept what there is, whatever was done with it meanwhile. */
  live(): Promise<void>;
}

const film = (title: string, more: string) =>
  `<movie><title>${title}</title>${more}<actor><name>Al Pacino</name></actor></movie>`;

const poster = (background: string) =>
  sharp({ create: { width: 200, height: 300, channels: 3, background } })
    .jpeg()
    .toBuffer();

/** Two films and two series in as many libraries, of each one that is hidden; files hold nothing. */
async function fill(server: TestServer): Promise<void> {
  await writeFiles(server.films, {
    'hidden/Heat (1995)/Heat (1995).mkv': 'hidden film',
    'hidden/Heat (1995)/movie.nfo': film(
      'Heat',
      `<year>1995</year><genre>Crime</genre><set><name>Thieves</name></set>
      <director>Michael Mann</director>`,
    ),
    'hidden/Heat (1995)/poster.jpg': await poster('red'),
    'shown/Alien (1979)/Alien (1979).mkv': 'shown film',
    'shown/Alien (1979)/movie.nfo': film(
      'Alien',
      `<year>1979</year><genre>Horror</genre><director>Ridley Scott</director>`,
    ),
    'shown/Alien (1979)/poster.jpg': await poster('blue'),
    'hidden series/Dark (2017)/tvshow.nfo':
      '<tvshow><title>Dark</title><year>2017</year><genre>Mystery</genre></tvshow>',
    'hidden series/Dark (2017)/Season 1/Dark - S01E01 - Secrets.mkv': 'hidden one',
    'hidden series/Dark (2017)/Season 1/Dark - S01E02 - Lies.mkv': 'hidden two',
    'shown series/Bluey (2018)/tvshow.nfo':
      '<tvshow><title>Bluey</title><year>2018</year><genre>Family</genre></tvshow>',
    'shown series/Bluey (2018)/Season 1/Bluey - S01E01 - Magic.mkv': 'shown one',
    'shown series/Bluey (2018)/Season 1/Bluey - S01E02 - Hospital.mkv': 'shown two',
  });
}

async function idsOf(server: TestServer, which: string): Promise<Ids> {
  const library = await server.library(`${which} films`, which);
  const ofSeries = await server.library(`${which} serials`, `${which} series`, 'series');
  const { items: scans } = await server.read<Schemas['LibraryScanPage']>(
    `/api/v1/libraries/${library.id}/scans`,
  );
  const { items: films } = await server.read<Schemas['MoviePage']>(
    `/api/v1/movies?library=${library.id}`,
  );
  const movieId = films[0]!.id;
  const movie = await server.read<Schemas['Movie']>(`/api/v1/movies/${movieId}`);
  const { items: all } = await server.read<Schemas['SeriesPage']>(
    `/api/v1/series?library=${ofSeries.id}`,
  );
  const seriesId = all[0]!.id;
  const { seasons } = await server.read<Schemas['Series']>(`/api/v1/series/${seriesId}`);
  const { items: episodes } = await server.read<Schemas['EpisodePage']>(
    `/api/v1/series/${seriesId}/episodes`,
  );
  const { items: images } = await server.read<Schemas['ArtworkImageList']>(
    `/api/v1/items/movie/${movieId}/images`,
  );
  return {
    ...{ libraryId: library.id, seriesLibraryId: ofSeries.id, scanId: scans[0]!.id },
    ...{ movieId, seriesId, seasonId: seasons[0]!.id, episodeId: episodes[0]!.id },
    fileId: movie.versions[0]!.files[0]!.id,
    personId: movie.people.find(({ role }) => role === 'director')!.personId,
    imageId: images[0]!.id,
  };
}

/** Somebody who began, watched and kept works of all libraries while seeing them all. */
async function live(server: TestServer, { tokens }: Account, ids: Ids): Promise<void> {
  const send = (path: string, method: string, json?: unknown) =>
    server.read(`/api/v1/users/me/${path}`, {
      ...{ token: tokens.accessToken, method, ...(json === undefined ? {} : { json }) },
    });
  await send(`watched/series/${ids.seriesId}`, 'DELETE');
  await send(`watched/episode/${ids.episodeId}`, 'POST');
  await send(`progress/movie/${ids.movieId}`, 'PUT', { positionMs: 1_200_000, durationMs: 6e6 });
  for (const list of ['favourites', 'watchlist']) {
    await send(`${list}/movie/${ids.movieId}`, 'POST');
    await send(`${list}/series/${ids.seriesId}`, 'POST');
  }
}

/** Starts the node and fills it. */
export async function startScene(): Promise<Scene> {
  await using stack = new AsyncDisposableStack();
  const server = stack.use(await startServer());
  await fill(server);
  const hidden = await idsOf(server, 'hidden');
  const shown = await idsOf(server, 'shown');
  const today = new Date().toISOString().slice(0, 10);
  for (const { seriesId } of [hidden, shown]) {
    await server.db.sql`
      insert into known_episodes (series_id, season, number, title, air_date)
      values (${seriesId}, 1, 9, 'Ahead', ${today})`;
  }
  const viewer = await server.account('viewer');
  const rest = stack.move();
  return {
    ...{ server, viewer, hidden, shown },
    secrets: [
      ...Object.values(hidden as unknown as Record<string, string>),
      ...['Heat', 'Dark', 'Crime', 'Mystery', 'Thieves', 'Michael Mann', 'Secrets', 'Lies'],
      ...['hidden films', 'hidden serials'],
    ],
    async limit(libraryIds = [shown.libraryId, shown.seriesLibraryId]) {
      const path = `/api/v1/users/${viewer.id}`;
      await server.read(path, { method: 'PATCH', json: { libraryIds } });
    },
    async live() {
      for (const ids of [hidden, shown]) await live(server, viewer, ids);
    },
    [Symbol.asyncDispose]: () => rest.disposeAsync(),
  };
}
