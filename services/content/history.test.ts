import { randomUUID } from 'node:crypto';
import { expect } from 'chai';
import { testDatabase, type TestDatabase } from '#test/postgres.ts';
import {
  changesOf,
  forgetHistory,
  historyOf,
  inheritHistory,
  noteChanges,
  presentHistory,
  scanChangesOf,
} from './history.ts';

describe('the history of a work', () => {
  let db: TestDatabase;
  before(async () => {
    db = await testDatabase();
  });
  after(() => db.close());

  const note = (itemId: string, source: string, year: number) =>
    db.sql.begin((tx) =>
      noteChanges(tx, 'movie', [{ itemId, source, fields: { year: [null, year] } }]),
    );
  const years = async (itemId: string) =>
    (await historyOf(db.sql, 'movie', itemId)).map(({ fields }) => fields['year']?.[1]);

  it('says what is another now, long texts cut', () => {
    const long = 'x'.repeat(500);
    const before = { id: '1', title: 'A', genres: ['War'], overview: null as string | null };
    const after = { ...before, title: 'B', genres: ['War'], overview: long };
    const names = ['title', 'genres', 'overview'] as const;
    expect(changesOf(before, after, names)).to.deep.equal({
      title: ['A', 'B'],
      overview: [null, `${'x'.repeat(120)}…`],
    });
    expect(changesOf(before, { ...before }, names)).to.equal(undefined);
    const scanned = scanChangesOf([after, { ...after, id: '2' }], [before], names);
    expect(scanned.map(({ itemId, source }) => [itemId, source])).to.deep.equal([['1', 'scan']]);
  });

  it('has the last changes, the latest first, and whose word they were', async () => {
    const itemId = randomUUID();
    const [user] = await db.sql<{ id: string }[]>`
      insert into shared.users (username, role) values ('ann', 'user') returning id`;
    await note(itemId, 'scan', 1);
    await db.sql.begin((tx) =>
      noteChanges(tx, 'movie', [
        { itemId, source: 'user', userId: user!.id, fields: { year: [1, 2] } },
      ]),
    );
    const { items } = presentHistory(await historyOf(db.sql, 'movie', itemId));
    expect(items.map(({ source, username, fields }) => [source, username, fields])).to.deep.equal([
      ['user', 'ann', [{ name: 'year', before: 1, after: 2 }]],
      ['scan', null, [{ name: 'year', before: null, after: 1 }]],
    ]);
  });

  it('is bounded', async () => {
    const itemId = randomUUID();
    for (let year = 1; year <= 53; year++) await note(itemId, 'tmdb', year);
    const kept = await years(itemId);
    expect(kept).to.have.length(50);
    expect([kept[0], kept.at(-1)]).to.deep.equal([53, 4]);
  });

  it('goes along with a work that turns out to be another, and goes with a work', async () => {
    const [from, to] = [randomUUID(), randomUUID()];
    await note(from, 'scan', 1);
    await note(to, 'scan', 2);
    await db.sql.begin((tx) => inheritHistory(tx, 'movie', [{ from, to }]));
    expect(await years(to)).to.have.members([1, 2]);
    await db.sql.begin((tx) => forgetHistory(tx, 'movie', [to]));
    expect(await years(to)).to.deep.equal([]);
  });
});
