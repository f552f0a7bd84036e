import { createHash } from 'node:crypto';
import { chown, lstat, mkdir, realpath, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { Log } from '../log.ts';
import { connectPostgres } from './connect.ts';
import { findBinaries, postgresOwner, type Owner } from './binaries.ts';
import { ensureCluster } from './initdb.ts';
import { lockDirectory } from './lock.ts';
import { startPostmaster, stopPostmaster, type Launch, type Postmaster } from './postmaster.ts';

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
  startTimeoutMs?: number;
  stopTimeoutMs?: number;
};

/** A PostgreSQL of our own, kept running until `close`. */
export type EmbeddedPostgres = AsyncDisposable & {
  /** The folder of its unix socket: `connectPostgres({ socket })`. It has no TCP port. */
  socket: string;
  /** The superuser, and the only role. */
  user: string;
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
  const durable = options.durable ?? true;
  await mkdir(options.dataDir, { recursive: true });
  const dataDir = await realpath(options.dataDir);
  const lock = await lockDirectory(dataDir);
  try {
    const owner = postgresOwner();
    const binaries = await findBinaries(owner, dataDir);
    const cluster = await ensureCluster({ dataDir, owner, binaries, sync: durable });
    const socketDir = await makeSocketDir(dataDir, owner);
    const settings = { ...defaults, ...(durable ? {} : careless), ...options.settings };
    const startTimeoutMs = options.startTimeoutMs ?? 120_000;
    const launch = { binaries, owner, cluster, socketDir, settings, startTimeoutMs, log };
    const first = await startPostmaster(launch);
    log.info('PostgreSQL is running', { pid: first.pid, version: binaries.version });
    const kept = keepRunning(launch, first, options.stopTimeoutMs ?? 20_000);
    const close = once(async () => {
      await kept.stop();
      await rm(socketDir, { recursive: true, force: true });
      await lock.release();
      log.info('PostgreSQL has stopped');
    });
    await ensureDatabase(socketDir, options.database ?? 'revenge', log).catch(async (error) => {
      await kept.stop();
      throw error;
    });
    return {
      socket: socketDir,
      user: 'postgres',
      version: binaries.version,
      pid: kept.pid,
      close,
      [Symbol.asyncDispose]: close,
    };
  } catch (error) {
    await lock.release();
    throw error;
  }
}

async function ensureDatabase(socket: string, name: string, log: Log): Promise<void> {
  await using admin = await connectPostgres({
    socket,
    database: 'postgres',
    pool: { max: 1 },
    log,
  });
  const { sql } = admin;
  const [found] = await sql`select 1 from pg_database where datname = ${name}`;
  if (!found) await sql`create database ${sql(name)}`;
}

const backoffMs = [100, 250, 500, 1_000, 2_500, 5_000, 10_000, 30_000];
const settledMs = 60_000;

function keepRunning(launch: Launch, first: Postmaster, stopTimeoutMs: number) {
  const stopping = new AbortController();
  let current: Postmaster | undefined = first;
  const watch = async () => {
    let failures = 0;
    while (current) {
      const since = performance.now();
      const how = await current.exited;
      if (stopping.signal.aborted) return;
      current = undefined;
      if (performance.now() - since > settledMs) failures = 0;
      launch.log.error('PostgreSQL died and is started again', { how, failures });
      while (!current && !stopping.signal.aborted) {
        await rest(failures++, stopping.signal);
        current = await attempt(launch, stopping.signal);
      }
    }
  };
  const watching = watch();
  return {
    pid: () => current?.pid,
    async stop() {
      stopping.abort();
      if (current) await stopPostmaster(current, stopTimeoutMs);
      await watching;
      if (current) await stopPostmaster(current, stopTimeoutMs);
    },
  };
}

async function rest(failures: number, signal: AbortSignal): Promise<void> {
  const pauseMs = backoffMs[Math.min(failures, backoffMs.length - 1)];
  // An abort means that we are closing: the caller's loop sees it.
  await pause(pauseMs, undefined, { signal }).catch(() => undefined);
}

async function attempt(launch: Launch, signal: AbortSignal): Promise<Postmaster | undefined> {
  if (signal.aborted) return undefined;
  try {
    // Whoever tidies /tmp may have taken the folder of the socket.
    await makeSocketDir(dirname(launch.cluster), launch.owner);
    const postmaster = await startPostmaster(launch);
    launch.log.info('PostgreSQL is running again', { pid: postmaster.pid });
    return postmaster;
  } catch (error) {
    launch.log.error('PostgreSQL could not be started', { error: String(error) });
    return undefined;
  }
}

/** The kernel allows 107 bytes for a socket's path (unix(7)): a deep data directory is too long. */
const socketPathMax = 107;

async function makeSocketDir(dataDir: string, owner: Owner): Promise<string> {
  const near = join(dataDir, 'pg-socket');
  const short = createHash('sha256').update(dataDir).digest('hex').slice(0, 12);
  const fits = Buffer.byteLength(join(near, '.s.PGSQL.5432.lock')) <= socketPathMax;
  const path = fits ? near : join('/tmp', `revenge-pg-${short}`);
  await mkdir(path, { mode: 0o700 }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error;
  });
  const info = await lstat(path);
  const ours = info.uid === owner.uid || info.uid === process.getuid?.();
  if (!info.isDirectory() || !ours || (info.mode & 0o077) !== 0) {
    throw new Error(`${path} exists and is not ours alone; remove it`);
  }
  await chown(path, owner.uid, owner.gid);
  return path;
}

function once(close: () => Promise<void>): () => Promise<void> {
  let closing: Promise<void> | undefined;
  return () => (closing ??= close());
}
