import { expect } from 'chai';
import { testDatabase, type TestDatabase } from '#test/postgres.ts';
import { createOutbox, FencedError, type Outbox } from './outbox.ts';

describe('the outbox', () => {
  let db: TestDatabase;
  let outbox: Outbox;
  before(async () => {
    db = await testDatabase();
    outbox = createOutbox(db.sql);
  });
  after(() => db.close());
  beforeEach(async () => {
    await db.sql`update shared.leadership set epoch = 0, term = 0, node_id = ''`;
    await db.sql`truncate shared.invalidation_outbox`;
  });

  const refused = (work: Promise<unknown>) =>
    work.then(
      () => 'written',
      (error: unknown) =>
        error instanceof FencedError ? 'fenced' : Promise.reject(error as Error),
    );

  it('lets a leader write in its own term only', async () => {
    const write = (term: number, epoch = 1) =>
      refused(db.sql.begin((tx) => outbox.hold(tx, { epoch, term })));
    expect(await write(1)).to.equal('fenced');
    expect(await outbox.take({ epoch: 1, term: 1 }, 'a')).to.equal(true);
    expect(await write(1)).to.equal('written');
    expect(await outbox.take({ epoch: 1, term: 3 }, 'b')).to.equal(true);
    expect(await write(1)).to.equal('fenced');
    expect(await write(3)).to.equal('written');
    // A cluster that was recovered begins its terms anew, in a later epoch.
    expect(await outbox.take({ epoch: 2, term: 1 }, 'c')).to.equal(true);
    expect(await write(3)).to.equal('fenced');
    expect(await write(1, 2)).to.equal('written');
  });

  it('gives an office to one only, and again to the one that has it', async () => {
    expect(await outbox.take({ epoch: 1, term: 5 }, 'a')).to.equal(true);
    expect(await outbox.take({ epoch: 1, term: 5 }, 'a')).to.equal(true);
    expect(await outbox.take({ epoch: 1, term: 5 }, 'b')).to.equal(false);
    expect(await outbox.take({ epoch: 1, term: 4 }, 'b')).to.equal(false);
    expect(await outbox.take({ epoch: 0, term: 9 }, 'b')).to.equal(false);
  });

  it('waits for the writes of the leader before, and lets none begin meanwhile', async () => {
    await outbox.take({ epoch: 1, term: 1 }, 'a');
    const order: string[] = [];
    const held = Promise.withResolvers<void>();
    const end = Promise.withResolvers<void>();
    const old = db.sql.begin(async (tx) => {
      await outbox.hold(tx, { epoch: 1, term: 1 });
      held.resolve();
      await end.promise;
      order.push('the old leader commits');
    });
    await held.promise;
    const taking = outbox.take({ epoch: 1, term: 2 }, 'b').then(() => order.push('b leads'));
    // It waits for the lock; only then may the late one come.
    const isWaiting = async () => {
      const [row] = await db.sql<{ waiting: number }[]>`
        select count(*)::int as waiting from pg_stat_activity
        where wait_event_type = 'Lock' and datname = current_database()`;
      return row!.waiting > 0;
    };
    while (!(await isWaiting()));
    const late = refused(db.sql.begin((tx) => outbox.hold(tx, { epoch: 1, term: 1 })));
    end.resolve();
    await Promise.all([old, taking]);
    expect(order).to.deep.equal(['the old leader commits', 'b leads']);
    expect(await late).to.equal('fenced');
  });

  it('ends the transaction of a leader that hangs, and no other', async () => {
    await outbox.take({ epoch: 1, term: 1 }, 'a');
    const held = Promise.withResolvers<void>();
    const hanging = db.sql
      .begin(async (tx) => {
        await outbox.hold(tx, { epoch: 1, term: 1 });
        held.resolve();
        await new Promise(() => undefined);
      })
      .catch((error: unknown) => error);
    const other = db.sql.begin(async (tx) => {
      await held.promise;
      await tx`select pg_sleep(1)`;
      return 'left alone';
    });
    await held.promise;
    expect(await outbox.take({ epoch: 1, term: 2 }, 'b')).to.equal(true);
    expect(await hanging).to.be.instanceOf(Error);
    expect(await other).to.equal('left alone');
  });

  it('keeps tags with the change that made them stale, until they are removed', async () => {
    const id = await db.sql.begin((tx) => outbox.put(tx, { tags: ['movie:1', 'movies'] }));
    await db.sql
      .begin(async (tx) => {
        await outbox.put(tx, { tags: ['never'] });
        throw new Error('rolled back');
      })
      .catch(() => undefined);
    expect(await outbox.waiting(0, 10)).to.deep.equal([{ id, tags: ['movie:1', 'movies'] }]);
    expect(await outbox.waiting(60_000, 10)).to.deep.equal([]);
    await outbox.remove([id]);
    expect(await outbox.waiting(0, 10)).to.deep.equal([]);
  });

  it('keeps what is told of a change with it', async () => {
    const effects = { tags: ['movie:1'], told: { id: 'r', events: ['{"a":"\\n"}', 'ü'] } };
    const id = await db.sql.begin((tx) => outbox.put(tx, effects));
    expect(await outbox.waiting(0, 10)).to.deep.equal([{ id, ...effects }]);
  });
});
