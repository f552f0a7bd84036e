import { expect } from 'chai';
import type { SearchAnswer, SearchDocument, SearchEngine } from '#storage/search/engine.ts';
import { searchDocument, searchQuery } from '../search.ts';

/** An engine with nothing in it, and how to be rid of it. */
export interface EngineUnderTest extends AsyncDisposable {
  readonly engine: SearchEngine;
}

const signal = new AbortController().signal;

const amelie = searchDocument({
  title: 'Le Fabuleux Destin d’Amélie Poulain',
  titles: ['Amélie', 'Die fabelhafte Welt der Amélie'],
  people: ['Jean-Pierre Jeunet', 'Audrey Tautou'],
  keywords: ['tt0211915'],
  year: 2001,
  subtitle: 'She will change your life',
  facets: { genre: ['Comedy', 'Romance'], decade: ['2000s'] },
  rank: 0.8,
});
const lord = searchDocument({
  title: 'The Lord of the Rings: The Fellowship of the Ring',
  people: ['Peter Jackson', 'Elijah Wood'],
  year: 2001,
  facets: { genre: ['Fantasy'], decade: ['2000s'] },
  rank: 0.9,
});
const heat = searchDocument({
  title: 'Heat',
  people: ['Al Pacino', 'Robert De Niro'],
  year: 1995,
  facets: { genre: ['Crime', 'Drama'], decade: ['1990s'] },
  rank: 0.7,
});
const bodyHeat = searchDocument({
  title: 'Body Heat',
  people: ['Kathleen Turner'],
  year: 1981,
  facets: { genre: ['Crime'], decade: ['1980s'] },
  rank: 0.9,
});
const heathers = searchDocument({
  title: 'Heathers',
  people: ['Winona Ryder'],
  year: 1989,
  rank: 1,
});
const matrix = searchDocument({ title: 'The Matrix', people: ['Keanu Reeves'], year: 1999 });
const wallE = searchDocument({ title: 'WALL·E', year: 2008, keywords: ['robot'] });
const oceans = searchDocument({ title: "Ocean's Eleven", people: ['Al Pacino'], year: 2001 });
const spirited = searchDocument({
  title: '千と千尋の神隠し',
  titles: ['Spirited Away'],
  year: 2001,
});
const all = [amelie, lord, heat, bodyHeat, heathers, matrix, wallE, oceans, spirited];

/** What a person types, and the titles that must come, best first; `*` marks "and perhaps more". */
const table: readonly [typed: string, ...titles: string[]][] = [
  ['amelie', amelie.title],
  ['Amélie', amelie.title],
  ['AMÉLIE POULAIN', amelie.title],
  ['amel', amelie.title],
  ['amelei', amelie.title],
  ['amleie', amelie.title],
  ['fabelhafte', amelie.title],
  ['tautou', amelie.title],
  ['audrey tauto', amelie.title],
  ['tt0211915', amelie.title],
  ['lord of the rings', lord.title],
  ['lord of the rngs', lord.title],
  ['the lord', lord.title],
  ['rings lord', lord.title],
  ['heat', heat.title, heathers.title, bodyHeat.title],
  ['heat 1995', heat.title],
  ['heat pacino', heat.title],
  ['pacino', heat.title, oceans.title],
  ['pacnio', heat.title, oceans.title],
  ['matrix', matrix.title],
  ['the matrx', matrix.title],
  ['wall-e', wallE.title],
  ['walle', wallE.title],
  ['oceans eleven', oceans.title],
  ["ocean's", oceans.title],
  ['千尋', spirited.title],
  ['千', spirited.title],
  ['spirited', spirited.title],
  ['qqqqqq'],
  ['...'],
];

/** Every behaviour of a search engine; each engine's own test calls this with a way to make one. */
export function searchContract(make: () => Promise<EngineUnderTest>): void {
  let made: EngineUnderTest;
  let engine: SearchEngine;
  const fill = async (documents: readonly SearchDocument[]) => {
    const rebuild = await engine.rebuild(signal);
    await rebuild.add(documents, signal);
    await rebuild.commit(signal);
  };
  const titles = (answer: SearchAnswer) => answer.hits.map(({ title }) => title);
  beforeEach(async () => {
    made = await make();
    engine = made.engine;
  });
  afterEach(() => made[Symbol.asyncDispose]());

  it('finds what people type', async () => {
    await fill(all);
    for (const [typed, ...expected] of table) {
      const answer = await engine.query(searchQuery(typed));
      expect(titles(answer), typed).to.have.members(expected);
      expect(titles(answer)[0], typed).to.equal(expected[0]);
      expect(answer.total, typed).to.equal(expected.length);
    }
  });

  it('shows one and two letters as they are typed', async () => {
    await fill(all);
    for (const typed of ['h', 'he', 'hea']) {
      const found = titles(await engine.query(searchQuery(typed)));
      expect(found, typed).to.include.members([heat.title, heathers.title, bodyHeat.title]);
    }
  });

  it('takes the last word as finished unless it is being typed', async () => {
    await fill(all);
    const finished = await engine.query(searchQuery('matri', { prefix: false }));
    expect(titles(finished)).to.not.include(heathers.title);
    const heats = await engine.query(searchQuery('heat', { prefix: false }));
    expect(titles(heats)).to.have.members([heat.title, bodyHeat.title]);
    expect(titles(await engine.query(searchQuery('heat ')))).to.not.include(heathers.title);
  });

  it('tells what was found', async () => {
    await fill(all);
    const { hits } = await engine.query(searchQuery('amelie'));
    expect(hits[0]).to.deep.include({
      kind: 'movie',
      id: amelie.id,
      title: amelie.title,
      titles: amelie.titles,
      people: amelie.people,
      year: 2001,
      subtitle: 'She will change your life',
    });
  });

  it('limits by kind, year and facets', async () => {
    const series = searchDocument({ kind: 'series', title: 'Heat', year: 1995 });
    await fill([...all, series]);
    const ask = async (filters: object) => {
      const query = searchQuery('heat', { filters: { audiences: ['shared'], ...filters } });
      return titles(await engine.query(query));
    };
    expect(await ask({ kinds: ['series'] })).to.deep.equal(['Heat']);
    expect(await ask({ kinds: ['movie'], yearFrom: 1990 })).to.deep.equal(['Heat']);
    expect(await ask({ yearTo: 1985 })).to.deep.equal(['Body Heat']);
    expect(await ask({ facets: { genre: ['Crime'] } })).to.have.members(['Heat', 'Body Heat']);
    expect(await ask({ facets: { genre: ['Crime'], decade: ['1980s'] } })).to.eql(['Body Heat']);
    expect(await ask({ facets: { genre: ['Drama', 'Western'] } })).to.eql(['Heat']);
    expect(await ask({ facets: { genre: ["`] || audience:=['x"] } })).to.eql([]);
    expect(await ask({ facets: { unheard: ['of'] } })).to.eql([]);
  });

  it('counts the values of facets among what was found', async () => {
    await fill(all);
    const { facets } = await engine.query(searchQuery('heat', { facets: ['genre', 'decade'] }));
    expect(facets['genre']).to.deep.equal([
      { value: 'Crime', count: 2 },
      { value: 'Drama', count: 1 },
    ]);
    expect(facets['decade']).to.have.deep.members([
      { value: '1990s', count: 1 },
      { value: '1980s', count: 1 },
    ]);
  });

  it('pages through, each once', async () => {
    const many = Array.from({ length: 25 }, (_, at) => searchDocument({ title: `Saga ${at}` }));
    await fill([...all, ...many]);
    const found: string[] = [];
    for (let offset = 0; offset < 30; offset += 10) {
      const answer = await engine.query(searchQuery('saga', { limit: 10, offset }));
      expect(answer.total).to.equal(25);
      found.push(...answer.hits.map(({ id }) => id));
    }
    expect(found)
      .to.have.members(many.map(({ id }) => id))
      .and.lengthOf(25);
  });

  it('keeps what is private from everybody who did not ask for it', async () => {
    await fill([...all, searchDocument({ title: 'Heat Wave', audience: 'legacy' })]);
    expect(titles(await engine.query(searchQuery('heat wave')))).to.not.include('Heat Wave');
    const asked = searchQuery('heat wave', { filters: { audiences: ['shared', 'legacy'] } });
    expect(titles(await engine.query(asked))[0]).to.equal('Heat Wave');
  });

  it('replaces and removes documents', async () => {
    await fill(all);
    await engine.upsert([{ ...heat, title: 'Hitze' }], signal);
    expect(titles(await engine.query(searchQuery('hitze')))).to.deep.equal(['Hitze']);
    expect(titles(await engine.query(searchQuery('heat pacino')))).to.not.include('Heat');
    await engine.remove('movie', [heat.id, '01990000-0000-7000-8000-ffffffffffff'], signal);
    expect((await engine.query(searchQuery('hitze', { prefix: false }))).hits).to.deep.equal([]);
  });

  it('stays there during a rebuild, and loses what is gone after it', async () => {
    await fill(all);
    const rebuild = await engine.rebuild(signal);
    await rebuild.add([heat], signal);
    expect(titles(await engine.query(searchQuery('matrix')))).to.deep.equal([matrix.title]);
    const late = searchDocument({ title: 'Latecomer' });
    await engine.upsert([late], signal);
    await rebuild.add([amelie], signal);
    await rebuild.commit(signal);
    expect(titles(await engine.query(searchQuery('heat')))).to.deep.equal(['Heat']);
    expect(titles(await engine.query(searchQuery('amelie')))).to.deep.equal([amelie.title]);
    expect(titles(await engine.query(searchQuery('latecomer')))).to.deep.equal(['Latecomer']);
    expect((await engine.query(searchQuery('matrix'))).hits).to.deep.equal([]);
  });

  it('goes on with the old index when a rebuild is given up', async () => {
    await fill(all);
    const rebuild = await engine.rebuild(signal);
    await rebuild.add([heat], signal);
    await rebuild.abort(signal);
    expect(titles(await engine.query(searchQuery('matrix')))).to.deep.equal([matrix.title]);
    await fill([matrix]);
    expect((await engine.query(searchQuery('amelie'))).hits).to.deep.equal([]);
  });

  it('is up, and ready once it was filled', async () => {
    await fill(all);
    expect(await engine.health(signal)).to.deep.include({ isUp: true, isReady: true });
  });

  it('takes anything as text', async () => {
    await fill(all);
    for (const text of ["'; drop table --", '\\', "a'b:*&|!()<->", '` && x', '\u0000', '🎬', ' ']) {
      const answer = await engine.query(searchQuery(text));
      expect(answer.total, text).to.be.a('number');
    }
    expect(titles(await engine.query(searchQuery('heat '.repeat(500))))).to.be.an('array');
  });
}
