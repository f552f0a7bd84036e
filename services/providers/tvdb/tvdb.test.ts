import { expect } from 'chai';
import { startTvdb, type FakeTvdb } from '#test/fakes/tvdb.ts';
import { providerDeps, type TestProviders } from '#test/providers.ts';
import { ProviderError } from '../../metadata/provider-error.ts';
import type { EpisodeOrder, Locale } from '../../metadata/provider.ts';
import { createTvdb } from './index.ts';

const english = { language: 'en', country: 'US' };
const french = { language: 'fr', country: 'FR' };

const bad = {
  ...{ id: 81189, name: 'Breaking Bad', date: '2008-01-20', imdb: 'tt0903747', tmdb: '1396' },
  ...{ country: 'usa', translations: { eng: 'Breaking Bad', fra: 'Breaking Bad : Le Chimiste' } },
  episodes: {
    official: {
      eng: [
        [0, 1, 0, 'Minisode'],
        [1, 1, 1, 'Pilot'],
        [1, 2, 2, "Cat's in the Bag…"],
        [2, 1, 3, 'Seven Thirty-Seven'],
      ],
      fra: [
        [0, 1, 0, null],
        [1, 1, 1, 'Chute libre'],
        [1, 2, 2, ''],
        [2, 1, 3, 'Traqués'],
      ],
    },
    dvd: { eng: [[1, 1, 1, 'Pilot, and more']] },
    absolute: { eng: [[1, 3, 3, 'Seven Thirty-Seven']] },
  },
} as const;

/** The same episodes in each order; an id of its own says which. */
const firefly = {
  ...{ id: 81190, name: 'Firefly', date: '2002-09-20' },
  seasons: [
    { number: 1, type: { type: 'official' }, name: 'Season 1', image: '' },
    { number: 2, type: { type: 'official' }, name: 'The war', image: '/banners/s2.jpg' },
    { number: 1, type: { type: 'dvd' }, name: 'On discs', image: null },
  ],
  episodes: {
    official: {
      eng: [
        [1, 1, 1, 'The Train Job', 1],
        [1, 2, 2, 'Serenity', 2],
        [2, 1, 3, 'Out of Gas', 3],
      ],
    },
    dvd: {
      eng: [
        [1, 1, 1, 'Serenity', 2],
        [1, 2, 2, 'The Train Job', 1],
        [1, 3, 3, 'A commentary', 9],
      ],
    },
    absolute: {
      eng: [
        [1, 1, 1, 'Serenity', 2],
        [1, 2, 2, 'The Train Job', 1],
        [1, 3, 3, 'Out of Gas', 3],
      ],
    },
  },
} as const;

describe('TheTVDB', () => {
  let tvdb: FakeTvdb;
  let made: TestProviders;

  before(async () => {
    tvdb = await startTvdb([
      bad,
      firefly,
      { id: 5, name: 'Heat', type: 'movie', date: '1995-12-15' },
    ]);
    made = providerDeps([tvdb.url]);
  });
  after(async () => {
    await made[Symbol.asyncDispose]();
    await tvdb[Symbol.asyncDispose]();
  });
  beforeEach(() => {
    tvdb.asked.length = 0;
    tvdb.trouble = undefined;
  });

  const provider = (order?: EpisodeOrder) =>
    createTvdb(made.deps(), {
      ...{ apiKey: 'key', baseUrl: `${tvdb.url}/v4`, budget: made.budget },
      ...(order === undefined ? {} : { order }),
    });

  const whole = async (
    id: string,
    locale: Locale,
    asked: { order?: EpisodeOrder; languages?: readonly string[] } = {},
  ) => {
    const { series } = provider(asked.order);
    const record = await series.work(id, locale);
    return record && series.whole!(record, { locale, languages: asked.languages ?? [] });
  };

  it('is logged in to once, by all who ask at once', async () => {
    const before = tvdb.logins();
    const { series } = provider();
    await Promise.all([
      series.search({ title: 'bad' }, english),
      series.idOf({ imdb: 'tt0903747' }),
      series.work('81189', english),
    ]);
    expect(tvdb.logins() - before).to.equal(1);
    const [login, ...others] = tvdb.asked;
    expect(login).to.equal('/v4/login');
    expect(others).to.have.length(3);
  });

  it('is logged in to again when it takes the token no more', async () => {
    const { series } = provider();
    await series.search({ title: 'bad' }, english);
    const before = tvdb.logins();
    tvdb.forget();
    expect(await series.idOf({ imdb: 'tt0903747' })).to.equal('81189');
    expect(tvdb.logins() - before).to.equal(1);
  });

  it('is left alone for a while when it does not take the key, which is never said', async () => {
    tvdb.trouble = { status: 401, json: { status: 'failure' } };
    const error: unknown = await provider()
      .series.search({ title: 'bad' }, english)
      .catch((one: unknown) => one);
    expect(error).to.be.instanceOf(ProviderError);
    expect(error).to.include({ failure: 'refused', retryAfterMs: 3_600_000 });
    expect(String(error)).to.not.contain('"key"');
    expect(tvdb.asked).to.deep.equal(['/v4/login', '/v4/login']);
  });

  it('finds series by any of their names, in the language asked for', async () => {
    const [hit] = await provider().series.search({ title: 'chimiste', year: 2008 }, french);
    expect(hit).to.deep.equal({
      ...{ id: '81189', title: 'Breaking Bad : Le Chimiste', originalTitle: 'Breaking Bad' },
      ...{ otherTitles: [], year: 2008, votes: 0, countries: ['US'] },
      overview: 'What happens in Breaking Bad.',
      posterUrl: 'https://artworks.thetvdb.com/banners/posters/81189-1.jpg',
    });
    expect(await provider().series.search({ title: 'heat' }, english)).to.deep.equal([]);
    const [film] = await provider().film.search({ title: 'heat' }, english);
    expect(film).to.include({ id: '5', year: 1995 });
  });

  it('tells all of a series, with its ids elsewhere', async () => {
    const record = await provider().series.work('81189', french);
    expect(record).to.deep.include({
      ...{ id: '81189', title: 'Breaking Bad : Le Chimiste', originalTitle: 'Breaking Bad' },
      ids: { tvdb: '81189', imdb: 'tt0903747', tmdb: '1396' },
      otherTitles: ['Breaking Bad (alias)'],
      ...{ year: 2008, date: '2008-01-20', status: 'Ended', genres: ['Drama'] },
      ...{ overview: 'Breaking Bad : Le Chimiste, in fra.', studios: ['A Network'] },
      certifications: { US: 'TV-MA' },
      trailers: [{ site: 'YouTube', key: 'abcdefghijk', name: 'Trailer', language: undefined }],
    });
    expect(record?.images.map(({ type, url }) => [type, url])).to.deep.equal([
      ['poster', 'https://artworks.thetvdb.com/banners/posters/81189-fra.jpg'],
      ['poster', 'https://artworks.thetvdb.com/p/81189.jpg'],
      ['backdrop', 'https://artworks.thetvdb.com/b/81189.jpg'],
    ]);
  });

  it('names episodes in English where it has no name in the language', async () => {
    const record = await whole('81189', french);
    const named = record?.episodes.map(({ season, number, title }) => [season, number, title]);
    expect(named).to.deep.equal([
      [0, 1, 'Minisode'],
      [1, 1, 'Chute libre'],
      [1, 2, "Cat's in the Bag…"],
      [2, 1, 'Traqués'],
    ]);
    expect(record?.episodes.map(({ absolute }) => absolute)).to.deep.equal([undefined, 1, 2, 3]);
  });

  it('names episodes in all languages that are wanted and that it speaks, one request each', async () => {
    const record = await whole('81189', english, { languages: ['en', 'fr', 'de'] });
    const told = record?.episodes.map(({ title, translations }) => [title, translations]);
    const french = (title: string) => [{ language: 'fr', title, overview: undefined }];
    expect(told).to.deep.equal([
      ['Minisode', []],
      ['Pilot', french('Chute libre')],
      ["Cat's in the Bag…", []],
      ['Seven Thirty-Seven', french('Traqués')],
    ]);
    const paths = tvdb.asked.filter((path) => path.includes('/episodes/'));
    expect(paths.map((path) => path.split('/').at(-1))).to.deep.equal(['eng?page=0', 'fra?page=0']);
  });

  for (const [order, wanted] of [
    ['aired', 4],
    ['dvd', 1],
    ['absolute', 1],
  ] as const) {
    it(`counts episodes as ${order}`, async () => {
      const record = await whole('81189', english, { order });
      expect(record?.episodes).to.have.length(wanted);
      if (order === 'absolute') expect(record?.episodes[0]).to.include({ season: 1, number: 3 });
    });
  }

  it('has pictures of seasons in its order, and of episodes', async () => {
    const seasons = (order?: EpisodeOrder) => whole('81190', english, { order: order ?? 'aired' });
    const official = await seasons();
    expect(official?.seasons).to.deep.equal([
      { number: 1, title: undefined, images: [] },
      {
        ...{ number: 2, title: 'The war' },
        images: [{ type: 'poster', url: 'https://artworks.thetvdb.com/banners/s2.jpg' }],
      },
    ]);
    expect((await seasons('dvd'))?.seasons.map(({ title }) => title)).to.deep.equal(['On discs']);
    expect(official?.episodes[0]!.images).to.deep.equal([
      { type: 'thumb', url: 'https://artworks.thetvdb.com/banners/e1.jpg' },
    ]);
  });

  it('tells where episodes stand in another order, by one request more', async () => {
    const asked = { locale: english, languages: [] };
    const { series } = provider();
    const record = await series.work('81190', english);
    const dvd = await series.whole!(record!, { ...asked, order: 'dvd' });
    expect(dvd.episodes.map(({ season, number }) => [season, number])).to.deep.equal([
      [1, 1],
      [1, 2],
      [2, 1],
    ]);
    expect(dvd.ordered).to.deep.equal({
      order: 'dvd',
      places: [
        { season: 1, number: 1, known: { season: 1, number: 2 } },
        { season: 1, number: 2, known: { season: 1, number: 1 } },
      ],
    });
    const all = await series.whole!(record!, { ...asked, order: 'absolute' });
    expect(all.episodes.map(({ absolute }) => absolute)).to.deep.equal([2, 1, 3]);
    expect(all.ordered).to.equal(undefined);
    const paths = tvdb.asked.filter((path) => path.includes('/episodes/'));
    expect(paths.map((path) => path.split('/').at(-2))).to.deep.equal([
      ...['official', 'dvd', 'absolute'],
    ]);
    const usual = await series.whole!(record!, { ...asked, order: 'aired' });
    expect(usual.ordered).to.deep.equal({ order: 'aired', places: [] });
    expect(await series.whole!(record!, asked)).to.not.have.property('ordered');
  });

  it('reads all pages of a long series', async () => {
    const eng = Array.from(
      { length: 1_201 },
      (_, index) => [1, index + 1, index + 1, `Part ${index + 1}`] as const,
    );
    tvdb.works.push({ id: 7, name: 'Long', episodes: { official: { eng } } });
    expect((await whole('7', english))?.episodes).to.have.length(1_201);
  });

  it('tells a film', async () => {
    const record = await provider().film.work('5', english);
    expect(record).to.deep.include({
      ...{ id: '5', title: 'Heat', date: '1995-12-15', runtimeMs: 101 * 60_000 },
      ...{ studios: ['A Studio'], ids: { tvdb: '5' } },
      credits: [
        { name: 'Maker', role: 'director', character: '', position: 0 },
        { name: 'First', role: 'actor', character: 'One', position: 0 },
        { name: 'Second', role: 'actor', character: 'Two', position: 1 },
      ],
    });
  });

  it('tells who makes a series as a whole, not who is in an episode', async () => {
    const somebody = (personName: string, peopleType: string, more: object = {}) => ({
      ...{ personName, peopleType, name: null, sort: 0, episodeId: null, ...more },
    });
    tvdb.works.push({
      ...{ id: 81_200, name: 'Cast' },
      characters: [
        somebody('Aaron', 'Actor', { name: 'Jesse', sort: 2 }),
        somebody('Bryan', 'Actor', { name: 'Walter', sort: 1 }),
        somebody('Bryan', 'Director'),
        somebody('Vince', 'Creator'),
        somebody('Vince', 'Writer', { sort: 3 }),
        somebody('Melissa', 'Executive Producer'),
        somebody('Ann', 'Showrunner'),
        somebody('Bob', 'Guest Star', { name: 'Saul' }),
        somebody('Rian', 'Director', { episodeId: 4_206_971 }),
        somebody('Cy', 'Crew'),
        somebody('', 'Actor'),
        ...Array.from({ length: 60 }, (_, at) => somebody(`Extra ${at}`, 'Actor', { sort: 9 })),
      ],
    });
    const record = await provider().series.work('81200', english);
    const told = record!.credits.map(({ name, role, character }) =>
      [role, name, character].join(' ').trim(),
    );
    expect(told.slice(0, 7)).to.deep.equal([
      ...['director Bryan', 'writer Vince', 'producer Melissa', 'other Ann Showrunner'],
      ...['actor Bryan Walter', 'actor Aaron Jesse', 'actor Extra 0'],
    ]);
    expect(told).to.have.length(44);
  });

  it('asks for nothing but numbers, and knows when there is nothing', async () => {
    expect(await provider().series.work('../user', english)).to.equal(undefined);
    expect(await provider().series.work('99', english)).to.equal(undefined);
    expect(await provider().series.work('5', english)).to.equal(undefined);
    expect(await provider().film.idOf({ tmdb: '5' })).to.equal(undefined);
  });
});
