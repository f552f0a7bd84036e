import { expect } from 'chai';
import { connectPostgres } from '#storage/postgres/connect.ts';
import { quiet } from '#test/log.ts';
import { testDatabase, type TestDatabase } from '#test/postgres.ts';
import { channel, createAdder } from './enqueue.ts';
import { defineJob } from './job.ts';

const refresh = defineJob<{ movieId: string }>('movie.refresh', {
  queue: 'metadata',
  attempts: 3,
  timeoutMs: 1_000,
});
const probe = defineJob<{ fileId: string }>('file.probe', {
  queue: 'library',
  attempts: 1,
  timeoutMs: 1_000,
  priority: 'low',
});

describe('jobs: enqueue', () => {
  let db: TestDatabase;
  const jobs = createAdder();
  before(async () => {
    db = await testDatabase();
  });
  after(() => db.close());
  beforeEach(() => db.sql`truncate shared.jobs`);
  const count = async () => (await db.sql`select from shared.jobs`).length;

  it('exists exactly if the transaction commits', async () => {
    const failing = db.sql.begin(async (tx) => {
      await jobs.add(tx, refresh, { movieId: '1' });
      throw new Error('changed my mind');
    });
    expect(await failing.catch((error: Error) => error.message)).to.equal('changed my mind');
    expect(await count()).to.equal(0);
    const id = await db.sql.begin((tx) => jobs.add(tx, refresh, { movieId: '1' }));
    const [row] = await db.sql`select * from shared.jobs`;
    expect(row).to.include({ id, name: 'movie.refresh', queue: 'metadata', state: 'waiting' });
    expect(row).to.include({ priority: 2, attempt: 0, attempts: 3, timeout_ms: 1_000 });
    expect(row!['payload']).to.deep.equal({ movieId: '1' });
  });

  it('takes the priority of the call before that of the kind', async () => {
    await jobs.add(db.sql, probe, { fileId: 'a' });
    await jobs.add(db.sql, probe, { fileId: 'b' }, { priority: 'high' });
    const rows = await db.sql`select priority from shared.jobs order by id`;
    expect(rows.map((row) => row['priority'] as number)).to.deep.equal([3, 1]);
  });

  it('lets one of twenty racers for a key through', async () => {
    await using racers = await connectPostgres({ ...db.address, pool: { max: 20 }, log: quiet });
    const ids = await Promise.all(
      Array.from({ length: 20 }, () =>
        racers.sql.begin(async (tx) => {
          await tx`select 1`;
          return jobs.add(tx, refresh, { movieId: '1' }, { key: 'movie:1' });
        }),
      ),
    );
    expect(ids.filter((id) => id !== undefined)).to.have.length(1);
    expect(await count()).to.equal(1);
  });

  it('holds a key per kind, while its job waits or runs', async () => {
    const add = () => jobs.add(db.sql, refresh, { movieId: '1' }, { key: '1' });
    expect(await add()).to.be.a('string');
    expect(await jobs.add(db.sql, probe, { fileId: '1' }, { key: '1' })).to.be.a('string');
    for (const [state, free] of [
      ['waiting', false],
      ['running', false],
      ['completed', true],
      ['cancelled', true],
      ['dead', true],
    ] as const) {
      await db.sql`delete from shared.jobs where name = ${refresh.name}`;
      await add();
      await db.sql`update shared.jobs set state = ${state} where name = ${refresh.name}`;
      expect((await add()) !== undefined, state).to.equal(free);
    }
  });

  it('adds many in one go and says how many were new', async () => {
    await jobs.add(db.sql, refresh, { movieId: '3' }, { key: '3' });
    const list = ['1', '2', '2', '3'].map((id) => ({
      payload: { movieId: id },
      options: { key: id, delayMs: 60_000 },
    }));
    expect(await jobs.addMany(db.sql, refresh, list)).to.equal(2);
    expect(await jobs.addMany(db.sql, refresh, [])).to.equal(0);
    const many = Array.from({ length: 4_500 }, (_, n) => ({ payload: { movieId: String(n) } }));
    expect(await jobs.addMany(db.sql, refresh, many)).to.equal(4_500);
  });

  it('does not deadlock when two add the same keys in opposite order', async () => {
    const keys = Array.from({ length: 300 }, (_, n) => String(n));
    const list = (order: string[]) =>
      order.map((id) => ({ payload: { movieId: id }, options: { key: id } }));
    const rounds = [keys, keys.toReversed(), keys, keys.toReversed()];
    const added = await Promise.all(
      rounds.map((order) => db.sql.begin((tx) => jobs.addMany(tx, refresh, list(order)))),
    );
    expect(added.reduce((sum, n) => sum + n)).to.equal(300);
  });

  it('notifies once per transaction and queue, when it commits, of what is due', async () => {
    const heard: string[] = [];
    const { promise: end, resolve } = Promise.withResolvers<void>();
    const listening = await db.sql.listen(channel, (message) => {
      heard.push(message);
      if (message === 'end') resolve();
    });
    await db.sql.begin(async (tx) => {
      for (let n = 0; n < 20; n++) await jobs.add(tx, refresh, { movieId: String(n) });
      await jobs.addMany(tx, probe, [{ payload: { fileId: '1' } }, { payload: { fileId: '2' } }]);
    });
    await jobs.add(db.sql, refresh, { movieId: 'later' }, { delayMs: 60_000 });
    await db.sql`select pg_notify(${channel}, 'end')`;
    await end;
    await listening.unlisten();
    expect(heard.sort()).to.deep.equal(['add:library', 'add:metadata', 'end']);
  });

  it('refuses payloads that are content and keys that are essays', async () => {
    const error = (promise: Promise<unknown>) => promise.catch((cause: unknown) => cause);
    const large = { movieId: 'x'.repeat(70_000) };
    expect(await error(jobs.add(db.sql, refresh, large))).to.be.instanceOf(RangeError);
    const key = 'k'.repeat(501);
    expect(await error(jobs.add(db.sql, refresh, { movieId: '1' }, { key }))).to.be.instanceOf(
      RangeError,
    );
    expect(await count()).to.equal(0);
  });
});
