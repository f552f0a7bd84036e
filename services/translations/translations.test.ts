import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { expect } from 'chai';
import type { components } from '#api/types.ts';
import { startTmdb, type FakeTmdb } from '#test/fakes/tmdb.ts';
import { enriched } from '#test/metadata.ts';
import { startServer, type TestServer } from '#test/server.ts';

type Schemas = components['schemas'];

const translated = (title: string) => ({
  translations: {
    translations: [
      { iso_639_1: 'de', iso_3166_1: 'DE', data: { title, name: title, overview: 'Deutsch.' } },
      { iso_639_1: 'fr', iso_3166_1: 'FR', data: { tagline: 'Français' } },
    ],
  },
});

describe('titles and texts in the language of who asks', function () {
  this.timeout(120_000);
  let tmdb: FakeTmdb;
  let server: TestServer;
  let film: string;
  let series: string;

  before(async () => {
    const heat = { id: 949, title: 'Heat', date: '1995-12-15', more: translated('Hitze') };
    tmdb = await startTmdb([heat]);
    const seasons = { 1: ['Secrets', 'Lies', 'Past'] };
    const dark = { id: 1, title: 'Dark', date: '2017-12-01', seasons };
    tmdb.series.push({ ...dark, more: translated('Finster') });
    const config = { 'metadata.tmdb.url': `${tmdb.url}/3`, 'metadata.tmdb.api_key': 'key' };
    server = await startServer({ config });
    const value = 'de, fr';
    await server.read('/api/v1/settings/metadata.languages', { method: 'PUT', json: { value } });
    for (const file of [
      'movie/Heat (1995)/Heat.mkv',
      'series/Dark (2017)/Dark S01E01.mkv',
      'series/Dark (2017)/Dark S01E02.mkv',
    ]) {
      await mkdir(dirname(join(server.films, file)), { recursive: true });
      await writeFile(join(server.films, file), file);
    }
    await server.library('Films', 'movie');
    await server.library('Series', 'series', 'series');
    await enriched(server);
    const { items: films } = await server.read<Schemas['MoviePage']>('/api/v1/movies');
    const { items: all } = await server.read<Schemas['SeriesPage']>('/api/v1/series');
    [film, series] = [films[0]!.id, all[0]!.id];
  });
  after(async () => {
    await server[Symbol.asyncDispose]();
    await tmdb[Symbol.asyncDispose]();
  });

  const headersIn = (language: string | undefined) =>
    language === undefined ? {} : { headers: { 'accept-language': language } };
  const read = <Body>(path: string, language?: string, token = server.userToken) =>
    server.read<Body>(`/api/v1/${path}`, { token, ...headersIn(language) });
  const titlesIn = async (path: string, language?: string) =>
    (await read<{ items: { title: string }[] }>(path, language)).items.map(({ title }) => title);

  it('are on pages and in lists, beside each other in caches', async () => {
    for (const [language, title, overview] of [
      ['de', 'Hitze', 'Deutsch.'],
      [undefined, 'Heat', 'What happens in Heat.'],
      ['de-AT, en;q=0.1', 'Hitze', 'Deutsch.'],
      ['en-GB, de', 'Heat', 'What happens in Heat.'],
      ['it', 'Heat', 'What happens in Heat.'],
    ] as const) {
      const page = await read<Schemas['Movie']>(`movies/${film}`, language);
      expect(page).to.include({ title, overview });
      const isGerman = title === 'Hitze';
      expect(page.translated).to.deep.equal(isGerman ? { title: 'de', overview: 'de' } : undefined);
      expect(await titlesIn('movies', language)).to.deep.equal([title]);
      const own = isGerman ? 'Finster' : 'Dark';
      expect(await titlesIn('series', language)).to.deep.equal([own]);
      const shown = await read<Schemas['Series']>(`series/${series}`, language);
      expect(shown).to.deep.include({ title: own });
      expect(shown.upNext!.seriesTitle).to.equal(own);
      expect(await titlesIn('search?q=heat', language)).to.deep.equal([title]);
      expect(await titlesIn('search/suggest?q=dar', language)).to.deep.equal([own]);
    }
    const { tagline, title } = await read<Schemas['Movie']>(`movies/${film}`, 'fr');
    expect({ tagline, title }).to.deep.equal({ tagline: 'Français', title: 'Heat' });
  });

  it('are with episodes, what is gone on with, and what is kept on lists', async () => {
    const { items } = await read<Schemas['EpisodePage']>(`series/${series}/episodes`, 'de');
    expect(items.map(({ seriesTitle }) => seriesTitle)).to.deep.equal(['Finster', 'Finster']);
    const send = (path: string, method: string, json?: unknown) =>
      server.read(`/api/v1/users/me/${path}`, {
        ...{ token: server.userToken, method, ...(json === undefined ? {} : { json }) },
      });
    await send(`watched/episode/${items[0]!.id}`, 'POST');
    const report = { positionMs: 60_000, durationMs: 600_000 };
    await send(`progress/episode/${items[1]!.id}`, 'PUT', report);
    await send(`favourites/movie/${film}`, 'POST');
    const next = await read<Schemas['EpisodePage']>('series/next-up', 'de');
    expect(next.items[0]!.seriesTitle).to.equal('Finster');
    const going = await read<Schemas['UserItemPage']>('users/me/continue-watching', 'de');
    expect(going.items[0]!.title).to.equal('Finster · S01E02 · Lies');
    expect(going.items[0]!.episode!.seriesTitle).to.equal('Finster');
    expect(await titlesIn('users/me/favourites', 'de')).to.deep.equal(['Hitze']);
    const page = await read<Schemas['Episode']>(`episodes/${items[1]!.id}`, 'de');
    expect([page.seriesTitle, page.previous!.seriesTitle]).to.deep.equal(['Finster', 'Finster']);
  });

  it('have tags of their own, and are said to vary', async () => {
    const ask = (language: string, tag?: string) =>
      server.fetch(`/api/v1/movies/${film}`, {
        token: server.adminToken,
        headers: {
          'accept-language': language,
          ...(tag === undefined ? {} : { 'if-none-match': tag }),
        },
      });
    const [german, english] = [await ask('de'), await ask('en')];
    const tags = [german, english].map(({ headers }) => headers.get('etag')!);
    expect(tags[0]).to.not.equal(tags[1]);
    expect(german.headers.get('vary')).to.contain('Accept-Language');
    expect(english.headers.get('vary')).to.contain('Accept-Language');
    expect((await ask('de', tags[0])).status).to.equal(304);
    expect((await ask('en', tags[0])).status).to.equal(200);
    const edited = await server.fetch(`/api/v1/movies/${film}`, {
      ...{ method: 'PATCH', token: server.adminToken, json: { tagline: 'By me' } },
      headers: { 'if-match': tags[0]!, 'accept-language': 'de' },
    });
    expect(edited.status).to.equal(200);
    const { tagline, title } = (await edited.json()) as Schemas['Movie'];
    expect({ tagline, title }).to.deep.equal({ tagline: 'By me', title: 'Hitze' });
    expect((await read<Schemas['Movie']>(`movies/${film}`, 'fr')).tagline).to.equal('By me');
  });

  it('are in the language of the account, where one is set', async () => {
    const account = await server.account('emil');
    const set = async (language: string | null) => {
      const { accessToken: token } = account.tokens;
      const me = await server.read<Schemas['Me']>('/api/v1/users/me', {
        ...{ method: 'PATCH', token, json: { language } },
      });
      expect(me.language).to.equal(language);
      const page = await read<Schemas['Movie']>(`movies/${film}`, 'en', token);
      return page.title;
    };
    expect(await set('de')).to.equal('Hitze');
    expect(await set('fr')).to.equal('Heat');
    expect(await set(null)).to.equal('Heat');
    const refused = await server.fetch('/api/v1/users/me', {
      ...{ method: 'PATCH', token: account.tokens.accessToken, json: { language: 'German' } },
    });
    expect(refused.status).to.equal(400);
  });

  it('are everybody’s where a person set them', async () => {
    await server.read(`/api/v1/movies/${film}`, { method: 'PATCH', json: { title: 'Mine' } });
    expect(await titlesIn('movies', 'de')).to.deep.equal(['Mine']);
  });
});
