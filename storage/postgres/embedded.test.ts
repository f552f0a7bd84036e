import { expect } from 'chai';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { quiet } from '#test/log.ts';
import { needs } from '#test/needs.ts';
import { noteOpen } from '#test/open.ts';
import type { Log } from '../log.ts';
import { postgresOwner, reachable } from './binaries.ts';
import { connectPostgres, type Database } from './connect.ts';
import { startEmbedded, type EmbeddedPostgres } from './embedded.ts';
import { startTime } from './process.ts';

describe('embedded postgres', function () {
  let dir: string;
  const closers: (() => Promise<unknown>)[] = [];
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'revenge-test-embedded-'));
    await chmod(dir, 0o755);
  });
  afterEach(async () => {
    while (closers.length > 0) await closers.pop()!();
    await rm(dir, { recursive: true, force: true });
  });

  const start = async (dataDir = dir, log: Log = quiet): Promise<EmbeddedPostgres> => {
    const embedded = await startEmbedded({ dataDir, log, durable: false });
    const closed = noteOpen('startEmbedded');
    closers.push(() => embedded.close().then(closed));
    return embedded;
  };
  const connect = async ({ socket }: EmbeddedPostgres): Promise<Database> => {
    const database = await connectPostgres({ socket, pool: { max: 2 }, log: quiet });
    closers.push(database.close);
    return database;
  };
  const failure = (work: Promise<unknown>) =>
    work.then(
      () => 'it has not failed',
      (error: Error) => error.message,
    );

  it('keeps what was written over a restart', async () => {
    const first = await start();
    const one = await connect(first);
    await one.sql`create table kept as select 42 as value`;
    const [setup] = await one.sql`
      select current_setting('data_checksums') as checksums, lower('ÄÖ') as lower,
             current_setting('listen_addresses') as tcp`;
    expect(setup).to.deep.equal({ checksums: 'on', lower: 'äö', tcp: '' });
    await one.close();
    await first.close();
    const two = await connect(await start());
    expect((await two.sql`select value from kept`)[0]).to.deep.equal({ value: 42 });
  });

  it('lets one node at a time have a directory', async () => {
    const first = await start();
    expect(await failure(start())).to.include(`pid ${process.pid} on`);
    expect(await (await connect(first)).ping(2_000)).to.equal(true);
  });

  it('starts a postmaster again that was killed; the pool finds it', async () => {
    const embedded = await start();
    const database = await connect(embedded);
    await database.sql`create table kept as select 42 as value`;
    await database.sql`checkpoint`;
    const killed = embedded.pid()!;
    process.kill(killed, 'SIGKILL');
    while ([killed, undefined].includes(embedded.pid())) await pause();
    while (!(await database.ping(500))) await pause();
    expect((await database.sql`select value from kept`)[0]).to.deep.equal({ value: 42 });
  });

  it('ends what a killed postmaster has left at work, instead of waiting for it', async () => {
    const said: string[] = [];
    const note = (message: string) => void said.push(message);
    const log: Log = { ...{ debug: note, info: note, warn: note, error: note }, child: () => log };
    const embedded = await start(dir, log);
    const { sql } = await connect(embedded);
    const endless = failure(sql`select count(*) from generate_series(1, 1e15::bigint)`);
    const isAtWork = async () =>
      (await sql`select from pg_stat_activity where state = 'active'`).length > 1;
    while (!(await isAtWork())) await pause();
    const killed = embedded.pid()!;
    process.kill(killed, 'SIGKILL');
    while ([killed, undefined].includes(embedded.pid())) await pause();
    expect(await endless).not.to.equal('it has not failed');
    expect(said).to.include('ending what the PostgreSQL before has left at work');
    expect(said).not.to.include('PostgreSQL could not be started');
  });

  it('replaces what a killed node left running', async () => {
    const program = join(import.meta.dirname, '../../test/fixtures/embedded-node.ts');
    const child = spawn(process.execPath, [program, dir], { stdio: ['ignore', 'pipe', 'inherit'] });
    const [said] = (await once(child.stdout, 'data')) as [Buffer];
    const orphan = Number(said.toString());
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect(await startTime(orphan)).to.be.a('string');
    const embedded = await start();
    expect(await startTime(orphan)).to.equal(undefined);
    expect(await (await connect(embedded)).ping(2_000)).to.equal(true);
  });

  it('does not take a stranger’s pid for a running server', async () => {
    await (await start()).close();
    await writeFile(join(dir, 'pg/postmaster.pid'), `${process.pid}\n${dir}/pg\n1\n5432\n`);
    await chmod(join(dir, 'pg/postmaster.pid'), 0o644);
    expect(await (await connect(await start())).ping(2_000)).to.equal(true);
  });

  it('begins again where an earlier first start was cut short', async () => {
    await mkdir(join(dir, 'pg.new/base'), { recursive: true });
    await writeFile(join(dir, 'pg.new/PG_VERSION'), '18\n');
    expect(await (await connect(await start())).ping(2_000)).to.equal(true);
    expect(await failure(stat(join(dir, 'pg.new')))).to.include('ENOENT');
  });

  it('puts its socket elsewhere when the path would be too long', async () => {
    const deep = join(dir, 'a'.repeat(60), 'b'.repeat(40));
    const embedded = await start(deep);
    expect(embedded.socket.length).to.be.lessThan(90);
    expect(await (await connect(embedded)).ping(2_000)).to.equal(true);
  });

  it('refuses the files of another major version', async () => {
    await mkdir(join(dir, 'pg'));
    await writeFile(join(dir, 'pg/PG_VERSION'), '17\n');
    expect(await failure(start())).to.include('was written by PostgreSQL 17');
    expect(await failure(readFile(join(dir, 'revenge.lock')))).to.include('ENOENT');
  });

  it('stops even with a transaction open', async () => {
    const embedded = await start();
    const database = await connect(embedded);
    const open = failure(database.sql.begin((tx) => tx`select pg_sleep(60)`));
    await database.sql`select 1`;
    await embedded.close();
    expect(await open).not.to.equal('it has not failed');
  });
});

describe('embedded postgres as root', () => {
  needs('root');

  it('says which folder its account cannot enter', async () => {
    const closed = await mkdtemp(join(tmpdir(), 'revenge-test-closed-'));
    try {
      const dataDir = join(closed, 'data');
      const error = await startEmbedded({ dataDir, log: quiet }).catch((caught: Error) => caught);
      expect(error).to.be.instanceOf(Error).with.property('message').that.includes(dataDir);
      expect(await reachable(closed, postgresOwner())).to.equal(false);
      await chmod(closed, 0o755);
      expect(await reachable(closed, postgresOwner())).to.equal(true);
    } finally {
      await rm(closed, { recursive: true, force: true });
    }
  });
});

function pause(): Promise<unknown> {
  return new Promise((resolve) => setTimeout(resolve, 20));
}
