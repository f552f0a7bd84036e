import { expect } from 'chai';
import { createTestOrder } from '#test/clock.ts';
import { startTmdb, type FakeTmdb } from '#test/fakes/tmdb.ts';
import { quiet } from '#test/log.ts';
import { createCache } from '#storage/cache/index.ts';
import { createOutbound, type Outbound } from '#storage/outbound/index.ts';
import type { WorkProvider } from '../../metadata/provider.ts';
import { createKeptAnswers } from '../kept.ts';
import { filmRecord } from './film.ts';
import { pictureUrls } from './common.ts';
import { createTmdb } from './index.ts';

const locale = { language: 'en', country: 'US' };

describe('TMDb', () => {
  let tmdb: FakeTmdb;
  let outbound: Outbound;
  const heat = { id: 949, title: 'Heat', date: '1995-12-15', minutes: 170, imdb: 'tt0113277' };

  before(async () => {
    tmdb = await startTmdb([heat]);
    outbound = createOutbound({ trusted: [tmdb.url], userAgent: 'Revenge/test' });
  });
  after(async () => {
    await outbound[Symbol.asyncDispose]();
    await tmdb[Symbol.asyncDispose]();
  });
  beforeEach(() => void (tmdb.asked.length = 0));

  const provider = (apiKey: string): WorkProvider => {
    const now = () => 0;
    const clock = createTestOrder().node();
    return createTmdb(
      {
        cache: createCache({ clock, log: quiet, now, l1MaxBytes: 1_000_000 }),
        ...{ outbound, log: quiet, now, random: () => 0.5, kept: createKeptAnswers(undefined) },
        meter: { request: () => undefined, drift: () => undefined },
      },
      {
        ...{ apiKey, baseUrl: `${tmdb.url}/3` },
        budget: { take: async () => 0, rest: async () => undefined },
      },
    ).film;
  };

  it('is asked with a key of version 3 in the query, and with a token of version 4 in a header', async () => {
    const usual = tmdb.respond;
    const proofs: unknown[] = [];
    tmdb.respond = (url, request) => {
      proofs.push(url.searchParams.get('api_key') ?? request.headers['authorization']);
      return usual(url, request);
    };
    await provider('abc').work('949', locale);
    await provider('eyJhbGciOi').work('949', locale);
    tmdb.respond = usual;
    expect([...new Set(proofs)]).to.deep.equal(['abc', 'Bearer eyJhbGciOi']);
  });

  it('searches by title and year', async () => {
    const found = await provider('k').search({ title: 'heat', year: 1995 }, locale);
    expect(found).to.deep.equal([
      {
        ...{ id: '949', title: 'Heat', originalTitle: 'Heat', year: 1995, votes: 100 },
        overview: 'What happens in Heat.',
        posterUrl: `${tmdb.url}/t/p/w780/poster-949.jpg`,
      },
    ]);
    expect(await provider('k').search({ title: 'heat', year: 1986 }, locale)).to.deep.equal([]);
  });

  it('finds its id by that of IMDb', async () => {
    expect(await provider('k').idOf({ imdb: 'tt0113277' })).to.equal('949');
    expect(await provider('k').idOf({ imdb: 'tt0000001' })).to.equal(undefined);
    expect(await provider('k').idOf({ tvdb: '1' })).to.equal(undefined);
  });

  it('asks for a film once, with all that belongs to it', async () => {
    const record = await provider('k').work('949', locale);
    expect(record?.images).to.deep.equal([
      { type: 'poster', url: `${tmdb.url}/t/p/w780/poster-949.jpg`, language: 'en' },
      { type: 'poster', url: `${tmdb.url}/t/p/w780/other.jpg`, language: 'fr' },
      { type: 'backdrop', url: `${tmdb.url}/t/p/w1280/backdrop-949.jpg`, language: undefined },
    ]);
    expect(record?.trailers.map(({ key }) => key)).to.deep.equal(['trailer', 'teaser']);
    expect(tmdb.asked.filter((path) => path.includes('/movie/'))).to.have.length(1);
  });

  it('asks for nothing but numbers', async () => {
    expect(await provider('k').work('../account', locale)).to.equal(undefined);
    expect(await provider('k').work('1', locale)).to.equal(undefined);
    expect(tmdb.asked).to.have.length(1);
  });

  it('makes a record of the least there may be', () => {
    const record = filmRecord({ id: '5', title: 'A' }, locale, pictureUrls(undefined));
    expect(record).to.deep.include({ id: '5', title: 'A', ids: { tmdb: '5' }, images: [] });
    expect(Object.values(record).filter((value) => value === null)).to.deep.equal([]);
  });

  it('takes the largest size of pictures up to the one wanted', () => {
    const images = { poster_sizes: ['w92', 'w500', 'original'], backdrop_sizes: ['w1920'] };
    const urlOf = pictureUrls({ images });
    expect(urlOf('poster', '/a.jpg')).to.equal('https://image.tmdb.org/t/p/w500/a.jpg');
    expect(urlOf('backdrop', '/a.jpg')).to.equal('https://image.tmdb.org/t/p/w1920/a.jpg');
    expect(urlOf('logo', '/a.png')).to.equal('https://image.tmdb.org/t/p/w500/a.png');
  });
});
