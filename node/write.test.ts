import { expect } from 'chai';
import { codeOf } from '#storage/postgres/errors.ts';
import { testDatabase, type TestDatabase } from '#test/postgres.ts';
import { createWrite } from './write.ts';

describe('a write', () => {
  let db: TestDatabase;
  before(async () => {
    db = await testDatabase();
  });
  after(() => db.close());

  const coded = (code: string) => Object.assign(new Error(code), { code });

  /** Writes with a callback that fails with each of the codes in turn, and then no more. */
  async function writeThrough(codes: readonly string[]) {
    const told: string[][] = [];
    const write = createWrite({
      sql: db.sql,
      invalidate: async (tags) => told.push([...tags]),
    });
    let runs = 0;
    const outcome = await write(async (_tx, stale) => {
      stale(`run:${runs}`);
      const code = codes[runs++];
      if (code !== undefined) throw coded(code);
      return 'done';
    }).catch((error: unknown) => codeOf(error));
    return { outcome, runs, told };
  }

  for (const code of ['40001', '40P01', '23503']) {
    it(`is run again after ${code}, and only the last run makes tags stale`, async () => {
      const { outcome, runs, told } = await writeThrough([code]);
      expect({ outcome, runs, told }).to.deep.equal({
        outcome: 'done',
        runs: 2,
        told: [['run:1']],
      });
    });
  }

  it('gives up after four runs', async () => {
    const { outcome, runs, told } = await writeThrough(Array<string>(9).fill('23503'));
    expect({ outcome, runs, told }).to.deep.equal({ outcome: '23503', runs: 4, told: [] });
  });

  it('is not run again after what will be the same again', async () => {
    expect(await writeThrough(['23505'])).to.include({ outcome: '23505', runs: 1 });
  });

  it('finds out at the second look that what it is about was deleted', async () => {
    const [user] = await db.sql<{ id: string }[]>`
      insert into shared.users (username, role) values ('gone', 'user') returning id`;
    const write = createWrite({ sql: db.sql, invalidate: async () => 0 });
    const seen = await write(async (tx) => {
      const [found] = await tx`select id from shared.users where id = ${user!.id}`;
      if (found === undefined) return 'not there';
      await db.sql`delete from shared.users where id = ${user!.id}`;
      await tx`insert into shared.address_epochs (user_id, epoch) values (${user!.id}, 1)`;
      return 'written';
    });
    expect(seen).to.equal('not there');
  });
});
