import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { expect } from 'chai';
import type { components } from '#api/types.ts';
import { radarrFilm, sonarrSeries, startArr, type FakeArr } from '#test/fakes/arr.ts';
import { startTmdb, type FakeTmdb } from '#test/fakes/tmdb.ts';
import { enriched } from '#test/metadata.ts';
import { startServer, type TestServer } from '#test/server.ts';
import { createAdder } from '../jobs/enqueue.ts';
import { arrJob } from './index.ts';

type Schemas = components['schemas'];

describe('what Radarr and Sonarr know', function () {
  this.timeout(240_000);
  let tmdb: FakeTmdb;
  let radarr: FakeArr;
  let other: FakeArr;
  let sonarr: FakeArr;
  let server: TestServer;

  before(async () => {
    tmdb = await startTmdb([
      { id: 949, title: 'Heat', date: '1995-12-15' },
      { id: 5, title: 'Heat', date: '1986-11-01' },
      { id: 7, title: 'Ronin', date: '1998-09-25' },
      { id: 8, title: 'Collateral', date: '2004-08-06' },
      { id: 9, title: 'Cold', date: '2001-01-01' },
    ]);
    tmdb.series.push(
      { id: 70, title: 'Dark', date: '2017-12-01', tvdb: 334824, seasons: { 1: ['Secrets'] } },
      { id: 71, title: 'Dark', date: '2011-01-01', seasons: { 1: ['Other'] } },
    );
    radarr = await startArr('movie');
    other = await startArr('movie');
    sonarr = await startArr('series');
    server = await startServer({
      config: {
        ...{ 'metadata.tmdb.url': `${tmdb.url}/3`, 'metadata.tmdb.api_key': 'key' },
        'arr.radarr.url': [`${radarr.url}/base/`, `${other.url}/base`],
        'arr.radarr.api_key': ['arr-key', 'arr-key'],
        ...{ 'arr.sonarr.url': `${sonarr.url}/base`, 'arr.sonarr.api_key': 'arr-key' },
      },
    });
    const mappings = `/movies=${server.films}/films; D:\\tv=${server.films}/series`;
    await server.read('/api/v1/settings/library.path_mappings', {
      ...{ method: 'PUT', json: { value: mappings } },
    });
    for (const file of [
      'films/Heat/Heat.mkv',
      'films/Cold {tmdb-9}/Cold.mkv',
      'films/two/Ronin (1998).mkv',
      'films/two/Collateral (2004).mkv',
      'series/Dark/Season 1/Dark S01E01.mkv',
    ]) {
      await mkdir(dirname(join(server.films, file)), { recursive: true });
      await writeFile(join(server.films, file), file);
    }
    await server.library('Films', 'films');
    await server.library('Series', 'series', 'series');
    await enriched(server);
  });
  after(async () => {
    await server[Symbol.asyncDispose]();
    for (const vendor of [tmdb, radarr, other, sonarr]) await vendor[Symbol.asyncDispose]();
  });
  beforeEach(() => {
    radarr.trouble = other.trouble = undefined;
    radarr.works.length = other.works.length = sonarr.works.length = 0;
  });

  const pull = async () => {
    await server.db.sql.begin((tx) => createAdder().add(tx, arrJob, {}));
    await server.settled();
    // What is due is handed out once a minute, which is not waited for here.
    const due = await server.db.sql<{ itemId: string; kind: string }[]>`
      select kind, item_id as "itemId" from metadata_states where next_at <= now()`;
    for (const { kind, itemId } of due) {
      const path = kind === 'movie' ? 'movies' : 'series';
      await server.read(`/api/v1/${path}/${itemId}/refresh`, { method: 'POST' });
    }
    await enriched(server);
    return due.length;
  };

  /** The record of the work that a file belongs to. */
  const recordOf = async (path: string) => {
    const [row] = await server.db.sql<{ id: string | null; basis: string | null }[]>`
      select s.provider_id as id, s.basis from files f
        join metadata_states s on s.item_id = f.item_id
      where f.path = ${path}`;
    return [row?.id ?? null, row?.basis ?? null];
  };
  const heat = 'Heat/Heat.mkv';

  it('is not needed where a name says enough', async () => {
    expect(await recordOf(heat)).to.deep.equal([null, null]);
    expect(await recordOf('Cold {tmdb-9}/Cold.mkv')).to.deep.equal(['9', 'id']);
    expect(await recordOf('two/Ronin (1998).mkv')).to.deep.equal(['7', 'title']);
  });

  it('decides which film a folder holds, and which series', async () => {
    radarr.works.push(radarrFilm({ title: 'Heat', path: '/movies/Heat', tmdbId: 5 }));
    sonarr.works.push(sonarrSeries({ title: 'Dark', path: 'D:\\tv\\Dark', tvdbId: 334824 }));
    await pull();
    expect(await recordOf(heat)).to.deep.equal(['5', 'id']);
    const dark = 'Dark/Season 1/Dark S01E01.mkv';
    expect(await recordOf(dark)).to.deep.equal(['70', 'id']);
  });

  it('decides anew when they say something else, and not while they say the same', async () => {
    radarr.works.push(radarrFilm({ title: 'Heat', path: '/movies/Heat', tmdbId: 949 }));
    sonarr.works.push(sonarrSeries({ title: 'Dark', path: 'D:\\tv\\Dark', tvdbId: 334824 }));
    expect(await pull()).to.equal(1);
    expect(await recordOf(heat)).to.deep.equal(['949', 'id']);
    expect(await pull()).to.equal(0);
  });

  it('gives way to ids in names, and says nothing of a folder of several films', async () => {
    radarr.works.push(
      radarrFilm({ title: 'Cold', path: '/movies/Cold {tmdb-9}', tmdbId: 5 }),
      radarrFilm({ title: 'Heat', path: '/movies/two', tmdbId: 5 }),
      radarrFilm({ title: 'Heat', path: '/movies', tmdbId: 5 }),
    );
    await pull();
    expect(await recordOf('Cold {tmdb-9}/Cold.mkv')).to.deep.equal(['9', 'id']);
    expect(await recordOf('two/Ronin (1998).mkv')).to.deep.equal(['7', 'title']);
    expect(await recordOf('two/Collateral (2004).mkv')).to.deep.equal(['8', 'title']);
  });

  it('is believed as it was while they do not answer', async () => {
    radarr.works.push(radarrFilm({ title: 'Heat', path: '/movies/Heat', tmdbId: 5 }));
    await pull();
    for (const trouble of [500, 401, { text: '<html>' }] as const) {
      radarr.trouble = trouble;
      await pull();
      expect(await recordOf(heat)).to.deep.equal(['5', 'id']);
    }
    expect(server.complaints.join('\n')).to.not.contain('arr-key');
  });

  it('leaves what has no id, or no path, out, and years that are none', async () => {
    radarr.works.push(
      { title: 'Broken', tmdbId: 3 },
      radarrFilm({ title: 'Heat', path: '/movies/Heat', tmdbId: 0, imdbId: '', year: 1995.5 }),
      radarrFilm({ title: 'Ronin', path: '/movies/Ronin', tmdbId: 7, year: 2 ** 40 }),
    );
    await pull();
    const rows = await server.db.sql`
      select title, year, ids from arr_works where source = 'radarr' order by title`;
    expect([...rows]).to.deep.equal([
      { title: 'Heat', year: null, ids: {} },
      { title: 'Ronin', year: null, ids: { tmdb: '7' } },
    ]);
  });

  /** What the library of films says of folders of several servers, by where they lie. */
  const claims = async () => {
    const [library] = await server.db.sql<{ id: string }[]>`
      select id from libraries where kind = 'movie'`;
    const { items } = await server.read<Schemas['LibraryProblemPage']>(
      `/api/v1/libraries/${library!.id}/problems`,
    );
    return items
      .filter(({ type }) => type === 'claim')
      .map(({ path, reason }) => [path.slice(server.films.length + 1), reason]);
  };

  it('is what each of several servers says of its own folders', async () => {
    const said = async () => {
      const rows = await server.db.sql<{ said: string }[]>`
        select path || ' ' || (ids ->> 'tmdb') as said from arr_works
        where source = 'radarr' order by path`;
      return rows.map((row) => row.said.slice(server.films.length));
    };
    const ronin = radarrFilm({ title: 'Ronin', path: '/movies/Ronin', tmdbId: 7 });
    radarr.works.push(radarrFilm({ title: 'Heat', path: '/movies/Heat', tmdbId: 5 }));
    other.works.push(radarrFilm({ title: 'Heat', path: '/movies/Heat', tmdbId: 949 }), ronin);
    await pull();
    // Who said it first has the folder, however often the other one says otherwise.
    expect(await said()).to.deep.equal(['/films/Heat 5', '/films/Ronin 7']);
    expect(await recordOf(heat)).to.deep.equal(['5', 'id']);
    expect(await pull()).to.equal(0);
    expect(await claims()).to.deep.equal([
      [
        'films/Heat',
        `two servers say what lies here: ${radarr.url}/base (Heat), which said so first and is ` +
          `believed, and ${other.url}/base (Heat)`,
      ],
    ]);

    // The first says nothing of it any more: the other's word counts, be it there or not.
    radarr.works.length = 0;
    other.trouble = 500;
    await pull();
    expect(await said()).to.deep.equal(['/films/Heat 949', '/films/Ronin 7']);
    expect(await recordOf(heat)).to.deep.equal(['949', 'id']);
    expect(await claims()).to.deep.equal([]);
    other.trouble = undefined;
    radarr.works.push(radarrFilm({ title: 'Heat', path: '/movies/Heat', tmdbId: 5 }));
    await pull();
    expect(await said(), 'of who has had it since').to.contain('/films/Heat 949');
    other.works.length = 0;
    radarr.works.length = 0;
    await pull();
    expect(await said(), 'of none').to.deep.equal([]);
    expect(await claims()).to.deep.equal([]);
  });

  it('passes on when a server is not asked any more', async () => {
    other.works.push(radarrFilm({ title: 'Heat', path: '/movies/Heat', tmdbId: 949 }));
    const path = `${server.films}/films/Heat`;
    await server.db.sql`
      insert into arr_works (source, server, path, title, ids)
      values ('radarr', 'http://former', ${path}, 'Heat', '{"tmdb": "5"}')`;
    await pull();
    const rows = await server.db.sql`
      select ids from arr_works where source = 'radarr' and path = ${path}`;
    expect([...rows]).to.deep.equal([{ ids: { tmdb: '949' } }]);
    expect(await recordOf(heat)).to.deep.equal(['949', 'id']);
    expect(await server.db.sql`select from arr_rivals`).to.have.length(0);
  });

  it('goes with a server that is not asked any more, once the others have answered', async () => {
    const count = async () => {
      const rows = await server.db.sql`select from arr_works where source = 'radarr'`;
      return rows.length;
    };
    await pull();
    await server.db.sql`
      insert into arr_works (source, server, path, title, ids) values
        ('radarr', 'http://former', '/former', 'Former', '{}'), ('radarr', '', '/old', 'Old', '{}')`;
    radarr.trouble = 500;
    await pull();
    expect(await count()).to.equal(2);
    radarr.trouble = undefined;
    await pull();
    expect(await count()).to.equal(0);
  });

  it('never decides what a person has decided', async () => {
    const { items } = await server.read<Schemas['MoviePage']>('/api/v1/movies?limit=100');
    const [row] = await server.db.sql<{ id: string }[]>`
      select item_id as id from files where path = ${heat}`;
    expect(items.map(({ id }) => id)).to.include(row!.id);
    const json = { provider: 'tmdb', id: '949' };
    await server.read(`/api/v1/movies/${row!.id}/match`, { method: 'POST', json });
    await enriched(server);
    radarr.works.push(radarrFilm({ title: 'Heat', path: '/movies/Heat', tmdbId: 5 }));
    await pull();
    expect(await recordOf(heat)).to.deep.equal(['949', 'user']);
  });
});
