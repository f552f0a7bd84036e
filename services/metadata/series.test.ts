import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { expect } from 'chai';
import type { components } from '#api/types.ts';
import { startTmdb, type FakeSeries, type FakeTmdb } from '#test/fakes/tmdb.ts';
import { enriched, startSeriesServer } from '#test/metadata.ts';
import type { TestServer } from '#test/server.ts';
import { episodeSearch, seriesSearch } from '../content/series/search.ts';

type Schemas = components['schemas'];

const dark: FakeSeries = {
  ...{ id: 70523, title: 'Dark', date: '2017-12-01', imdb: 'tt5753856', tvdb: 334824 },
  seasons: { 0: ['Making of'], 1: ['Secrets', 'Lies', 'Past and Present'], 2: ['Beginnings'] },
  groupings: {
    3: {
      1: [
        [1, 2],
        [1, 1],
      ],
      2: [
        [1, 3],
        [2, 1],
      ],
    },
  },
};

describe('metadata of series', function () {
  this.timeout(180_000);
  let tmdb: FakeTmdb;
  let server: TestServer;
  let library: Schemas['Library'];
  let path: string;
  let dir: string;

  before(async () => {
    tmdb = await startTmdb();
    tmdb.series.push(dark, { id: 2, title: 'Light', date: '2001-01-01', seasons: { 1: ['A'] } });
    ({ server, library, path } = await startSeriesServer(tmdb, async (folder) => {
      dir = folder;
      await put(
        'Dark (2017)/Season 1/Dark S01E01.mkv',
        'Dark (2017)/Season 1/Dark S01E02 Mine.mkv',
      );
    }));
  });
  after(async () => {
    await server[Symbol.asyncDispose]();
    await tmdb[Symbol.asyncDispose]();
  });

  const put = async (...names: string[]) => {
    for (const name of names) {
      const file = join(dir, name);
      await mkdir(dirname(file), { recursive: true });
      await writeFile(file, name.endsWith('.nfo') ? showNfo : name);
    }
  };
  const showNfo = '<tvshow><title>Dark</title><year>2017</year><plot>By hand.</plot></tvshow>';
  const scan = async () => {
    const token = server.adminToken;
    await server.fetch(`/api/v1/libraries/${library.id}/scans`, {
      method: 'POST',
      token,
      json: {},
    });
    await enriched(server);
  };
  const post = async (to: string, json?: unknown) => {
    const token = server.adminToken;
    const { status } = await server.fetch(`${path}/${to}`, { method: 'POST', token, json });
    await enriched(server);
    return status;
  };
  const series = () => server.read<Schemas['Series']>(path);
  const etag = async () =>
    (await server.fetch(path, { token: server.adminToken })).headers.get('etag');
  const episodes = async () =>
    (await server.read<Schemas['EpisodePage']>(`${path}/episodes`)).items.map(
      ({ number, title, airDate }) => [number, title, airDate],
    );
  const missing = async () =>
    (await server.read<Schemas['MissingEpisodes']>(`${path}/missing`)).items.map(
      ({ season, number, title }) => [season, number, title],
    );

  it('fills a series, and names the episodes that files leave unnamed', async () => {
    expect(await series()).to.deep.include({
      ...{ title: 'Dark', year: 2017, premiered: '2017-12-01', status: 'Continuing' },
      ...{ overview: 'What happens in Dark.', certification: 'TV-MA', studios: ['Netflix'] },
      externalIds: { imdb: 'tt5753856', tmdb: '70523', tvdb: '334824' },
    });
    expect((await series()).sources).to.include({ title: 'tmdb', overview: 'tmdb' });
    expect(await episodes()).to.deep.equal([
      [1, 'Secrets', '2017-12-01'],
      [2, 'Mine', '2017-12-08'],
    ]);
  });

  const cast = (...parts: readonly (readonly [name: string, character: string])[]) => ({
    cast: parts.map(([name, character], order) => ({
      ...{ id: order, name, order, total_episode_count: 4 },
      roles: [{ credit_id: 'x', character, episode_count: 4 }],
    })),
  });
  const told = async () =>
    (await series()).people.map(({ name, role, character }) =>
      [role, name, character].join(' ').trim(),
    );
  const tell = async (more: Partial<FakeSeries>) => {
    tmdb.series[0] = { ...dark, ...more };
    expect(await post('refresh')).to.equal(202);
  };

  it('has the cast that a provider tells, of one request: it comes, changes and goes', async () => {
    expect(await told()).to.deep.equal([]);
    tmdb.asked.length = 0;
    const hers = ['Lisa Vicari', 'Martha Nielsen'] as const;
    await tell({
      people: cast(['Louis Hofmann', 'Jonas Kahnwald'], hers),
      more: { created_by: [{ id: 9, name: 'Jantje Friese' }] },
    });
    const paths = tmdb.asked.map((path) => path.split('?')[0]);
    expect(paths.filter((path) => path === '/3/tv/70523')).to.have.length.at.most(2);
    expect(paths.filter((path) => path?.includes('credits'))).to.deep.equal([]);
    const all = [
      'actor Louis Hofmann Jonas Kahnwald',
      'actor Lisa Vicari Martha Nielsen',
      'writer Jantje Friese',
    ];
    expect(await told()).to.deep.equal(all);
    expect((await series()).sources).to.include({ people: 'tmdb' });
    const [document] = await seriesSearch.documents(server.db.sql, [(await series()).id]);
    expect(document!.people).to.deep.equal(['Jantje Friese', 'Louis Hofmann', 'Lisa Vicari']);
    const { personId } = (await series()).people[1]!;
    const works = await server.read<Schemas['PersonWorkPage']>(`/api/v1/people/${personId}/works`);
    expect(works.items.map(({ kind, title, credits }) => ({ kind, title, credits }))).to.deep.equal(
      [
        {
          kind: 'series',
          title: 'Dark',
          credits: [{ role: 'actor', character: 'Martha Nielsen' }],
        },
      ],
    );

    const before = await etag();
    await tell({ people: cast(hers) });
    expect(await told()).to.deep.equal(['actor Lisa Vicari Martha Nielsen']);
    const after = await etag();
    expect(after).to.not.equal(before);
    await tell({ people: cast(hers) });
    expect(await etag()).to.equal(after);
    await tell({});
    expect(await told()).to.deep.equal([]);
    expect((await series()).sources).to.not.have.property('people');
  });

  it('keeps the cast that a person has locked', async () => {
    await tell({ people: cast(['Oliver Masucci', 'Ulrich']) });
    const lock = (lockedFields: readonly string[]) =>
      server.read(path, { method: 'PATCH', json: { lockedFields } });
    await lock(['people']);
    await tell({ people: cast(['Somebody', 'Else']) });
    expect(await told()).to.deep.equal(['actor Oliver Masucci Ulrich']);
    await lock([]);
    await tell({});
    expect(await told()).to.deep.equal([]);
  });

  it('lets episodes be found by the titles that a provider gives them', async () => {
    const { items } = await server.read<Schemas['EpisodePage']>(`${path}/episodes`);
    const ids = items.map(({ id }) => id);
    const found = await episodeSearch.documents(server.db.sql, ids);
    expect(found.map(({ title }) => title)).to.have.members(['Secrets', 'Mine']);
  });

  it('knows which episodes are missing', async () => {
    expect(await missing()).to.deep.equal([
      [1, 3, 'Past and Present'],
      [2, 1, 'Beginnings'],
    ]);
    await put('Dark (2017)/Season 1/Dark S01E03.mkv');
    await scan();
    expect(await missing()).to.deep.equal([[2, 1, 'Beginnings']]);
    expect((await series()).overview).to.equal('What happens in Dark.');
  });

  it('knows an episode by its number through all seasons', async () => {
    await put('Dark (2017)/Dark - 004.mkv');
    await scan();
    expect((await episodes()).at(-1)).to.deep.equal([4, 'Beginnings', '2017-12-01']);
    expect(await missing()).to.deep.equal([]);
  });

  it('asks for the order in which a person has episodes count', async () => {
    const choose = async (episodeOrder: string | null) => {
      await server.read(path, { method: 'PATCH', json: { episodeOrder } });
      await enriched(server);
      return (await episodes()).map(([, title]) => title);
    };
    const usual = await choose(null);
    expect(usual).to.deep.equal(['Secrets', 'Mine', 'Past and Present', 'Beginnings']);
    expect(await choose('dvd')).to.deep.equal(['Lies', 'Mine', 'Past and Present', 'Beginnings']);
    await scan();
    expect(await post('refresh')).to.equal(202);
    expect(await choose('dvd')).to.deep.equal(['Lies', 'Mine', 'Past and Present', 'Beginnings']);
    expect(await choose(null)).to.deep.equal(usual);
  });

  it('leaves what an NFO tells, and the rest to the provider', async () => {
    await put('Dark (2017)/tvshow.nfo');
    await scan();
    expect(await post('refresh')).to.equal(202);
    expect(await series()).to.deep.include({ overview: 'By hand.', studios: ['Netflix'] });
    await rm(join(server.films, 'series/Dark (2017)/tvshow.nfo'));
  });

  it('takes a person’s word for which series it is', async () => {
    const found = await server.read<Schemas['RecordMatches']>(`${path}/matches?query=light`);
    expect(found.items.map(({ id }) => id)).to.deep.equal(['2']);
    expect(await post('match', { provider: 'tmdb', id: '2' })).to.equal(202);
    const { match } = await server.read<Schemas['RecordMatches']>(`${path}/matches`);
    expect(match).to.include({ id: '2', basis: 'user' });
    expect(await missing()).to.deep.equal([]);
    await rename(join(server.films, 'series/Dark (2017)'), join(server.films, 'series/Darker'));
    await scan();
    const after = await server.read<Schemas['RecordMatches']>(`${path}/matches`);
    expect(after.match).to.include({ id: '2', basis: 'user' });
  });
});
