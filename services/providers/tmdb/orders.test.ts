import { expect } from 'chai';
import type { EpisodeOrder, SeriesRecord } from '../../metadata/provider.ts';
import { startTmdb, type FakeSeries, type FakeTmdb } from '#test/fakes/tmdb.ts';
import { providerDeps, type TestProviders } from '#test/providers.ts';
import { createTmdb } from './index.ts';
import { groupingFor, withOrder } from './orders.ts';

const locale = { language: 'en', country: 'US' };
const firefly: FakeSeries = {
  ...{ id: 1437, title: 'Firefly', date: '2002-09-20' },
  seasons: { 0: ['Extra'], 1: ['The Train Job', 'Bushwhacked', 'Serenity'] },
  groupings: {
    2: {
      0: [[0, 1]],
      1: [
        [1, 3],
        [1, 1],
        [1, 2],
      ],
    },
    3: {
      1: [[1, 3]],
      2: [
        [1, 1],
        [1, 2],
        [0, 1],
      ],
    },
  },
};

describe('orders of episodes of TMDb', () => {
  let tmdb: FakeTmdb;
  let made: TestProviders;

  before(async () => {
    tmdb = await startTmdb();
    tmdb.series.push(firefly, { id: 2, title: 'Plain', seasons: { 1: ['A'] } });
    made = providerDeps([tmdb.url]);
  });
  after(async () => {
    await made[Symbol.asyncDispose]();
    await tmdb[Symbol.asyncDispose]();
  });
  beforeEach(() => void (tmdb.asked.length = 0));

  const whole = async (id: string, order?: EpisodeOrder) => {
    const options = { apiKey: 'k', baseUrl: `${tmdb.url}/3`, budget: made.budget };
    const { series } = createTmdb(made.deps(), options);
    const record = await series.work(id, locale);
    return series.whole!(record!, { locale, languages: [], order });
  };
  const placesOf = ({ ordered }: SeriesRecord) =>
    ordered?.places.map(({ season, number, known }) =>
      [`${season}x${number}`, `${known.season}x${known.number}`].join(' is '),
    );

  it('are those of groups that people have made', async () => {
    const record = await whole('1437', 'dvd');
    expect(record.ordered?.order).to.equal('dvd');
    expect(placesOf(record)).to.deep.equal([
      '1x1 is 1x3',
      '2x1 is 1x1',
      '2x2 is 1x2',
      '2x3 is 0x1',
    ]);
  });

  it('count through all seasons but the specials', async () => {
    const { episodes, ordered } = await whole('1437', 'absolute');
    expect(episodes.map(({ absolute }) => absolute)).to.deep.equal([undefined, 2, 3, 1]);
    expect(ordered).to.equal(undefined);
  });

  for (const [id, order, requests] of [
    ['1437', undefined, 0],
    ['1437', 'aired', 0],
    ['1437', 'dvd', 2],
    ['2', 'dvd', 1],
  ] as const) {
    it(`take ${requests} requests for ${order ?? 'none'} of ${id}`, async () => {
      const record = await whole(id, order);
      expect(tmdb.asked.filter((path) => path.includes('episode_group'))).to.have.length(requests);
      expect(record.ordered === undefined).to.equal(requests < 2);
    });
  }

  it('begin with a first season, however the groups are numbered', async () => {
    const record = await whole('2');
    const episodes = [{ season_number: 1, episode_number: 1, order: 0 }];
    for (const [order, name, wanted] of [
      [0, 'Volume One', '1x1 is 1x1'],
      [0, 'Specials', '0x1 is 1x1'],
      [1, 'Season 1', '1x1 is 1x1'],
    ] as const) {
      const groups = [{ order, name, episodes }];
      expect(placesOf(withOrder(record, 'dvd', { groups }))).to.deep.equal([wanted]);
    }
  });

  it('are those of the fullest group of a type', () => {
    const results = [
      { id: 'a', type: 3, episode_count: 2 },
      { id: 'c', type: 3, episode_count: 5 },
      { id: 'b', type: 3, episode_count: 5 },
      { id: 'd', type: 1, episode_count: 9 },
    ];
    expect(groupingFor('dvd', { results })).to.equal('b');
    expect(groupingFor('absolute', { results })).to.equal(undefined);
    expect(groupingFor('aired', { results })).to.equal(undefined);
    expect(groupingFor('dvd', { results: null })).to.equal(undefined);
  });
});
