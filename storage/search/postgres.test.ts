import { expect } from 'chai';
import { searchContract } from '#test/contract/search.ts';
import { testDatabase } from '#test/postgres.ts';
import { searchDocument, searchQuery, searchSchema } from '#test/search.ts';
import { createPostgresSearch } from './postgres.ts';

const signal = new AbortController().signal;

describe('search in PostgreSQL', () => {
  searchContract(async () => {
    const database = await testDatabase();
    const engine = createPostgresSearch({ sql: database.sql, schema: searchSchema });
    return { engine, [Symbol.asyncDispose]: () => database.close() };
  });

  it('finds exact and prominent names among more matches than it looks at', async () => {
    await using database = await testDatabase();
    const engine = createPostgresSearch({ sql: database.sql, schema: searchSchema });
    const crowd = Array.from({ length: 3_000 }, (_, at) =>
      searchDocument({ title: `Moon ${at}`, people: ['Mona Moor'], rank: at === 2_500 ? 0.9 : 0 }),
    );
    for (let from = 0; from < crowd.length; from += 1_000) {
      await engine.upsert(crowd.slice(from, from + 1_000), signal);
    }
    await engine.upsert([searchDocument({ title: 'Mo' })], signal);
    for (const [text, first] of [
      ['mo', 'Mo'],
      ['moon', 'Moon 2500'],
      ['m', 'Moon 2500'],
      ['moon 25', 'Moon 25'],
    ] as const) {
      const answer = await engine.query(searchQuery(text, { limit: 10 }));
      expect(answer.hits[0]?.title, text).to.equal(first);
      expect(answer.hits, text).to.have.lengthOf(10);
    }
    const broad = await engine.query(searchQuery('moon'));
    expect(broad.isTotalExact).to.equal(false);
    expect(broad.total).to.be.greaterThan(1_000);
  });

  it('cancels a question nobody waits for', async () => {
    await using database = await testDatabase();
    const engine = createPostgresSearch({ sql: database.sql, schema: searchSchema });
    const stop = AbortSignal.abort(new Error('gone'));
    const asked = engine.query(searchQuery('heat', { signal: stop }));
    expect(await asked.catch((error: Error) => error.message)).to.equal('gone');
  });

  it('remembers no word that no document has any more', async () => {
    await using database = await testDatabase();
    const engine = createPostgresSearch({ sql: database.sql, schema: searchSchema });
    await engine.upsert([searchDocument({ title: 'Quicksilver' })], signal);
    const rebuild = await engine.rebuild(signal);
    await rebuild.add([searchDocument({ title: 'Mercury' })], signal);
    await rebuild.commit(signal);
    const words = await database.sql<{ word: string }[]>`select word from shared.search_words`;
    expect(words.map(({ word }) => word)).to.deep.equal(['mercury']);
  });
});
