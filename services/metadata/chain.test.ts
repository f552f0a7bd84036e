import { expect } from 'chai';
import { startTmdb, type FakeTmdb } from '#test/fakes/tmdb.ts';
import { startTvdb, type FakeTvdb } from '#test/fakes/tvdb.ts';
import { providerDeps, type TestProviders } from '#test/providers.ts';
import { createTmdb } from '../providers/tmdb/index.ts';
import { createTvdb } from '../providers/tvdb/index.ts';
import { findInChain } from './chain.ts';
import { ProviderError } from './provider-error.ts';

const locale = { language: 'en', country: 'US' };

describe('the chain of providers', () => {
  let tmdb: FakeTmdb;
  let tvdb: FakeTvdb;
  let made: TestProviders;

  before(async () => {
    tmdb = await startTmdb();
    tvdb = await startTvdb();
    made = providerDeps([tmdb.url, tvdb.url]);
  });
  after(async () => {
    await made[Symbol.asyncDispose]();
    await tmdb[Symbol.asyncDispose]();
    await tvdb[Symbol.asyncDispose]();
  });

  beforeEach(() => {
    tmdb.trouble = tvdb.trouble = undefined;
    tmdb.series.splice(0, Infinity, { id: 1, title: 'Dark', date: '2017-12-01', seasons: {} });
    tvdb.works.splice(
      0,
      Infinity,
      { id: 10, name: 'Dark', date: '2017-12-01', tmdb: '1' },
      { id: 11, name: 'Light', date: '2001-01-01', imdb: 'tt0000011' },
    );
  });

  const find = async (titles: string[], more: { year?: number; ids?: object } = {}) => {
    const { budget } = made;
    const providers = [
      createTmdb(made.deps(), { apiKey: 'k', baseUrl: `${tmdb.url}/3`, budget }).series,
      createTvdb(made.deps(), { apiKey: 'k', baseUrl: `${tvdb.url}/v4`, budget }).series,
    ];
    const facts = { titles, ids: {}, language: 'en', ...more };
    const { provider, record, basis, missed } = await findInChain(providers, facts, locale);
    return [provider?.name, record?.id, basis, missed?.failure];
  };

  it('asks the first, and nobody else when it knows', async () => {
    tvdb.asked.length = 0;
    expect(await find(['Dark'], { year: 2017 })).to.deep.equal(['tmdb', '1', 'title', undefined]);
    expect(tvdb.asked).to.deep.equal([]);
  });

  it('asks the next what the first does not know', async () => {
    const found = await find(['Light'], { year: 2001 });
    expect(found).to.deep.equal(['tvdb', '11', 'title', undefined]);
    expect(await find(['Twilight'])).to.deep.equal([undefined, undefined, undefined, undefined]);
  });

  for (const [name, trouble] of [
    ['is down', 500],
    ['says nonsense', { text: '<html>' }],
    ['does not take the key', 401],
  ] as const) {
    it(`asks the next when the first ${name}, and says so`, async () => {
      tmdb.trouble = trouble;
      const [provider, id, basis, missed] = await find(['Dark'], { year: 2017 });
      expect([provider, id, basis]).to.deep.equal(['tvdb', '10', 'title']);
      expect(missed).to.be.oneOf(['unavailable', 'broken', 'refused']);
    });
  }

  it('fails as the first does when nobody else knows', async () => {
    tmdb.trouble = 500;
    const error: unknown = await find(['Twilight']).catch((one: unknown) => one);
    expect(error).to.be.instanceOf(ProviderError);
    expect(error).to.include({ provider: 'tmdb', failure: 'unavailable' });
  });

  it('goes by an id of whoever knows it, before any title', async () => {
    const found = await find(['Dark'], { ids: { tvdb: '11' } });
    expect(found.slice(0, 3)).to.deep.equal(['tvdb', '11', 'id']);
  });

  it('takes the record of the first by the id that another tells', async () => {
    const found = await find(['Anything'], { ids: { tvdb: '10' } });
    expect(found.slice(0, 3)).to.deep.equal(['tmdb', '1', 'id']);
  });

  it('leaves to a person what the first cannot tell apart', async () => {
    tmdb.series.push({ id: 2, title: 'Light', date: '1999-01-01', seasons: {} });
    tmdb.series.push({ id: 3, title: 'Light', date: '2005-01-01', seasons: {} });
    expect((await find(['Light']))[0]).to.equal(undefined);
  });
});
