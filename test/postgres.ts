import { randomUUID } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connectPostgres, type Database, type Sql } from '#storage/postgres/connect.ts';
import { startEmbedded, type EmbeddedPostgres } from '#storage/postgres/embedded.ts';
import { createMigrator } from '#storage/postgres/migrate.ts';
import { startTime } from '#storage/postgres/process.ts';
import { quiet } from './log.ts';
import { noteOpen } from './open.ts';

/** A database of one test's own. Close it in `after`, or declare it with `await using`. */
export type TestDatabase = AsyncDisposable & {
  sql: Sql;
  name: string;
  /** For a second connection: `connectPostgres({ ...db.address, pool: { max: 2 }, log })`. */
  address: { socket: string; database: string; user: string };
  close: () => Promise<void>;
};

type Server = { embedded: EmbeddedPostgres; admin: Database; dir: string };

const prefix = 'revenge-test-pg-';
const template = 'revenge_template';
const migrations = join(import.meta.dirname, '../migrations');

let server: Promise<Server> | undefined;
let migrated: Promise<void> | undefined;

/**
 * A fresh database with all migrations applied (or empty, with `migrate: false`), cloned from a
 * template in about 30 ms. The first call of a run starts PostgreSQL.
 */
export async function testDatabase(options: { migrate?: boolean } = {}): Promise<TestDatabase> {
  const closed = noteOpen('testDatabase');
  server ??= startServer();
  const { admin, embedded } = await server;
  const name = `test_${randomUUID().replaceAll('-', '')}`;
  if (options.migrate === false) {
    await admin.sql.unsafe(`create database ${name}`);
  } else {
    migrated ??= makeTemplate(admin, embedded);
    await migrated;
    await admin.sql.unsafe(`create database ${name} template ${template} strategy file_copy`);
  }
  const address = { socket: embedded.socket, database: name, user: embedded.user };
  const pool = { max: 5 };
  const database = await connectPostgres({ ...address, pool, log: quiet, closeTimeoutMs: 1_000 });
  const close = async () => {
    await database.close();
    await admin.sql.unsafe(`drop database if exists ${name} with (force)`);
    closed();
  };
  return { sql: database.sql, name, address, close, [Symbol.asyncDispose]: close };
}

/** Ends this run's PostgreSQL, if a test has started one; setup.ts calls it last. */
export async function stopTestPostgres(): Promise<void> {
  if (!server) return;
  const { admin, embedded, dir } = await server;
  server = migrated = undefined;
  await admin.close();
  await embedded.close();
  await rm(dir, { recursive: true, force: true });
}

async function startServer(): Promise<Server> {
  await sweep();
  const dir = await mkdtemp(join(tmpdir(), prefix));
  const embedded = await startEmbedded({
    dataDir: dir,
    log: quiet,
    durable: false,
    database: 'postgres',
    settings: { max_connections: '100', shared_buffers: '32MB', autovacuum: 'off' },
  });
  const address = { socket: embedded.socket, database: 'postgres' };
  const admin = await connectPostgres({ ...address, pool: { max: 2 }, log: quiet });
  return { embedded, admin, dir };
}

async function makeTemplate(admin: Database, embedded: EmbeddedPostgres): Promise<void> {
  await admin.sql.unsafe(`create database ${template}`);
  const address = { socket: embedded.socket, database: template };
  const { sql, close } = await connectPostgres({ ...address, pool: { max: 1 }, log: quiet });
  try {
    await createMigrator({ sql, dir: migrations, log: quiet }).up();
  } finally {
    await close(); // a template with a connection cannot be copied
  }
}

/** A run that was killed leaves its PostgreSQL and its folder; the next run clears them away. */
async function sweep(): Promise<void> {
  for (const name of await readdir(tmpdir())) {
    if (name.startsWith(prefix)) await sweepOne(join(tmpdir(), name));
  }
}

async function sweepOne(dir: string): Promise<void> {
  try {
    const lock = JSON.parse(await readFile(join(dir, 'revenge.lock'), 'utf8')) as {
      pid: number;
      started: string;
    };
    if ((await startTime(lock.pid)) === lock.started) return;
    await (await startEmbedded({ dataDir: dir, log: quiet, database: 'postgres' })).close();
    await rm(dir, { recursive: true, force: true });
  } catch {
    // Another run is just making or clearing this folder: it is theirs.
  }
}
