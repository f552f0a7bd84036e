import { expect } from 'chai';
import type { components } from '#api/types.ts';
import { GB, seriesSuite } from '#test/series.ts';
import { enrichedSeries } from './enrich.ts';
import { readShowNfo } from './nfo.ts';
import { removeSeries } from './remove.ts';

type Schemas = components['schemas'];
type Verdict = Parameters<typeof enrichedSeries.apply>[2];

const actor = (name: string, role = '', order = '') =>
  `<actor><name>${name}</name><role>${role}</role><order>${order}</order></actor>`;
const nfo = (people: string) => `<tvshow><title>Dark</title>${people}</tvshow>`;

describe('the cast of tvshow.nfo', () => {
  const cases: readonly [what: string, people: string, told: readonly string[]][] = [
    ['nobody', '<plot>Dark.</plot>', []],
    [
      'parts in their order',
      actor('B', 'Two', '1') + actor('A', 'One', '0'),
      ['1 B Two', '0 A One'],
    ],
    ['parts as they come', actor('A', 'One') + actor('B'), ['0 A One', '1 B']],
    [
      'two parts of one person',
      actor('A', 'Rick') + actor('A', 'Morty'),
      ['0 A Rick', '1 A Morty'],
    ],
    ['a part of nobody', '<actor><role>One</role></actor>', []],
    ['an order that is none', actor('A', '', '-5') + actor('B', '', '99999'), ['0 A', '32767 B']],
    [
      'who else made it',
      '<director>D</director><credits>W / X</credits><writer>W</writer>',
      ['director D', 'writer W', 'writer X'],
    ],
  ];
  for (const [what, people, told] of cases) {
    it(`tells ${what}`, () => {
      const { show } = readShowNfo(new TextEncoder().encode(nfo(people)));
      const { actors = [], directors = [], writers = [] } = show ?? {};
      expect([
        ...directors.map((name) => `director ${name}`),
        ...writers.map((name) => `writer ${name}`),
        ...actors.map(({ name, character, position }) =>
          [position, name, character].join(' ').trim(),
        ),
      ]).to.deep.equal(told);
    });
  }
});

describe('the cast of series', () => {
  const suite = seriesSuite();
  const { scan, ask, handlers, one } = suite;

  beforeEach(() => suite.library.put({ 'Dark/Season 1/Dark S01E01.mkv': GB }));

  const read = (seriesId: string) =>
    ask<'getSeries', Schemas['Series']>(handlers().getSeries, { params: { seriesId } });
  const names = async () =>
    (await read((await one()).id)).people.map(({ name, character }) =>
      [name, character].join(' ').trim(),
    );
  const source = async () => (await read((await one()).id)).sources['people'];
  const write = async (people: string) => {
    await suite.library.lose('Dark/tvshow.nfo');
    await suite.library.put({ 'Dark/tvshow.nfo': nfo(people) });
    return scan();
  };
  const lock = async (...lockedFields: string[]) =>
    ask<'updateSeries', Schemas['Series']>(handlers().updateSeries, {
      ...{ params: { seriesId: (await one()).id }, body: { lockedFields } },
    });
  /** What becomes of the series when a provider tells of these people. */
  const provide = async (...people: string[]) => {
    const { id } = await one();
    const credits = people.map((name, position) => ({
      ...{ name, role: 'actor' as const, character: '', position },
    }));
    const nothing = { ids: {}, otherTitles: [], translations: [], certifications: {} };
    const lists = { studios: [], genres: [], tags: [], trailers: [], images: [] };
    const parts = { seasons: [], episodes: [] };
    const record = { id: '1', title: 'Dark', credits, ...nothing, ...lists, ...parts };
    const verdict: Verdict = {
      ...{ provider: 'tmdb', record },
      locale: { language: 'en', country: 'US' },
    };
    return suite.db.sql.begin((tx) => enrichedSeries.apply(tx, id, verdict));
  };
  const creditsOf = async (...ids: readonly string[]) => {
    const rows = await suite.db.sql<{ id: string }[]>`
      select item_id as id from credits where item_id = any (${ids as string[]}::uuid[])`;
    return rows.map(({ id }) => id);
  };

  it('is what an NFO names, changes with it, and is left alone when it does not', async () => {
    await write(actor('Ann', 'Eve'));
    expect(await names()).to.deep.equal(['Ann Eve']);
    expect(await source()).to.equal('nfo');
    expect(await scan()).to.deep.equal({ added: [], updated: [] });
    const { id } = await one();
    expect(await write(actor('Bob', 'Adam'))).to.deep.equal({ added: [], updated: [id] });
    expect(await names()).to.deep.equal(['Bob Adam']);
    await write('');
    expect(await names()).to.deep.equal([]);
    expect(await source()).to.equal(undefined);
  });

  it('is the NFO’s before it is a provider’s, and a provider’s where an NFO names nobody', async () => {
    await write(actor('Ann'));
    await provide('Cy');
    expect(await names()).to.deep.equal(['Ann']);
    await write('<plot>Dark.</plot>');
    expect(await provide('Cy')).to.include({ isChanged: true });
    expect([await names(), await source()]).to.deep.equal([['Cy'], 'tmdb']);
    expect(await provide('Cy')).to.include({ isChanged: false });
    await scan();
    expect([await names(), await source()]).to.deep.equal([['Cy'], 'tmdb']);
    await write(actor('Ann'));
    expect([await names(), await source()]).to.deep.equal([['Ann'], 'nfo']);
  });

  it('stays as it is once it is locked', async () => {
    await write(actor('Ann'));
    await lock('people');
    await write(actor('Bob'));
    await provide('Cy');
    expect([await names(), await source()]).to.deep.equal([['Ann'], 'nfo']);
    await lock();
    await write(actor('Bob') + actor('Di'));
    expect(await names()).to.deep.equal(['Bob', 'Di']);
  });

  it('goes with the series, and with one that turned out to be another', async () => {
    await write(actor('Ann'));
    const dark = (await one()).id;
    await suite.library.put({
      'Light/Season 1/Light S01E02.mkv': GB,
      'Light/tvshow.nfo': `<tvshow><title>Light</title>${actor('Bob')}</tvshow>`,
    });
    const other = (await scan()).added[0]!;
    expect(await creditsOf(dark, other)).to.have.members([dark, other]);
    await ask<'mergeSeries', Schemas['Series']>(handlers().mergeSeries, {
      ...{ params: { seriesId: dark }, body: { seriesIds: [other] } },
    });
    expect((await read(dark)).people.map(({ name }) => name)).to.deep.equal(['Ann']);
    expect(await creditsOf(dark, other)).to.deep.equal([dark]);
    await suite.db.sql.begin((tx) => removeSeries(tx, { itemIds: [dark] }, async () => undefined));
    expect(await creditsOf(dark)).to.deep.equal([]);
  });
});
