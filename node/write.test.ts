import { expect } from 'chai';
import { codeOf } from '#storage/postgres/errors.ts';
import { createOutbox, FencedError, type Outbox } from '#storage/cluster/outbox.ts';
import { testDatabase, type TestDatabase } from '#test/postgres.ts';
import { plainWrite, toldOf } from '#test/write.ts';
import { asLeader, termsOfWork, withFirst } from './fence.ts';
import { createWrite } from './write.ts';

describe('a write', () => {
  let db: TestDatabase;
  let outbox: Outbox;
  before(async () => {
    db = await testDatabase();
    outbox = createOutbox(db.sql);
  });
  after(() => db.close());

  const coded = (code: string) => Object.assign(new Error(code), { code });

  /** Writes with a callback that fails with each of the codes in turn, and then no more. */
  async function writeThrough(codes: readonly string[]) {
    const told: string[][] = [];
    const write = createWrite({
      ...plainWrite,
      ...{ sql: db.sql, outbox },
      announce: async ({ tags }) => told.push([...tags]) > 0,
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
    const write = createWrite({
      ...plainWrite,
      ...{ sql: db.sql, outbox },
      announce: async () => true,
    });
    const seen = await write(async (tx) => {
      const [found] = await tx`select id from shared.users where id = ${user!.id}`;
      if (found === undefined) return 'not there';
      await db.sql`delete from shared.users where id = ${user!.id}`;
      await tx`insert into shared.address_epochs (user_id, epoch) values (${user!.id}, 1)`;
      return 'written';
    });
    expect(seen).to.equal('not there');
  });

  it('leaves what it made stale in the outbox, with the change itself', async () => {
    await db.sql`truncate shared.invalidation_outbox`;
    const told: unknown[] = [];
    const write = createWrite({
      ...plainWrite,
      ...{ sql: db.sql, outbox },
      announce: async (effects, id) => told.push({ ...effects, id }) > 0,
    });
    await write(async (_tx, stale) => stale('movie:1', 'movies', 'movie:1'));
    await write(async () => 'nothing is stale');
    const waiting = await outbox.waiting(0, 10);
    expect(waiting.map(({ tags }) => tags)).to.deep.equal([['movie:1', 'movies']]);
    expect(told).to.deep.equal(waiting);
  });

  it('leaves there what it tells, in order and only of its last run', async () => {
    await db.sql`truncate shared.invalidation_outbox`;
    const told: unknown[] = [];
    const write = createWrite({
      ...plainWrite,
      ...{ sql: db.sql, outbox },
      announce: async (effects, id) => told.push({ ...effects, id }) > 0,
    });
    const item = { kind: 'movie', itemId: 'i', libraryId: 'l' };
    let runs = 0;
    await write(async (_tx, _stale, tell) => {
      tell('item.added', { ...item, itemId: `${(runs += 1)}` });
      if (runs === 1) throw coded('40001');
      tell('progress.changed', { userId: 'u', kind: 'movie', itemId: 'i' }, { userId: 'u' });
    });
    const waiting = await outbox.waiting(0, 10);
    expect(told).to.deep.equal(waiting);
    expect(toldOf(waiting[0]?.told)).to.deep.equal([
      { name: 'item.added', payload: { ...item, itemId: '2' }, audience: 'all' },
      {
        name: 'progress.changed',
        payload: { userId: 'u', kind: 'movie', itemId: 'i' },
        audience: { userId: 'u' },
      },
    ]);
  });

  it('is done though it tells more than fits, and that is left out', async () => {
    await db.sql`truncate shared.invalidation_outbox`;
    const write = createWrite({
      ...plainWrite,
      ...{ sql: db.sql, outbox },
      announce: async () => true,
    });
    await write(async (_tx, stale, tell) => {
      stale('tag');
      tell('library.changed', { libraryId: 'x'.repeat(5_000), change: 'updated' });
    });
    const [waiting] = await outbox.waiting(0, 10);
    expect(waiting).to.not.have.property('told');
  });

  it('changes nothing once another node leads', async () => {
    await db.sql`update shared.leadership set epoch = 1, term = 7, node_id = 'other'`;
    const write = createWrite({
      ...plainWrite,
      ...{
        sql: db.sql,
        outbox,
        terms: () => ({ fence: { epoch: 1, term: 6 }, written: () => undefined }),
      },
      announce: async () => true,
    });
    let ran = false;
    const error = await write(async () => {
      ran = true;
    }).catch((thrown: unknown) => thrown);
    expect(error).to.be.instanceOf(FencedError);
    expect(ran).to.equal(false);
  });

  it('is done elsewhere only if the office was lost before the first of a piece of work', async () => {
    const fence = { epoch: 3, term: 1 };
    const write = createWrite({
      ...plainWrite,
      ...{ sql: db.sql, outbox, terms: termsOfWork },
      announce: async () => true,
    });
    const loseOffice = () => outbox.take({ epoch: 3, term: fence.term + 1 }, 'other');
    const once = () => write((tx) => tx`select 1`);
    await outbox.take(fence, 'me');
    expect(await asLeader(fence, async () => void (await once()))).to.equal(true);
    const halfDone = asLeader(fence, () =>
      withFirst(undefined, async () => {
        await once();
        await loseOffice();
        await once();
      }),
    );
    expect(await halfDone.catch((error: unknown) => error)).to.be.instanceOf(FencedError);
    expect(await asLeader(fence, async () => void (await once()))).to.equal(false);
  });

  it('is not called done by a leader before all nodes know, and by others it is', async () => {
    const fence = { epoch: 9, term: 1 };
    const patience: boolean[] = [];
    let later = 0;
    await outbox.take(fence, 'me');
    const write = createWrite({
      ...plainWrite,
      ...{ sql: db.sql, outbox, terms: termsOfWork },
      announce: async (_effects, _id, { isPatient }) => {
        patience.push(isPatient);
        return false;
      },
      onUnannounced: () => (later += 1),
    });
    const change = async () => void (await write(async (_tx, stale) => stale('tag')));
    await change();
    expect(later).to.equal(1);
    const error: unknown = await asLeader(fence, change).catch((thrown: unknown) => thrown);
    expect(error).to.include({ code: 'outcome-unknown' });
    expect(patience, 'only a leader waits for the next one').to.deep.equal([false, true]);
  });
});
