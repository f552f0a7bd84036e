import { mkdir } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { createMigrator, type Migrator } from '#storage/postgres/migrate.ts';
import { connectPostgres, type Database, type PostgresAddress } from '#storage/postgres/connect.ts';
import { startEmbedded } from '#storage/postgres/embedded.ts';
import type { Log } from '#services/log.ts';
import type { Config } from './config/keys.ts';
import { findRunning } from './rundir.ts';

/** A database to work with, and where it is. */
export interface OpenDatabase extends AsyncDisposable {
  readonly database: Database;
  readonly address: PostgresAddress;
  /** True when the PostgreSQL is this node's own. */
  readonly isEmbedded: boolean;
  readonly migrator: Migrator;
}

const migrations = fileURLToPath(new URL('../migrations', import.meta.url));
const superuser = { database: 'revenge', user: 'postgres' } as const;

/**
 * Opens the configured PostgreSQL or starts the embedded one in the data folder. With
 * `joinRunning` (for commands) a node that runs there already lends its own.
 * Throws when the folder belongs to another node or the database cannot be reached.
 */
export async function openDatabase(
  config: Config,
  log: Log,
  options: { joinRunning?: boolean } = {},
): Promise<OpenDatabase> {
  await using stack = new AsyncDisposableStack();
  const { address, isEmbedded } = await locate(config, log, { ...options, stack });
  const database = stack.use(
    await connectPostgres({
      ...address,
      log,
      pool: {
        max: config['database.pool.max_conns'],
        minConns: config['database.pool.min_conns'],
        lifetimeMs: config['database.pool.max_lifetime'],
        idleMs: config['database.pool.max_idle'],
      },
    }),
  );
  const migrator = createMigrator({ sql: database.sql, dir: migrations, log });
  const kept = stack.move();
  return {
    database,
    address,
    isEmbedded,
    migrator,
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}

async function locate(
  config: Config,
  log: Log,
  { joinRunning, stack }: { joinRunning?: boolean; stack: AsyncDisposableStack },
): Promise<{ address: PostgresAddress; isEmbedded: boolean }> {
  const url = config['database.url'];
  if (url !== undefined) return { address: { url }, isEmbedded: false };
  const dataDir = config['data.dir'];
  if (joinRunning) {
    const running = await findRunning(dataDir);
    if (running?.database !== undefined) return { address: running.database, isEmbedded: false };
  }
  await mkdir(dataDir, { recursive: true });
  const embedded = stack.use(await startEmbedded({ dataDir, log }));
  return { address: { socket: embedded.socket, ...superuser }, isEmbedded: true };
}
