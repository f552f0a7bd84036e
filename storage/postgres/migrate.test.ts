import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { quiet } from '#test/log.ts';
import { testDatabase, type TestDatabase } from '#test/postgres.ts';
import { connectPostgres } from './connect.ts';
import { createMigrator, readMigrations } from './migrate.ts';

const victim = fileURLToPath(import.meta.resolve('#test/migrate-victim.ts'));
const released = join(import.meta.dirname, '../../migrations');

describe('migrations', () => {
  let dir: string;
  let db: TestDatabase;
  const put = (name: string, up: string, down?: string) =>
    Promise.all([
      writeFile(join(dir, `${name}.up.sql`), up),
      down === undefined ? undefined : writeFile(join(dir, `${name}.down.sql`), down),
    ]);
  const migrator = () => createMigrator({ sql: db.sql, dir, log: quiet });
  const failure = (work: Promise<unknown>) =>
    work.then(
      () => 'it has not failed',
      (error: Error) => error.message,
    );
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'revenge-test-migrate-'));
    db = await testDatabase({ migrate: false });
    await put('000001_one', 'create table one (id int)', 'drop table one');
    await put(
      '000002_two',
      'create table two (id int); insert into two values (2)',
      'drop table two',
    );
    await put('000003_three', 'create table three (id int)', 'drop table three');
  });
  afterEach(async () => {
    await db.close();
    await rm(dir, { recursive: true, force: true });
  });

  it('goes up, says where it stands, and goes up again to nothing', async () => {
    expect((await migrator().status()).pending).to.have.length(3);
    expect(await migrator().up(1)).to.deep.equal(['000001_one']);
    expect(await migrator().up()).to.deep.equal(['000002_two', '000003_three']);
    expect(await migrator().up()).to.deep.equal([]);
    const { applied, pending } = await migrator().status();
    expect(applied.map(({ version }) => version)).to.deep.equal([1, 2, 3]);
    expect(applied[0]!.appliedAt).to.be.instanceOf(Date);
    expect(pending).to.deep.equal([]);
  });

  it('goes down one, or to a version, and to exactly one in either direction', async () => {
    await migrator().up();
    expect(await migrator().down()).to.deep.equal(['000003_three']);
    expect(await migrator().to(1)).to.deep.equal(['000002_two']);
    expect(await migrator().to(3)).to.deep.equal(['000002_two', '000003_three']);
    expect(await migrator().down(0)).to.have.length(3);
    expect(await failure(migrator().to(9))).to.include('there is no migration 9');
  });

  it('runs each migration once when four nodes start together', async () => {
    const open = () => connectPostgres({ ...db.address, pool: { max: 1 }, log: quiet });
    const nodes = await Promise.all([1, 2, 3, 4].map(open));
    const done = await Promise.all(
      nodes.map(({ sql }) => createMigrator({ sql, dir, log: quiet }).up()),
    );
    expect(done.flat().sort()).to.deep.equal(['000001_one', '000002_two', '000003_three']);
    await Promise.all(nodes.map((node) => node.close()));
  });

  it('keeps nothing of a migration that fails, and says the line', async () => {
    await put('000004_bad', 'create table four (id int);\n\nselect nonsense;\n');
    expect(await failure(migrator().up())).to.match(
      /000004_bad\.up\.sql failed at line 3: .*nonsense/,
    );
    const [row] = await db.sql`select to_regclass('public.four') as four`;
    expect(row!['four']).to.equal(null);
    expect((await migrator().status()).pending).to.deep.equal(['000004_bad']);
    expect(await db.sql`select 1 from pg_locks where locktype = 'advisory'`).to.have.length(0);
  });

  it('refuses a file that was edited after it was applied', async () => {
    await migrator().up();
    await put('000002_two', 'create table two (id bigint)');
    expect(await failure(migrator().up())).to.include('000002_two.up.sql has changed');
    expect(await failure(migrator().status())).to.include('has changed');
  });

  const release = async (...names: string[]) => {
    for (const name of names) {
      await rm(join(dir, `${name}.up.sql`));
      await rm(join(dir, `${name}.down.sql`));
    }
  };

  it('goes on with a database to which a newer program has added, and reverts nothing of it', async () => {
    await migrator().up();
    await release('000003_three');
    expect(await migrator().up()).to.deep.equal([]);
    expect((await migrator().status()).pending).to.deep.equal([]);
    expect(await failure(migrator().down())).to.include('newer than this program');
    expect(await failure(migrator().to(1))).to.include('newer than this program');
  });

  it('refuses a database from which a newer program has taken away', async () => {
    await put('000004_four', '-- contract: feature level 2\ndrop table one', 'select 1');
    await migrator().up();
    await release('000003_three', '000004_four');
    expect(await failure(migrator().up())).to.include('newer than this program: it has 000004');
  });

  it('takes nothing away before the feature level it waits for, and adds all the same', async () => {
    await migrator().up();
    await put('000004_four', '-- contract: feature level 2\ndrop table one', 'select 1');
    await put('000005_five', 'create table five (id int)', 'drop table five');
    expect(await migrator().up(undefined, { level: 0 })).to.deep.equal(['000005_five']);
    expect(await migrator().up(undefined, { level: 1 })).to.deep.equal([]);
    expect((await migrator().status()).pending).to.deep.equal(['000004_four']);
    expect(await migrator().up(undefined, { level: 2 })).to.deep.equal(['000004_four']);
  });

  it('does all at once in a database that is new: nobody of before uses it', async () => {
    await put('000004_four', '-- contract: feature level 2\ndrop table one', 'select 1');
    expect(await migrator().up(undefined, { level: 0 })).to.have.length(4);
  });

  it('goes on where a node was killed with -9 in the middle of one, each of those that wait', async () => {
    await put('000002_two', 'create table two (id int); select pg_sleep(3600)', 'drop table two');
    const { socket, database, user } = db.address;
    const child = spawn(process.execPath, [victim, socket, database, user, dir], {
      stdio: ['ignore', 'inherit', 'inherit'],
    });
    const exit = once(child, 'exit');
    try {
      const isAsleep = async () =>
        (
          await db.sql`
          select 1 from pg_stat_activity
          where datname = ${db.name} and wait_event = 'PgSleep'`
        ).length > 0;
      while (!(await isAsleep())) await new Promise((resolve) => setTimeout(resolve, 20));
      await put('000002_two', 'create table two (id int)', 'drop table two');
      const others = [migrator().up(), migrator().up()];
      const isWaiting = async () =>
        (await db.sql`select 1 from pg_locks where locktype = 'advisory' and not granted`).length;
      while ((await isWaiting()) < 2) await new Promise((resolve) => setTimeout(resolve, 20));
      child.kill('SIGKILL');
      const done = (await Promise.all(others)).flat().sort();
      expect(done).to.deep.equal(['000002_two', '000003_three']);
    } finally {
      child.kill('SIGKILL');
      await exit;
    }
  });

  it('refuses misspelt and doubled files', async () => {
    await put('000002_deux', 'select 1');
    expect(await failure(readMigrations(dir))).to.include('same number');
    await rm(join(dir, '000002_deux.up.sql'));
    await put('4_four', 'select 1');
    expect(await failure(readMigrations(dir))).to.include('NNNNNN');
  });
});

describe('the released migrations', () => {
  it('go up, down to nothing, and up again', async function () {
    await using db = await testDatabase({ migrate: false });
    const migrator = createMigrator({ sql: db.sql, dir: released, log: quiet });
    const up = await migrator.up();
    expect(await migrator.down(0)).to.deep.equal([...up].reverse());
    const left = await db.sql`
      select schemaname, tablename from pg_tables
      where schemaname in ('public', 'shared', 'qar') and tablename <> 'schema_migrations'`;
    expect([...left]).to.deep.equal([]);
    expect(await migrator.up()).to.deep.equal(up);
  });

  it('are numbered without gaps, in pairs', async () => {
    const files = (await readdir(released)).filter((name) => name.endsWith('.sql'));
    const list = await readMigrations(released);
    expect(list.map(({ version }) => version)).to.deep.equal(list.map((_, index) => index + 1));
    expect(files).to.have.length(list.length * 2);
  });
});
