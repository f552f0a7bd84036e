import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { expect } from 'chai';
import type { components } from '#api/types.ts';
import { startTmdb, type FakeTmdb } from '#test/fakes/tmdb.ts';
import { enriched } from '#test/metadata.ts';
import { startServer, type TestServer } from '#test/server.ts';

type Schemas = components['schemas'];

const translations = [
  { iso_639_1: 'de', iso_3166_1: 'DE', data: { title: 'Hitze', overview: 'Auf Deutsch.' } },
  { iso_639_1: 'de', iso_3166_1: 'AT', data: { title: 'Hitz', overview: '' } },
  { iso_639_1: 'fr', iso_3166_1: 'FR', data: { title: 'Chaleur', tagline: 'Brûlant' } },
  { iso_639_1: 'en', iso_3166_1: 'US', data: { title: '', overview: 'In English.' } },
  { iso_639_1: 'xx', iso_3166_1: null, data: null },
];
const heat = {
  ...{ id: 949, title: 'Heat', date: '1995-12-15', otherTitles: ['Fuego contra fuego'] },
  more: { translations: { translations } },
};

describe('what else a record tells', function () {
  let tmdb: FakeTmdb;
  let server: TestServer;
  let path: string;

  before(async () => {
    tmdb = await startTmdb([heat]);
    const config = { 'metadata.tmdb.url': `${tmdb.url}/3`, 'metadata.tmdb.api_key': 'key' };
    server = await startServer({ config });
    for (const file of ['Heat (1995)/Heat.mkv', 'Nobody knows it (2001).mkv']) {
      await mkdir(dirname(join(server.films, 'all', file)), { recursive: true });
      await writeFile(join(server.films, 'all', file), file);
    }
    await server.library('Films', 'all');
    await enriched(server);
    path = await pathOf('Heat');
  });
  after(async () => {
    await server[Symbol.asyncDispose]();
    await tmdb[Symbol.asyncDispose]();
  });

  const pathOf = async (title: string) => {
    const { items } = await server.read<Schemas['MoviePage']>('/api/v1/movies');
    return `/api/v1/movies/${items.find((one) => one.title === title)!.id}`;
  };
  const record = (of = path) =>
    server.read<Schemas['WorkRecord']>(`${of}/record`, { token: server.userToken });
  const languages = async () => {
    const told = (await record()).translations;
    return told.map(({ language, title }) => `${language} ${title}`).sort();
  };

  it('are other titles, trailers, and certifications by country', async () => {
    const { translations: texts, ...rest } = await record();
    expect(texts).to.deep.equal([
      { language: 'en', title: 'Heat', overview: 'In English.', tagline: null },
    ]);
    expect(rest).to.deep.include({ provider: 'tmdb', id: '949' });
    expect(rest.otherTitles).to.include.members(['Hitze', 'Chaleur', 'Fuego contra fuego']);
    expect(rest.trailers[0]).to.deep.equal({
      ...{ site: 'YouTube', key: 'trailer', name: 'Trailer', language: 'en' },
    });
    expect(rest.certifications).to.deep.equal([
      { country: 'DE', certification: '16' },
      { country: 'US', certification: 'R' },
    ]);
  });

  it('lets a film be found by its titles in other languages', async () => {
    for (const query of ['chaleur', 'fuego contra']) {
      const found = await server.read<Schemas['SearchResults']>(`/api/v1/search?q=${query}`);
      expect(found.items.map(({ title }) => title)).to.deep.equal(['Heat']);
    }
  });

  it('are texts in the languages that are wanted', async () => {
    await server.read('/api/v1/settings/metadata.languages', {
      ...{ method: 'PUT', json: { value: 'de, fr' } },
    });
    await server.read(`${path}/refresh`, { method: 'POST' });
    await enriched(server);
    expect(await languages()).to.deep.equal(['de Hitze', 'de-AT Hitz', 'fr Chaleur']);
  });

  it('is nothing where nobody’s record is known', async () => {
    expect(await record(await pathOf('Nobody knows it'))).to.deep.equal({
      ...{ provider: null, id: null, otherTitles: [], translations: [] },
      ...{ trailers: [], certifications: [] },
    });
    const response = await server.fetch(
      '/api/v1/series/01890000-0000-7000-8000-000000000000/record',
      {
        token: server.userToken,
      },
    );
    expect(response.status).to.equal(404);
  });
});
