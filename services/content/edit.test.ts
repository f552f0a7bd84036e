import { mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { expect } from 'chai';
import sharp from 'sharp';
import type { components } from '#api/types.ts';
import { readTwice } from '#test/backup.ts';
import { startTmdb, type FakeTmdb } from '#test/fakes/tmdb.ts';
import { enriched } from '#test/metadata.ts';
import { startServer, type TestServer } from '#test/server.ts';
import type { Sql } from '#storage/postgres/connect.ts';

type Schemas = components['schemas'];
type Kind = 'movie' | 'series';

const byHand = {
  movie: { title: 'My Heat', overview: 'By me.', year: 1990, genres: ['Mine'] },
  series: { title: 'My Dark', overview: 'By me.', year: 1990, genres: ['Mine'] },
  season: { title: 'Cycle one', overview: 'By me.' },
  episode: { title: 'My secret', overview: 'By me.', airDate: '1990-01-02' },
} as const;

const poster = (background: string, width: number) =>
  sharp({ create: { width, height: 300, channels: 3, background } })
    .jpeg()
    .toBuffer();

describe('what a person set of a film, and of a series with its seasons and episodes', function () {
  this.timeout(180_000);
  let tmdb: FakeTmdb;
  let server: TestServer;
  const libraries = {} as Record<Kind, Schemas['Library']>;
  const at = (path: string) => join(server.films, path);
  const put = async (files: Readonly<Record<string, string | Uint8Array>>) => {
    for (const [path, content] of Object.entries(files)) {
      await mkdir(dirname(at(path)), { recursive: true });
      await writeFile(at(path), content);
    }
  };
  const send = async (path: string, method: string, json?: unknown) => {
    await server.read(path, { method, ...(json === undefined ? {} : { json }) });
    await enriched(server);
  };
  const scan = (kind: Kind) =>
    send(`/api/v1/libraries/${libraries[kind].id}/scans`, 'POST', { mode: 'full' });
  /** The one work there is of a kind. */
  const pathOf = async (kind: Kind) => {
    const list = kind === 'movie' ? '/api/v1/movies' : '/api/v1/series';
    const { items } = await server.read<{ items: { id: string }[] }>(list);
    expect(items, 'works').to.have.length(1);
    return { path: `${list}/${items[0]!.id}`, id: items[0]!.id };
  };
  const images = async (kind: Kind) => {
    const { id } = await pathOf(kind);
    const path = `/api/v1/items/${kind}/${id}/images`;
    const { items } = await server.read<{ items: Schemas['ArtworkImage'][] }>(path);
    return { path, items: items.filter(({ type }) => type === 'poster') };
  };

  before(async () => {
    const heat = { title: 'Heat', date: '1995-12-15', minutes: 170 };
    tmdb = await startTmdb([
      { ...heat, id: 949 },
      { ...heat, id: 950, date: '1986-03-14' },
    ]);
    const dark = { title: 'Dark', date: '2017-12-01', seasons: { 1: ['Secrets', 'Lies'] } };
    tmdb.series.push({ ...dark, id: 70523 }, { ...dark, id: 2, date: '2001-01-01' });
    server = await startServer({
      config: { 'metadata.tmdb.url': `${tmdb.url}/3`, 'metadata.tmdb.api_key': 'key' },
    });
    for (const folder of ['movie/Heat (1995)', 'series/Dark (2017)']) {
      await put({
        [`${folder}/poster.jpg`]: await poster('red', 200),
        [`${folder}/folder.jpg`]: await poster('blue', 201),
      });
    }
    await put({
      'movie/Heat (1995)/Heat (1995).mkv': 'film',
      'series/Dark (2017)/Season 1/Dark S01E01.mkv': 'one',
      'series/Dark (2017)/Season 1/Dark S01E02.mkv': 'two',
    });
    for (const kind of ['movie', 'series'] as const) {
      libraries[kind] = await server.library(kind, kind, kind);
      await enriched(server);
      await send((await pathOf(kind)).path, 'PATCH', byHand[kind]);
      const { path, items } = await images(kind);
      const other = items.find(({ isChosen }) => !isChosen);
      await send(`${path}/${other!.id}/chosen`, 'PUT');
    }
    const { path } = await pathOf('series');
    const { seasons } = await server.read<Schemas['Series']>(path);
    await send(`/api/v1/seasons/${seasons[0]!.id}`, 'PATCH', byHand.season);
    const episodes = await server.read<Schemas['EpisodePage']>(`${path}/episodes`);
    await send(`/api/v1/episodes/${episodes.items[0]!.id}`, 'PATCH', byHand.episode);
  });
  after(async () => {
    await server[Symbol.asyncDispose]();
    await tmdb[Symbol.asyncDispose]();
  });

  /** Fails unless all that was set is there, of a season and an episode too, and can be played. */
  async function expectKept(kind: Kind): Promise<void> {
    const { path } = await pathOf(kind);
    const work = await server.read<Schemas['Movie'] & Schemas['Series']>(path);
    expect(work).to.deep.include({ ...byHand[kind], isAvailable: true });
    expect(work.lockedFields).to.include.members(Object.keys(byHand[kind]));
    const chosen = (await images(kind)).items.filter(({ isChosen }) => isChosen);
    expect(chosen.map(({ isChosenByUser, width }) => [isChosenByUser, width])).to.deep.equal([
      [true, 201],
    ]);
    if (kind === 'movie') return;
    expect(work.seasons).to.have.length(1);
    expect(work.seasons[0]).to.deep.include({ ...byHand.season, episodeCount: 2 });
    const { items } = await server.read<Schemas['EpisodePage']>(`${path}/episodes`);
    const [first, second] = await Promise.all(
      items.map(({ id }) => server.read<Schemas['Episode']>(`/api/v1/episodes/${id}`)),
    );
    expect(first).to.deep.include({ ...byHand.episode, number: 1, isAvailable: true });
    expect(second).to.deep.include({ number: 2, lockedFields: [], isAvailable: true });
  }

  /** The folder of the one work of a kind, as it is called now. */
  const folderOf = async (kind: Kind) => `${kind}/${(await readdir(at(kind)))[0]}`;
  const filesOf = async (kind: Kind) => {
    const folder = `${await folderOf(kind)}${kind === 'series' ? '/Season 1' : ''}`;
    const names = (await readdir(at(folder))).filter((name) => name.endsWith('.mkv'));
    return { folder, names: names.sort() };
  };
  const nfo = {
    movie: ['movie.nfo', '<movie><title>Told</title><uniqueid type="tmdb">950</uniqueid></movie>'],
    series: [
      'tvshow.nfo',
      '<tvshow><title>Told</title><plot>Told</plot><uniqueid type="tmdb">2</uniqueid></tvshow>',
    ],
  } as const;

  const events: readonly { what: string; happen: (kind: Kind) => Promise<unknown> }[] = [
    {
      what: 'a refresh',
      happen: async (kind) => send(`${(await pathOf(kind)).path}/refresh`, 'POST'),
    },
    { what: 'a rescan', happen: (kind) => scan(kind) },
    {
      what: 'a rename of folder and file',
      async happen(kind) {
        const name = kind === 'movie' ? 'Cold (1996)' : 'Bright (2018)';
        await rename(at(await folderOf(kind)), at(`${kind}/${name}`));
        const { folder, names } = await filesOf(kind);
        for (const old of names) {
          const renamed = kind === 'movie' ? `${name}.mkv` : old.replace('Dark', 'Bright');
          await rename(at(`${folder}/${old}`), at(`${folder}/${renamed}`));
        }
        await scan(kind);
      },
    },
    {
      what: 'a better file in place of the one there was',
      async happen(kind) {
        const { folder, names } = await filesOf(kind);
        const [name = ''] = names;
        await put({ [`${folder}/${name.replace('.mkv', '.2160p.WEB.mkv')}`]: 'a better one' });
        await rm(at(`${folder}/${name}`));
        await scan(kind);
      },
    },
    {
      what: 'another id of a provider',
      async happen(kind) {
        const [name, text] = nfo[kind];
        await put({ [`${await folderOf(kind)}/${name}`]: text });
        await scan(kind);
        const { externalIds } = await server.read<Schemas['Movie']>((await pathOf(kind)).path);
        expect(externalIds['tmdb']).to.equal(kind === 'movie' ? '950' : '2');
      },
    },
    {
      what: 'another record that a person chose',
      async happen(kind) {
        const id = kind === 'movie' ? '949' : '70523';
        await send(`${(await pathOf(kind)).path}/match`, 'POST', { provider: 'tmdb', id });
        await scan(kind);
        const { externalIds } = await server.read<Schemas['Movie']>((await pathOf(kind)).path);
        expect(externalIds['tmdb']).to.equal(id);
      },
    },
  ];

  for (const kind of ['movie', 'series'] as const) {
    for (const { what, happen } of events) {
      it(`of a ${kind} survives ${what}`, async () => {
        await happen(kind);
        await expectKept(kind);
      });
    }
  }

  /** All that a person can have set, as PostgreSQL has it. */
  const setIn = async (sql: Sql) => ({
    movie: await sql`select id, title, overview, year, genres, locked_fields, sources from movies`,
    series: await sql`select id, title, overview, year, genres, locked_fields, sources from series`,
    seasons: await sql`select id, edits from seasons order by id`,
    episodes: await sql`select id, edits from episodes order by id`,
    images: await sql`select id, sha256 from images where chosen_by_user order by id`,
    records: await sql`
      select kind, item_id, provider_id from metadata_states where basis = 'user' order by kind`,
  });

  it('of either survives a restore from a backup', async () => {
    const { before, after } = await readTwice(server.db.sql, setIn);
    expect(before.images).to.have.length(2);
    expect(before.records).to.have.length(2);
    expect(after).to.deep.equal(before);
  });
});
