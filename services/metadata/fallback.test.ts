import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import type { components } from '#api/types.ts';
import { startTmdb, type FakeTmdb } from '#test/fakes/tmdb.ts';
import { startTvdb, type FakeTvdb } from '#test/fakes/tvdb.ts';
import { enriched } from '#test/metadata.ts';
import { startServer, type TestServer } from '#test/server.ts';

type Schemas = components['schemas'];

describe('a series, while the first provider does not answer', function () {
  let tmdb: FakeTmdb;
  let tvdb: FakeTvdb;
  let server: TestServer;
  let path: string;

  before(async () => {
    tmdb = await startTmdb();
    tmdb.trouble = 500;
    tvdb = await startTvdb([
      {
        ...{ id: 334824, name: 'Dark', date: '2017-12-01', imdb: 'tt5753856', country: 'deu' },
        episodes: { official: { eng: [[1, 1, 1, 'Secrets']] } },
      },
    ]);
    server = await startServer({
      config: {
        ...{ 'metadata.tmdb.url': `${tmdb.url}/3`, 'metadata.tmdb.api_key': 'key' },
        ...{ 'metadata.tvdb.url': `${tvdb.url}/v4`, 'metadata.tvdb.api_key': 'tvdb-key' },
      },
    });
    await mkdir(join(server.films, 'series/Dark (2017)'), { recursive: true });
    await writeFile(join(server.films, 'series/Dark (2017)/Dark S01E01.mkv'), 'dark');
    await server.library('Series', 'series', 'series');
    await enriched(server);
    const { items } = await server.read<Schemas['SeriesPage']>('/api/v1/series');
    path = `/api/v1/series/${items[0]!.id}`;
  });
  after(async () => {
    await server[Symbol.asyncDispose]();
    await tmdb[Symbol.asyncDispose]();
    await tvdb[Symbol.asyncDispose]();
  });

  const series = () => server.read<Schemas['Series']>(path);
  const matches = (query = '') => server.read<Schemas['RecordMatches']>(`${path}/matches${query}`);
  const post = async (to: string, json?: object) => {
    await server.read(`${path}/${to}`, { method: 'POST', json });
    await enriched(server);
  };

  it('is filled in by the next one', async () => {
    expect((await matches()).match).to.deep.include({ provider: 'tvdb', id: '334824' });
    const view = await series();
    expect(view).to.deep.include({ overview: 'What happens in Dark.', studios: ['A Network'] });
    expect(view.sources).to.include({ title: 'tvdb', studios: 'tvdb' });
    expect(view.externalIds).to.deep.equal({ tvdb: '334824', imdb: 'tt5753856' });
    const { items } = await server.read<Schemas['EpisodePage']>(`${path}/episodes`);
    expect(items.map(({ title }) => title)).to.deep.equal(['Secrets']);
  });

  it('is the first one’s once that answers, with all its fields', async () => {
    tmdb.trouble = undefined;
    tmdb.series.push({
      ...{ id: 70523, title: 'Dark', date: '2017-12-01', overview: null },
      seasons: { 1: ['Geheimnisse'] },
    });
    await post('refresh');
    expect((await matches()).match).to.deep.include({ provider: 'tmdb', id: '70523' });
    const view = await series();
    expect(view.sources).to.include({ title: 'tmdb', studios: 'tmdb' });
    expect(view.overview).to.equal(null);
    expect(view.externalIds).to.deep.equal({ tmdb: '70523' });
  });

  it('is found at all of them by a person, who may choose any', async () => {
    const { items } = await matches('?query=dark');
    expect(items.map(({ provider, id }) => `${provider} ${id}`)).to.have.members([
      'tmdb 70523',
      'tvdb 334824',
    ]);
    await post('match', { provider: 'tvdb', id: '334824' });
    expect((await matches()).match).to.include({ provider: 'tvdb', basis: 'user' });
    await post('refresh');
    expect((await matches()).match).to.include({ provider: 'tvdb', basis: 'user' });
    tmdb.trouble = 500;
    expect((await matches('?query=dar')).items.map(({ provider }) => provider)).to.deep.equal([
      'tvdb',
    ]);
    tmdb.trouble = undefined;
  });

  it('tells nobody the key', () => {
    expect(server.complaints.join('\n')).to.not.contain('tvdb-key');
  });
});
