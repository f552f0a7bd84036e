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
  let tmdb: FakeTmdb;
  let server: TestServer;
  let film: string;
  let series: string;

  before(async () => {
    const heat = { id: 949, title: 'Heat', date: '1995-12-15', more: translated('Hitze') };
    tmdb = await startTmdb([heat]);
    const seasons = { 1: ['Secrets', 'Lies', 'Past'] };
    const spoken = { de: { 1: ['Geheimnisse', 'Lügen'] } };
    const seasonNames = { de: { 1: 'Wo ist Mikkel?' } };
    const dark = { id: 1, title: 'Dark', date: '2017-12-01', seasons, spoken, seasonNames };
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
    expect(going.items[0]!.title).to.equal('Finster · S01E02 · Lügen');
    expect(going.items[0]!.episode).to.include({ seriesTitle: 'Finster', title: 'Lügen' });
    const ours = await read<Schemas['UserItemPage']>('users/me/continue-watching', 'en');
    expect(ours.items[0]!.title).to.equal('Dark · S01E02 · Lies');
    expect(await titlesIn('users/me/favourites', 'de')).to.deep.equal(['Hitze']);
    const page = await read<Schemas['Episode']>(`episodes/${items[1]!.id}`, 'de');
    expect([page.seriesTitle, page.previous!.seriesTitle]).to.deep.equal(['Finster', 'Finster']);
  });

  it('are of episodes and seasons, too, where somebody has translated them', async () => {
    const list = (language?: string) => titlesIn(`series/${series}/episodes`, language);
    expect(await list('de')).to.deep.equal(['Geheimnisse', 'Lügen']);
    expect(await list('fr')).to.deep.equal(['Secrets', 'Lies']);
    expect(await list()).to.deep.equal(['Secrets', 'Lies']);
    const next = await read<Schemas['Series']>(`series/${series}`, 'de');
    const [season] = next.seasons;
    expect(season).to.deep.include({ title: 'Wo ist Mikkel?', overview: 'Wo ist Mikkel?!' });
    expect(season!.translated).to.deep.equal({ title: 'de', overview: 'de' });
    const [plain] = (await read<Schemas['Series']>(`series/${series}`)).seasons;
    expect(plain).to.include({ title: null, overview: null });
    const { items } = await read<Schemas['EpisodePage']>(`series/${series}/episodes`);
    const page = await read<Schemas['Episode']>(`episodes/${items[1]!.id}`, 'de');
    expect(page).to.include({ title: 'Lügen', overview: 'What happens in Lügen.' });
    expect(page.translated).to.deep.equal({ title: 'de', overview: 'de' });
    expect(page.previous!.title).to.equal('Geheimnisse');
    const shown = await read<Schemas['Calendar']>('calendar?from=2017-12-01&to=2017-12-31', 'de');
    const told = shown.items.map(({ title }) => title);
    expect(told).to.deep.equal(['Geheimnisse', 'Lügen', 'Past']);
  });

  it('are found in every language', async () => {
    for (const [query, title] of [
      ['geheimnisse', 'Secrets'],
      ['secrets', 'Secrets'],
      ['lügen', 'Lies'],
    ] as const) {
      expect(await titlesIn(`search?q=${encodeURIComponent(query)}`)).to.deep.equal([title]);
    }
    expect(await titlesIn('search?q=secrets', 'de')).to.deep.equal(['Geheimnisse']);
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

  it('are everybody’s where a person set them of an episode or a season', async () => {
    const patch = (path: string, json: object) =>
      server.read(`/api/v1/${path}`, { method: 'PATCH', json });
    const { items } = await read<Schemas['EpisodePage']>(`series/${series}/episodes`);
    const path = `series/${series}/episodes`;
    await patch(`episodes/${items[0]!.id}`, { title: 'My pilot' });
    expect(await titlesIn(path, 'de')).to.deep.equal(['My pilot', 'Lügen']);
    const [season] = (await read<Schemas['Series']>(`series/${series}`)).seasons;
    await patch(`seasons/${season!.id}`, { title: 'Mine' });
    await server.fetch(`/api/v1/series/${series}/refresh`, {
      ...{ method: 'POST', token: server.adminToken },
    });
    await enriched(server);
    const [after] = (await read<Schemas['Series']>(`series/${series}`, 'de')).seasons;
    expect(after).to.include({ title: 'Mine', overview: 'Wo ist Mikkel?!' });
    expect(await titlesIn(path, 'de')).to.deep.equal(['My pilot', 'Lügen']);
  });

  it('are everybody’s where a person set them', async () => {
    await server.read(`/api/v1/movies/${film}`, { method: 'PATCH', json: { title: 'Mine' } });
    expect(await titlesIn('movies', 'de')).to.deep.equal(['Mine']);
  });
});
