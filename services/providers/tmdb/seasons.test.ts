import { expect } from 'chai';
import { startTmdb, type FakeSeries, type FakeTmdb } from '#test/fakes/tmdb.ts';
import { providerDeps, type TestProviders } from '#test/providers.ts';
import { createTmdb } from './index.ts';
import { batchesOf } from './seasons.ts';

const locale = { language: 'en', country: 'US' };
const texts = (...codes: string[]) => ({
  translations: {
    translations: codes.map((code) => ({
      ...{ iso_639_1: code, iso_3166_1: code.toUpperCase() },
      data: { name: '', overview: `Text (${code}).` },
    })),
  },
});
const titles = (word: string, count: number) =>
  Array.from({ length: count }, (_, index) => `${word} ${'abcdefghijklmnop'[index]}`);
const seasonsOf = (word: string, count: number) =>
  Object.fromEntries(
    Array.from({ length: count + 1 }, (_, at) => [at, titles(`${word} ${at}`, 13)]),
  );

const long: FakeSeries = {
  ...{ id: 1, title: 'Long', date: '2001-01-01', seasons: seasonsOf('One', 10) },
  spoken: { de: seasonsOf('Eins', 10), fr: { ...seasonsOf('Un', 10), 3: ['Un 3 a'] } },
  seasonNames: { de: { 2: 'Der Anfang' } },
  pictures: 'long',
  more: texts('de', 'fr'),
};

describe('seasons of TMDb', () => {
  let tmdb: FakeTmdb;
  let made: TestProviders;

  before(async () => {
    tmdb = await startTmdb();
    tmdb.series.push(long, { id: 2, title: 'Short', seasons: { 1: ['Pilot', 'Episode 2'] } });
    made = providerDeps([tmdb.url]);
  });
  after(async () => {
    await made[Symbol.asyncDispose]();
    await tmdb[Symbol.asyncDispose]();
  });
  beforeEach(() => void (tmdb.asked.length = 0));

  const whole = async (id: string, ...languages: string[]) => {
    const options = { apiKey: 'k', baseUrl: `${tmdb.url}/3`, budget: made.budget };
    const { series } = createTmdb(made.deps(), options);
    const record = await series.work(id, locale);
    return series.whole!(record!, { locale, languages });
  };
  const askedOf = (part: string) => tmdb.asked.filter((path) => path.includes(part)).length;

  it('are asked for together, in each language that is wanted and spoken', async () => {
    const record = await whole('1', 'en', 'de', 'fr', 'it');
    expect(record.episodes).to.have.length(11 * 13);
    const [, second] = record.episodes.filter(({ season }) => season === 3);
    expect(second).to.deep.include({ title: 'One 3 b', overview: 'What happens in One 3 b.' });
    expect(second!.translations).to.deep.equal([
      { language: 'de', title: 'Eins 3 b', overview: 'What happens in Eins 3 b.' },
    ]);
    const [first] = record.episodes.filter(({ season }) => season === 3);
    expect(first!.translations!.map(({ title }) => title)).to.deep.equal(['Eins 3 a', 'Un 3 a']);
    const [, , named] = record.seasons;
    expect(named).to.include({ number: 2, title: undefined, overview: undefined });
    expect(named!.translations).to.deep.equal([
      { language: 'de', title: 'Der Anfang', overview: 'Der Anfang!' },
    ]);
    // One of the series, and one of all its seasons in each of three languages.
    expect([askedOf('/tv/1'), askedOf('/season/')]).to.deep.equal([4, 0]);
  });

  it('come with their pictures, in the languages that are asked for anyway', async () => {
    const { seasons, episodes } = await whole('1', 'de', 'fr');
    const base = `${tmdb.url}/t/p`;
    expect(seasons[2]!.images).to.deep.equal([
      { type: 'poster', url: `${base}/w780/long-2-en.jpg`, language: 'en' },
      { type: 'poster', url: `${base}/w780/long-2-de.jpg`, language: 'de' },
    ]);
    const [first] = episodes.filter(({ season }) => season === 2);
    const url = `${base}/w300/still/long-2x1.jpg`;
    expect(first!.images).to.deep.equal([{ type: 'thumb', url }]);
    expect((await whole('2')).seasons[0]!.images).to.deep.equal([]);
  });

  it('are asked for one by one where they do not come with the series', async () => {
    const usual = tmdb.respond;
    tmdb.respond = (url, request) => {
      url.searchParams.delete('append_to_response');
      return usual(url, request);
    };
    const record = await whole('1', 'de');
    tmdb.respond = usual;
    expect(record.episodes).to.have.length(11 * 13);
    expect(record.episodes[14]!.translations).to.have.length(1);
  });

  it('of which nobody has named one keep what counts it', async () => {
    const { episodes } = await whole('2', 'de');
    expect(episodes.map(({ title }) => title)).to.deep.equal(['Pilot', 'Episode 2']);
  });

  for (const [what, counts, wanted] of [
    ['few', [5, 10, 10], [3]],
    ['more than are appended', Array.from({ length: 45 }, () => 1), [20, 20, 5]],
    ['long ones', [150, 60, 100, 500, 3], [1, 2, 1, 1]],
    ['none', [], []],
  ] as const) {
    it(`are parted: ${what}`, () => {
      const listed = counts.map((episodeCount, number) => ({ number, episodeCount }));
      const batches = batchesOf(listed);
      expect(batches.map(({ length }) => length)).to.deep.equal(wanted);
      expect(batches.flat()).to.deep.equal(counts.map((_, number) => number));
    });
  }
});
