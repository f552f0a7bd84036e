import { expect } from 'chai';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { Duplex } from 'node:stream';
import { quiet } from '#test/log.ts';
import { testDatabase, type TestDatabase } from '#test/postgres.ts';
import { startRelay, type Relay } from '#test/relay.ts';
import { connectPostgres, type Database } from './connect.ts';
import { createPool, type Settings } from './driver.ts';
import { isUnavailable } from './errors.ts';

describe('postgres connection', () => {
  let db: TestDatabase;
  before(async () => {
    db = await testDatabase();
  });
  after(() => db.close());

  it('reads types the way the program wants them', async () => {
    const [row] = await db.sql`
      select 9007199254740991::int8 as big, count(*) as count, now() as now,
             date '2026-02-03' as day, uuidv7() as id, '{"a":[1]}'::jsonb as json,
             array[1,2]::int8[] as list
      from generate_series(1, 3)`;
    expect(row).to.include({ big: 9007199254740991, count: 3, day: '2026-02-03' });
    expect(row!['now']).to.be.instanceOf(Date);
    expect(row!['id']).to.match(/^[0-9a-f-]{36}$/);
    expect(row!['json']).to.deep.equal({ a: [1] });
    expect(row!['list']).to.deep.equal([1, 2]);
  });

  it('writes dates and undefined', async () => {
    const [row] = await db.sql`
      select ${'2026-02-03'}::date + 1 as day, ${undefined as unknown as null}::text as nothing`;
    expect(row).to.deep.equal({ day: '2026-02-04', nothing: null });
  });

  it('refuses an int8 that a number cannot hold', async () => {
    const error = await failure(db.sql`select 9007199254740993::int8 as big`);
    expect(error).to.be.instanceOf(RangeError);
  });

  it('folds case and accents in an index', async () => {
    await db.sql`create table t (name text)`;
    await db.sql`create index on t (shared.fold(name))`;
    const [row] = await db.sql`select shared.fold('Ämélie ÖSTER') as folded`;
    expect(row!['folded']).to.equal('amelie oster');
  });

  it('ends a statement that takes too long, which is not unavailability', async () => {
    await using slow = await connectPostgres({
      ...db.address,
      pool: { max: 1 },
      log: quiet,
      statementTimeoutMs: 20,
    });
    const error = await failure(slow.sql`select pg_sleep(5)`);
    expect(error).to.have.property('code', '57014');
    expect(isUnavailable(error)).to.equal(false);
  });
});

describe('postgres when it is away', () => {
  let db: TestDatabase;
  let relay: Relay;
  let far: Database;
  beforeEach(async () => {
    db = await testDatabase({ migrate: false });
    relay = await startRelay(`${db.address.socket}/.s.PGSQL.5432`);
    far = await open([relay.port]);
  });
  afterEach(async () => {
    await far.close();
    await relay.close();
    await db.close();
  });

  const open = (ports: number[], query = '') =>
    connectPostgres({
      url: `postgres://postgres@${ports.map((port) => `127.0.0.1:${port}`).join()}/${db.name}${query}`,
      pool: { max: 3 },
      log: quiet,
      connectTimeoutMs: 500,
    });

  it('counts its connections', async () => {
    expect(far.pool()).to.deep.equal({ open: 0, max: 3 });
    await Promise.all([1, 2, 3, 4].map(() => far.sql`select 1`));
    expect(far.pool()).to.deep.equal({ open: 3, max: 3 });
    expect(await far.ping(1_000)).to.equal(true);
  });

  it('fails queries as unavailable when a connection is cut, and serves the next', async () => {
    await far.sql`select 1`;
    const hanging = failure(far.sql`select pg_sleep(20)`);
    await far.sql`select 1`;
    relay.cut();
    expect(isUnavailable(await hanging)).to.equal(true);
    await recovered(far);
  });

  it('fails many queries at once while nobody listens, more than there are connections', async () => {
    await far.sql`select 1`;
    await relay.close();
    const errors = await Promise.all(Array.from({ length: 50 }, () => failure(far.sql`select 1`)));
    expect(errors.every(isUnavailable)).to.equal(true);
    expect(await far.ping(1_000)).to.equal(false);
  });

  it('does not hammer a port that accepts and hangs up', async () => {
    relay.become('mute');
    const errors = await Promise.all(Array.from({ length: 20 }, () => failure(far.sql`select 1`)));
    expect(errors.every(isUnavailable)).to.equal(true);
    expect(relay.calls()).to.be.lessThan(20);
    relay.become('open');
    await recovered(far);
  });

  it('does not hammer a server that is starting up', async () => {
    await using starting = await refusingServer();
    await using database = await open([starting.port]);
    const ask = () => failure(database.sql`select 1`);
    const begin = performance.now();
    while (performance.now() - begin < 1_000) expect(isUnavailable(await ask())).to.equal(true);
    expect(starting.calls()).to.be.within(2, 20);
  });

  it('uses a connection again that closed while it was about to write', async () => {
    const address = { path: join(db.address.socket, '.s.PGSQL.5432') };
    const url = `postgres://${db.address.user}@localhost/${db.name}`;
    const settings = { max: 1, connect_timeout: 1 } as Settings;
    const sockets = [closingSoon, () => connect(address)].values();
    const sql = createPool(url, settings, async () => sockets.next().value!());
    try {
      expect([...(await sql`select 1 as one`)]).to.deep.equal([{ one: 1 }]);
    } finally {
      await sql.end();
    }
  });

  it('answers no query that came between the failing of a connection and its end', async () => {
    const address = { path: join(db.address.socket, '.s.PGSQL.5432') };
    const url = `postgres://${db.address.user}@localhost/${db.name}`;
    const first = connect(address);
    const sockets = [() => first, () => connect(address)].values();
    const settings = { max: 1, connect_timeout: 1 } as Settings;
    const sql = createPool(url, settings, async () => sockets.next().value!());
    try {
      await sql`select 1 as one`;
      const late = new Promise<unknown>((resolve) => {
        const ask = () => sql`select 2 as two`.then((rows) => [...rows], isUnavailable);
        first.once('error', () => resolve(ask()));
      });
      first.destroy(new Error('it failed'));
      expect(await late).to.equal(true);
      expect([...(await sql`select 3 as three`)]).to.deep.equal([{ three: 3 }]);
    } finally {
      await sql.end();
    }
  });

  it('fails a waiting query when the server freezes, and recovers', async () => {
    await far.sql`select 1`;
    relay.become('frozen');
    expect(isUnavailable(await failure(far.sql`select 1`))).to.equal(true);
    relay.become('open');
    await recovered(far);
  });

  it('passes over a host that is down and one that is read-only', async () => {
    await using readonly = await testDatabase({ migrate: false });
    await readonly.sql.unsafe(
      `alter database ${readonly.name} set default_transaction_read_only = on`,
    );
    await using many = await open([1, relay.port]);
    expect((await many.sql`select 1 as one`)[0]).to.deep.equal({ one: 1 });
    await db.sql.unsafe(`alter database ${db.name} set default_transaction_read_only = on`);
    await using none = await open([1, relay.port]);
    expect(isUnavailable(await failure(none.sql`select 1`))).to.equal(true);
    await using any = await open([1, relay.port], '?target_session_attrs=read-only');
    expect((await any.sql`select 1 as one`)[0]).to.deep.equal({ one: 1 });
  });

  it('fails, and does not spin, when all of several hosts are down', async () => {
    await using many = await open([1, 2]);
    expect(isUnavailable(await failure(many.sql`select 1`))).to.equal(true);
  });
});

async function failure(query: PromiseLike<unknown>): Promise<unknown> {
  try {
    await query;
  } catch (error) {
    return error;
  }
  throw new Error('the query has not failed');
}

async function recovered(database: Database): Promise<void> {
  while (!(await database.ping(200))) await new Promise((resolve) => setTimeout(resolve, 20));
}

/** Closes once the driver has something to write, and before the turn in which it would. */
function closingSoon(): Duplex {
  const socket = new Duplex({ read: () => undefined, write: (_chunk, _encoding, done) => done() });
  const close = async () => {
    for (let turn = 0; turn < 20; turn++) await Promise.resolve();
    socket.destroy();
  };
  void close();
  return socket;
}

/** A server that answers every start-up as PostgreSQL does while it recovers. */
async function refusingServer(): Promise<{ port: number; calls(): number } & AsyncDisposable> {
  let calls = 0;
  const fields = 'SFATAL\0VFATAL\0C57P03\0Mthe database system is starting up\0\0';
  const refusal = Buffer.alloc(5 + fields.length, `E....${fields}`);
  refusal.writeInt32BE(4 + fields.length, 1);
  const server = createServer((socket) => {
    calls++;
    socket.on('error', () => undefined);
    socket.once('data', () => socket.end(refusal));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    calls: () => calls,
    async [Symbol.asyncDispose]() {
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
