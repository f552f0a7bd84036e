import { expect } from 'chai';
import { once } from 'node:events';
import { execFile } from 'node:child_process';
import { appendFile, chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import { quiet } from '#test/log.ts';
import { noteOpen } from '#test/open.ts';
import { findBinaries, postgresOwner } from './binaries.ts';
import { connectPostgres, type Database } from './connect.ts';
import { isUnavailable } from './errors.ts';
import { ensureCluster } from './initdb.ts';
import { startPostmaster, stopPostmaster, type Launch, type Postmaster } from './postmaster.ts';
import { freePort } from '#test/ports.ts';
import { family } from '#test/family.ts';

/** Prints how long writes were away, for whoever wants to know. */
const report = process.env['REVENGE_TEST_REPORT'] === '1';

/** A primary and a standby that follows it, behind one URL. */
type Server = {
  launch: Launch;
  running: Postmaster;
  port: number;
};

describe('fail-over between two PostgreSQL', function () {
  let dir: string;
  let closed: () => void;
  let primary: Server;
  let standby: Server;
  let database: Database;

  beforeEach(async () => {
    closed = noteOpen('failover pair');
    dir = await mkdtemp(join(tmpdir(), 'revenge-test-failover-'));
    await chmod(dir, 0o755);
    primary = await makePrimary(join(dir, 'one'));
    standby = await makeStandby(primary, join(dir, 'two'));
    const hosts = [primary, standby].map(({ port }) => `127.0.0.1:${port}`).join();
    database = await connectPostgres({
      url: `postgres://postgres@${hosts}/postgres`,
      pool: { max: 4, minConns: 2 },
      log: quiet,
      closeTimeoutMs: 500,
    });
    await database.sql`create table written (id int primary key)`;
    while (!(await has(standby, `to_regclass('written') is not null`))) await pause(20);
  });
  afterEach(async () => {
    await database.close();
    for (const { running } of [primary, standby]) {
      for (const pid of await family(running.pid)) signal(pid, 'SIGCONT');
      await stopPostmaster(running, 5_000);
    }
    await rm(dir, { recursive: true, force: true });
    closed();
  });

  it('follows when the primary is killed and the standby promoted', async () => {
    const writers = write(database);
    await writers.some(20);
    for (const pid of await family(primary.running.pid)) signal(pid, 'SIGKILL');
    const promotionMs = await promote(standby);
    await writers.some(50);
    const { outageMs, errors } = await writers.stop();
    tell('primary killed', outageMs, promotionMs);
    expect(errors.filter((error) => !isUnavailable(error))).to.deep.equal([]);
  });

  it('follows when the primary freezes; thawed and unaware it gets nothing more', async () => {
    const writers = write(database);
    await writers.some(20);
    const frozen = await family(primary.running.pid);
    for (const pid of frozen) signal(pid, 'SIGSTOP');
    const promotionMs = await promote(standby);
    await writers.some(50);
    expect(writers.last()).to.be.greaterThan(50);
    for (const pid of frozen) signal(pid, 'SIGCONT');
    const unaware = writers.last();
    await database.sql`select pg_terminate_backend(pid) from pg_stat_activity
                       where application_name = 'revenge' and pid <> pg_backend_pid()`;
    await writers.some(50);
    const { outageMs, errors, acknowledged } = await writers.stop();
    tell('primary frozen', outageMs, promotionMs);
    expect(await missing(acknowledged)).to.deep.equal([]);
    expect(errors.filter((error) => !isUnavailable(error))).to.deep.equal([]);
    expect(await has(primary, `not exists (select from written where id > ${unaware})`)).to.equal(
      true,
    );
    await using late = await connectPostgres({ ...address(), pool: { max: 1 }, log: quiet });
    const [row] = await late.sql`select inet_server_port() as port`;
    expect(row).to.deep.equal({ port: standby.port });
  });

  it('leaves a primary that has become read-only without hanging up', async () => {
    const writers = write(database);
    await writers.some(20);
    await promote(standby);
    await admin(primary, `alter system set default_transaction_read_only = on`);
    await admin(primary, `select pg_reload_conf()`);
    await writers.some(50);
    const { outageMs, errors, acknowledged } = await writers.stop();
    tell('primary read-only', outageMs);
    expect(await missing(acknowledged)).to.deep.equal([]);
    expect(errors.filter((error) => !isUnavailable(error))).to.deep.equal([]);
  });

  it('stays where it is when the old primary returns as a standby', async () => {
    for (const pid of await family(primary.running.pid)) signal(pid, 'SIGKILL');
    await primary.running.exited;
    await promote(standby);
    const writers = write(database);
    await writers.some(20);
    await writeFile(join(primary.launch.cluster, 'standby.signal'), '');
    primary.running = await startPostmaster(primary.launch);
    await writers.some(50);
    const { errors } = await writers.stop();
    expect(errors.filter((error) => !isUnavailable(error))).to.deep.equal([]);
    await using late = await connectPostgres({ ...address(), pool: { max: 1 }, log: quiet });
    const [row] = await late.sql`select inet_server_port() as port`;
    expect(row).to.deep.equal({ port: standby.port });
  });

  it('finds the new primary behind the same name', async () => {
    const front = await startFront(primary.port);
    try {
      const url = `postgres://postgres@127.0.0.1:${front.port}/postgres`;
      await using one = await connectPostgres({ url, pool: { max: 2 }, log: quiet });
      const writers = write(one);
      await writers.some(20);
      await promote(standby);
      front.lead(standby.port); // what is connected stays where it is
      await admin(primary, `alter system set default_transaction_read_only = on`);
      await admin(primary, `select pg_reload_conf()`);
      await writers.some(50);
      const { outageMs, errors, acknowledged } = await writers.stop();
      tell('service name moved', outageMs);
      expect(await missing(acknowledged)).to.deep.equal([]);
      expect(errors.filter((error) => !isUnavailable(error))).to.deep.equal([]);
    } finally {
      front.close();
    }
  });

  /** What was acknowledged and is on neither: written before, it is on one; after, on the other. */
  const missing = async (acknowledged: number[]): Promise<number[]> => {
    const lists = await Promise.all(
      [primary, standby].map((server) => admin(server, 'select id from written')),
    );
    const found = new Set(lists.flat().map(({ id }) => id));
    return acknowledged.filter((id) => !found.has(id));
  };
  const address = () => ({
    url: `postgres://postgres@127.0.0.1:${primary.port},127.0.0.1:${standby.port}/postgres`,
  });
});

const copy = promisify(execFile);

async function makePrimary(dataDir: string): Promise<Server> {
  const owner = postgresOwner();
  await mkdir(dataDir);
  const binaries = await findBinaries(owner, dataDir);
  const cluster = await ensureCluster({ dataDir, owner, binaries, sync: false });
  const rules = ['all', 'replication'].map((what) => `host ${what} all 127.0.0.1/32 trust\n`);
  await writeFile(join(cluster, 'pg_hba.conf'), rules.join(''));
  // Before its first start a copy of the files is all that a standby needs.
  await copy('cp', ['-a', dataDir, join(dataDir, '../two')]);
  return start({ ...{ binaries, owner, cluster }, extra: {} });
}

async function makeStandby(primary: Server, dataDir: string): Promise<Server> {
  const { binaries, owner } = primary.launch;
  const cluster = join(dataDir, 'pg');
  await appendFile(join(cluster, 'standby.signal'), '');
  const upstream = `host=127.0.0.1 port=${primary.port} user=postgres`;
  return start({ ...{ binaries, owner, cluster }, extra: { primary_conninfo: upstream } });
}

async function start(
  from: Pick<Launch, 'binaries' | 'owner' | 'cluster'> & { extra: Record<string, string> },
): Promise<Server> {
  const { extra, ...rest } = from;
  const port = await freePort();
  const settings = {
    ...{ listen_addresses: '127.0.0.1', port: String(port), log_line_prefix: '' },
    ...{ fsync: 'off', full_page_writes: 'off', synchronous_commit: 'off' },
    ...{ shared_buffers: '16MB', max_connections: '100', autovacuum: 'off' },
    ...extra,
  };
  const launch = { ...rest, socketDir: '', settings, startTimeoutMs: 60_000, log: quiet };
  return { launch, running: await startPostmaster(launch), port };
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

async function admin({ port }: Server, statement: string): Promise<Record<string, unknown>[]> {
  const url = `postgres://postgres@127.0.0.1:${port}/postgres`;
  await using database = await connectPostgres({
    ...{ url, log: quiet, pool: { max: 1 } },
    applicationName: 'admin',
  });
  return [...(await database.sql.unsafe(statement))];
}

/** Says how long PostgreSQL itself took for it, in milliseconds. */
async function promote(server: Server): Promise<number> {
  const began = performance.now();
  await admin(server, 'select pg_promote(true, 60)');
  return performance.now() - began;
}

async function has(server: Server, condition: string): Promise<boolean> {
  const [row] = await admin(server, `select ${condition} as yes`);
  return row?.['yes'] === true;
}

/** Four that write one row after the other, each trying again at once, until they are stopped. */
function write({ sql }: Database) {
  const errors: unknown[] = [];
  let id = 0;
  const acknowledged: number[] = [];
  let stopped = false;
  let latest = performance.now();
  let outageMs = 0;
  const one = async () => {
    while (!stopped) {
      try {
        const mine = ++id;
        await sql`insert into written (id) values (${mine})`;
        const now = performance.now();
        outageMs = Math.max(outageMs, now - latest);
        latest = now;
        acknowledged.push(mine);
      } catch (error) {
        errors.push(error);
      }
      await pause(5);
    }
  };
  const all = [one(), one(), one(), one()];
  return {
    last: () => id,
    /** Waits until this many more rows are written. */
    async some(count: number) {
      const wanted = acknowledged.length + count;
      while (acknowledged.length < wanted) await pause(5);
    },
    async stop() {
      stopped = true;
      await Promise.all(all);
      return { outageMs: Math.round(outageMs), errors, acknowledged };
    },
  };
}

function tell(what: string, outageMs: number, promotionMs?: number): void {
  const part = promotionMs === undefined ? '' : `, the promotion took ${Math.round(promotionMs)}`;
  if (report) process.stdout.write(`      ${what}: no write for ${outageMs} ms${part}\n`);
}

/** One name for a service: each connection goes where the name leads when it is made. */
async function startFront(port: number) {
  let target = port;
  const open = new Set<Socket>();
  const server = createServer((near) => {
    const far = connect(target, '127.0.0.1');
    for (const socket of [near, far]) {
      open.add(socket);
      socket.on('close', () => open.delete(socket));
    }
    near.on('error', () => far.destroy()).on('close', () => far.destroy());
    far.on('error', () => near.destroy()).on('close', () => near.destroy());
    near.pipe(far).pipe(near);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    lead: (to: number) => void (target = to),
    close: () => {
      server.close();
      for (const socket of open) socket.destroy();
    },
  };
}
