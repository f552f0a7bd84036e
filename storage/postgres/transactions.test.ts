import { expect } from 'chai';
import { quiet } from '#test/log.ts';
import { testDatabase, type TestDatabase } from '#test/postgres.ts';
import { startRelay, type Relay } from '#test/relay.ts';
import { connectPostgres, type Database, type Tx } from './connect.ts';
import { isUnavailable } from './errors.ts';

describe('postgres transactions', () => {
  let db: TestDatabase;
  let relay: Relay;
  let far: Database;
  before(async () => {
    db = await testDatabase({ migrate: false });
    await db.sql`create table t (value int primary key)`;
    relay = await startRelay(`${db.address.socket}/.s.PGSQL.5432`);
    far = await connectPostgres({
      url: `postgres://postgres@127.0.0.1:${relay.port}/${db.name}`,
      pool: { max: 2 },
      log: quiet,
    });
  });
  after(async () => {
    await far.close();
    await relay.close();
    await db.close();
  });
  beforeEach(async () => {
    await db.sql`truncate t`;
    while (!(await far.ping(500))) await turn();
  });
  const values = async () =>
    (await db.sql<{ value: number }[]>`select value from t order by value`).map(
      ({ value }) => value,
    );

  it('commit, roll back, and resolve to what their function returns', async () => {
    const result = await far.sql.begin(async (tx) => {
      await tx`insert into t ${tx([{ value: 1 }, { value: 2 }])}`;
      return 'done';
    });
    expect(result).to.equal('done');
    const error = await failure(
      far.sql.begin('isolation level serializable', async (tx) => {
        await tx.unsafe('insert into t values (3)');
        throw new Error('no');
      }),
    );
    expect(error).to.have.property('message', 'no');
    const several = await far.sql.begin((tx) => [tx`select 1 as a`, tx`select 2 as b`]);
    expect(several.map((rows) => rows[0])).to.deep.equal([{ a: 1 }, { b: 2 }]);
    expect(await values()).to.deep.equal([1, 2]);
  });

  it('go on after a savepoint that failed', async () => {
    await far.sql.begin(async (tx) => {
      await tx`insert into t values (1)`;
      const inner = tx.savepoint((sp) => sp`insert into t values (1)`);
      expect(await failure(inner)).to.have.property('code', '23505');
      await tx.savepoint('named', (sp) => sp`insert into t values (2)`);
    });
    expect(await values()).to.deep.equal([1, 2]);
  });

  /** Every way we know to use a connection that is not there; each ended the process once. */
  const ways: Record<string, (tx: Tx) => Promise<unknown>> = {
    'while a query runs': (tx) => tx`select pg_sleep(20)`,
    'between two queries': async (tx) => {
      await turn();
      await turn();
      return tx`select 1`;
    },
    'before the commit': async () => {
      await turn();
      await turn();
    },
    'and the function goes on as if nothing had happened': async (tx) => {
      await failure(tx`select pg_sleep(20)`);
      await failure(tx`insert into t values (8)`);
      await failure(tx.unsafe('insert into t values (9)'));
      return 'fine';
    },
    'in a savepoint': async (tx) => tx.savepoint((sp) => sp`select pg_sleep(20)`),
    'and the function throws something else': async (tx) => {
      await failure(tx`select pg_sleep(20)`);
      throw new Error('something else');
    },
    'with a query as long as a packet': async (tx) => {
      await failure(tx`select pg_sleep(20)`);
      return tx`select ${'x'.repeat(5_000)}::text`;
    },
  };
  for (const [when, work] of Object.entries(ways)) {
    it(`fail as unavailable when the connection goes ${when}`, async () => {
      const begun = Promise.withResolvers<void>();
      const result = failure(
        far.sql.begin(async (tx) => {
          await tx`insert into t values (7)`;
          begun.resolve();
          return work(tx);
        }),
      );
      await begun.promise;
      relay.cut();
      expect(isUnavailable(await result)).to.equal(true);
      while (!(await far.ping(500))) await turn();
      expect(await values()).to.deep.equal([]);
    });
  }

  it('survive their backend being ended by an administrator', async () => {
    const error = await failure(
      far.sql.begin(async (tx) => {
        const [row] = await tx<{ pid: number }[]>`select pg_backend_pid() as pid`;
        await db.sql`select pg_terminate_backend(${row!.pid})`;
        await failure(tx`select 1`);
        return tx`select 2`;
      }),
    );
    expect(isUnavailable(error)).to.equal(true);
  });

  it('have a reserved connection fail, not change, when it is gone', async () => {
    const own = await far.sql.reserve();
    const [first] = await own`select pg_backend_pid() as pid`;
    const [second] = await own`select pg_backend_pid() as pid`;
    expect(second).to.deep.equal(first);
    relay.cut();
    await turn();
    expect(isUnavailable(await failure(own`select 1`))).to.equal(true);
    expect(isUnavailable(await failure(own`select 1`))).to.equal(true);
    own.release();
  });
});

async function failure(work: PromiseLike<unknown>): Promise<unknown> {
  try {
    await work;
  } catch (error) {
    return error;
  }
  throw new Error('it has not failed');
}

function turn(): Promise<unknown> {
  return new Promise((resolve) => setTimeout(resolve, 5));
}
