import { mkdir, realpath, rm } from 'node:fs/promises';
import type { Log } from '../log.ts';
import { findBinaries, postgresOwner } from './binaries.ts';
import { ensureCluster } from './initdb.ts';
import { keepRunning, type Keeper } from './keeper.ts';
import { lockDirectory } from './lock.ts';
import { createDoors, openSettings, readOpening, writeRules, type Doors } from './members.ts';
import type { Launch } from './postmaster.ts';
import { ensureDatabase, ownerRole } from './roles.ts';
import { makeSocketDir } from './socket-dir.ts';

export type { MemberAccess, MemberOptions } from './members.ts';

/** How to run the PostgreSQL that comes with the package. */
export type EmbeddedOptions = {
  /** The node's data directory; the cluster lives in `pg` below it. Must be on a local disk. */
  dataDir: string;
  log: Log;
  /** False only where losing the data is fine (tests): no fsync, no checksummed recovery. */
  durable?: boolean;
  /** Settings that go over the defaults, as in postgresql.conf. */
  settings?: Record<string, string>;
  /** Made when it is not there; `revenge` unless told otherwise. */
  database?: string;
  /** Where members are to reach it, once it is open to them; as it was, unless told otherwise. */
  listen?: { host: string; port: number } | undefined;
  startTimeoutMs?: number;
  stopTimeoutMs?: number;
};

/** A PostgreSQL of our own, kept running until `close`. */
export type EmbeddedPostgres = AsyncDisposable &
  Doors & {
    /** The folder of its unix socket: `connectPostgres({ socket })`. TCP only for members. */
    socket: string;
    /** The superuser. */
    user: string;
    /** The role that owns the database, and may do all in it that a program needs. */
    owner: string;
    version: string;
    /** The postmaster's pid, or undefined while it is being restarted. */
    pid: () => number | undefined;
    close: () => Promise<void>;
  };

/** Sized for a small home server: about 120 MB with a dozen connections. */
const defaults: Record<string, string> = {
  port: '5432',
  unix_socket_permissions: '0700',
  max_connections: '60',
  shared_buffers: '64MB',
  work_mem: '8MB',
  maintenance_work_mem: '64MB',
  effective_cache_size: '512MB',
  random_page_cost: '1.5',
  wal_compression: 'on',
  max_wal_size: '512MB',
  jit: 'off',
  io_method: 'sync', // the default keeps three more processes for a disk that is mostly idle
  max_worker_processes: '4',
  max_parallel_workers: '2',
  max_wal_senders: '2',
  autovacuum_max_workers: '2',
  // A first scan fills empty tables within a minute, the default: by then all plans are wrong.
  autovacuum_naptime: '5s',
  timezone: 'UTC',
  log_timezone: 'UTC',
  log_line_prefix: '',
  shared_preload_libraries: '',
};

const careless = { fsync: 'off', full_page_writes: 'off', synchronous_commit: 'off' };

/**
 * Starts PostgreSQL in `dataDir` and keeps it alive: when its postmaster dies, it is started
 * again, with growing pauses. The directory is locked against a second node, an orphan of a
 * killed node is replaced, and crash recovery is PostgreSQL's own. Throws when the directory is
 * in use, unreachable for the account PostgreSQL runs under, or of another major version.
 */
export async function startEmbedded(options: EmbeddedOptions): Promise<EmbeddedPostgres> {
  const log = options.log.child({ module: 'postgres' });
  const database = options.database ?? 'revenge';
  await mkdir(options.dataDir, { recursive: true });
  const dataDir = await realpath(options.dataDir);
  const lock = await lockDirectory(dataDir);
  try {
    const closed = await prepare(options, dataDir, log);
    const { socketDir, binaries } = closed;
    const before = { dataDir, database, closed, listen: options.listen };
    const keeper = await startAsBefore(before, options.stopTimeoutMs);
    log.info('PostgreSQL is running', { pid: keeper.pid(), version: binaries.version });
    const close = once(async () => {
      await keeper.stop();
      await rm(socketDir, { recursive: true, force: true });
      await lock.release();
      log.info('PostgreSQL has stopped');
    });
    await ensureDatabase(socketDir, database, log).catch(async (error) => {
      await keeper.stop();
      throw error;
    });
    return {
      ...createDoors({ dataDir, database, closed, keeper }),
      socket: socketDir,
      user: 'postgres',
      owner: ownerRole,
      version: binaries.version,
      pid: keeper.pid,
      close,
      [Symbol.asyncDispose]: close,
    };
  } catch (error) {
    await lock.release();
    throw error;
  }
}

/** All that it takes to start it with its socket only. */
async function prepare(options: EmbeddedOptions, dataDir: string, log: Log): Promise<Launch> {
  const durable = options.durable ?? true;
  const owner = postgresOwner();
  const binaries = await findBinaries(owner, dataDir);
  const cluster = await ensureCluster({ dataDir, owner, binaries, sync: durable });
  const socketDir = await makeSocketDir(dataDir, owner);
  const settings = { ...defaults, ...(durable ? {} : careless), ...options.settings };
  const startTimeoutMs = options.startTimeoutMs ?? 120_000;
  return { binaries, owner, cluster, socketDir, settings, startTimeoutMs, log };
}

interface Before extends Pick<EmbeddedOptions, 'listen'> {
  readonly dataDir: string;
  readonly database: string;
  readonly closed: Launch;
}

/**
 * Starts it as open as it was. When it does not start so (the address is gone, the port is
 * taken) this node goes on with the socket; members wait until it is opened again.
 */
async function startAsBefore(
  { dataDir, database, closed, listen }: Before,
  stopTimeoutMs = 20_000,
): Promise<Keeper> {
  const found = await readOpening(dataDir);
  if (found !== undefined) {
    // At once where it is to be now, instead of being started again for that.
    const opening = { ...found, ...listen };
    const settings = { ...closed.settings, ...openSettings(opening, closed.settings) };
    await writeRules(closed, database);
    try {
      return await keepRunning({ ...closed, settings }, stopTimeoutMs);
    } catch (error) {
      const { host, port } = opening;
      closed.log.error('PostgreSQL does not start for members too', { host, port, error });
    }
  }
  await writeRules(closed);
  return keepRunning(closed, stopTimeoutMs);
}

function once(close: () => Promise<void>): () => Promise<void> {
  let closing: Promise<void> | undefined;
  return () => (closing ??= close());
}
