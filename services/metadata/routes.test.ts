import { expect } from 'chai';
import type { components } from '#api/types.ts';
import { startTmdb, type FakeTmdb } from '#test/fakes/tmdb.ts';
import { enriched } from '#test/metadata.ts';
import { startServer, type TestServer } from '#test/server.ts';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

type Schemas = components['schemas'];

const heat = { id: 949, title: 'Heat', date: '1995-12-15', votes: 7_000, imdb: 'tt0113277' };
const older = { id: 5, title: 'Heat', date: '1986-11-01', votes: 6_000, minutes: 101 };

describe('what people ask of providers', function () {
  let tmdb: FakeTmdb;
  let server: TestServer;
  let path: string;

  before(async () => {
    tmdb = await startTmdb([heat, older, { id: 8, title: 'Cold', date: '2001-01-01' }]);
    const config = { 'metadata.tmdb.url': `${tmdb.url}/3`, 'metadata.tmdb.api_key': 'key' };
    server = await startServer({ config });
    const file = join(server.films, 'all/Heat/Heat.mkv');
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, 'a film');
    await server.library('Films', 'all');
    await enriched(server);
    const { items } = await server.read<Schemas['MoviePage']>('/api/v1/movies');
    path = `/api/v1/movies/${items[0]!.id}`;
  });
  after(async () => {
    await server[Symbol.asyncDispose]();
    await tmdb[Symbol.asyncDispose]();
  });

  const movie = () => server.read<Schemas['Movie']>(path);
  const matches = (query = '') => server.read<Schemas['RecordMatches']>(`${path}/matches${query}`);
  const post = async (to: string, json?: unknown) => {
    const token = server.adminToken;
    const response = await server.fetch(`${path}/${to}`, { method: 'POST', token, json });
    return response.status;
  };

  it('shows which records a film might be, and finds others by title and id', async () => {
    const open = await matches();
    expect(open.match).to.equal(null);
    expect(open.items.map(({ id }) => id)).to.deep.equal(['949', '5']);
    const found = await matches('?query=heat&year=1986');
    expect(found.items.map(({ id, score }) => [id, score])).to.deep.equal([['5', 1]]);
    for (const query of ['tt0113277', 'tmdb:949']) {
      const [one] = (await matches(`?query=${query}`)).items;
      expect(one).to.include({ id: '949', title: 'Heat', year: 1995 });
    }
    expect((await matches('?query=tmdb:12345')).items).to.deep.equal([]);
  });

  it('takes a person’s word for good, and shows the pictures that come with it', async () => {
    expect(await post('match', { provider: 'tmdb', id: '5' })).to.equal(202);
    await enriched(server);
    const view = await movie();
    expect(view).to.include({ year: 1986, overview: 'What happens in Heat.' });
    expect(view.images['poster']).to.include({ width: 780 });
    expect(view.lockedFields).to.deep.equal(['ids']);
    expect((await matches()).match).to.deep.equal({
      ...{ provider: 'tmdb', id: '5', basis: 'user', score: 1 },
    });
    expect(await post('match', { provider: 'tmdb', id: '8' })).to.equal(202);
    await enriched(server);
    expect(await movie()).to.deep.include({
      title: 'Cold',
      year: 2001,
      externalIds: { tmdb: '8' },
    });
  });

  it('asks anew when it is told to', async () => {
    const before = await movie();
    tmdb.films.splice(2, 1, { id: 8, title: 'Cold', date: '2001-01-01', overview: 'Rewritten.' });
    expect(await post('refresh')).to.equal(202);
    await enriched(server);
    const after = await movie();
    expect([before.overview, after.overview]).to.deep.equal([
      'What happens in Cold.',
      'Rewritten.',
    ]);
  });

  it('goes by ids that a person sets', async () => {
    const response = await server.fetch(path, {
      ...{ method: 'PATCH', token: server.adminToken, json: { externalIds: { tmdb: '949' } } },
    });
    expect(response.status).to.equal(200);
    await enriched(server);
    expect(await movie()).to.include({ title: 'Heat', year: 1995 });
    expect((await matches()).match).to.include({ id: '949', basis: 'id' });
  });

  it('says what cannot be', async () => {
    expect(await post('match', { provider: 'tmdb', id: '999' })).to.equal(422);
    expect(await post('match', { provider: 'tvdb', id: '5' })).to.equal(422);
    expect(await post('match', { provider: 'other', id: '5' })).to.equal(400);
    tmdb.trouble = 500;
    const response = await server.fetch(`${path}/matches?query=other`, {
      token: server.adminToken,
    });
    tmdb.trouble = undefined;
    expect(response.status).to.equal(503);
    expect(response.headers.get('retry-after')).to.match(/^\d+$/);
    expect(await response.text()).to.not.contain('api_key');
  });
});
