import { randomUUID } from 'node:crypto';
import { expect } from 'chai';
import { testDatabase, type TestDatabase } from '#test/postgres.ts';
import { creditsOf, deleteCredits, replaceCredits, sortName } from './index.ts';

describe('people', () => {
  let db: TestDatabase;
  before(async () => {
    db = await testDatabase();
  });
  after(() => db.close());

  it('orders names by the last', () => {
    expect(sortName('Uma Thurman')).to.equal('thurman uma');
    expect(sortName('Jean-Luc Godard')).to.equal('godard jean-luc');
    expect(sortName('Prince')).to.equal('prince');
  });

  it('replaces credits, knows a person again, and takes many works at once', async () => {
    const [a, b] = [randomUUID(), randomUUID()];
    const credit = (name: string, role: 'actor' | 'director', character = '') => ({
      name,
      role,
      character,
      position: 0,
    });
    const items = [
      { itemId: a, credits: [credit('Ann', 'actor', 'X'), credit('Ann', 'actor', 'Y')] },
      { itemId: b, credits: [credit('Ann', 'director'), credit('Bob', 'actor')] },
    ];
    await db.sql.begin((tx) => replaceCredits(tx, 'movie', items));
    await db.sql.begin((tx) => replaceCredits(tx, 'movie', items));
    const found = await creditsOf(db.sql, 'movie', [a, b]);
    expect(found).to.have.length(4);
    expect(new Set(found.map(({ personId }) => personId)).size).to.equal(2);
    await db.sql.begin((tx) => replaceCredits(tx, 'movie', [{ itemId: a, credits: [] }]));
    expect(await creditsOf(db.sql, 'movie', [a])).to.have.length(0);
    await db.sql.begin((tx) => deleteCredits(tx, 'movie', [b]));
    expect(await creditsOf(db.sql, 'movie', [b])).to.have.length(0);
  });

  it('writes nothing of works whose credits are these already', async () => {
    const [same, other] = [randomUUID(), randomUUID()];
    const actor = (name: string, position: number, character = '') => ({
      ...{ name, role: 'actor' as const, character, position },
    });
    const cast = [actor('Cat', 0, 'X'), actor('Dan', 1), actor('Cat', 2, 'Y')];
    const replace = (credits: Parameters<typeof replaceCredits>[2]) =>
      db.sql.begin((tx) => replaceCredits(tx, 'series', credits));
    const written = async () => {
      const rows = await db.sql<{ itemId: string; xmin: string }[]>`
        select distinct item_id as "itemId", xmin::text from credits
        where item_id in (${same}, ${other}) order by 2`;
      return rows.map(({ itemId, xmin }) => `${itemId} ${xmin}`);
    };
    const both = [same, other].map((itemId) => ({ itemId, credits: cast }));
    expect(await replace(both)).to.deep.equal([same, other]);
    const before = await written();
    const [first, ...rest] = cast;
    const again = [...rest, first!, actor('Cat', 7, 'X')].toReversed().slice(1);
    expect(await replace([{ itemId: same, credits: again }])).to.deep.equal([]);
    expect(await written()).to.deep.equal(before);
    const reordered = cast.map((credit) => ({ ...credit, position: 3 - credit.position }));
    const next = [
      { itemId: same, credits: cast },
      { itemId: other, credits: reordered },
    ];
    expect(await replace(next)).to.deep.equal([other]);
    const after = await written();
    expect(after).to.include(before.find((row) => row.startsWith(same)));
    expect(after).to.not.deep.equal(before);
  });

  it('lets two writers make the same people at once', async () => {
    const names = ['A', 'B', 'C', 'D'].map((name) => `Same ${name}`);
    const credits = (order: string[]) =>
      order.map((name, position) => ({ name, role: 'actor' as const, character: '', position }));
    await Promise.all(
      [names, names.toReversed()].map((order) =>
        db.sql.begin((tx) =>
          replaceCredits(tx, 'movie', [{ itemId: randomUUID(), credits: credits(order) }]),
        ),
      ),
    );
    const [row] = await db.sql`select count(*) from people where name like 'Same %'`;
    expect(row).to.deep.equal({ count: 4 });
  });
});
