import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findBinaries, postgresOwner } from '#storage/postgres/binaries.ts';
import { connectPostgres } from '#storage/postgres/connect.ts';
import { ensureCluster } from '#storage/postgres/initdb.ts';
import { startPostmaster, stopPostmaster, type Postmaster } from '#storage/postgres/postmaster.ts';
import { quiet } from '../log.ts';
import { noteOpen } from '../open.ts';
import { freePort } from '../ports.ts';
import { family } from '../family.ts';

/** A PostgreSQL that is nobody's child but the test's, on a TCP port of 127.0.0.1. */
export interface ExternalPostgres extends AsyncDisposable {
  readonly url: string;
  /** Fast shutdown: sessions end, the port refuses. */
  stop(): Promise<void>;
  start(): Promise<void>;
  /** Stops every process of it without closing anything, and lets them go on. */
  freeze(): Promise<void>;
  thaw(): Promise<void>;
}

const stopMs = 20_000;
const careless = { fsync: 'off', full_page_writes: 'off', synchronous_commit: 'off' };

/** Makes a cluster and starts it; the database is `revenge`. */
export async function startExternalPostgres(): Promise<ExternalPostgres> {
  const closed = noteOpen('startExternalPostgres');
  const dataDir = await mkdtemp(join(tmpdir(), 'revenge-test-faults-pg-'));
  const owner = postgresOwner();
  const binaries = await findBinaries(owner, dataDir);
  const cluster = await ensureCluster({ dataDir, owner, binaries, sync: false });
  const hba = join(cluster, 'pg_hba.conf');
  await writeFile(hba, `host all all 127.0.0.1/32 trust\n${await readFile(hba, 'utf8')}`);
  const port = await freePort();
  const settings = {
    ...careless,
    listen_addresses: '127.0.0.1',
    port: String(port),
    max_connections: '60',
    log_line_prefix: '',
  };
  // No folder for a socket: the port is the one way in.
  const launch = { binaries, owner, cluster, socketDir: '', settings, log: quiet };
  const start = () => startPostmaster({ ...launch, startTimeoutMs: 60_000 });
  let running: Postmaster | undefined = await start();
  const signal = async (name: NodeJS.Signals) => {
    for (const pid of await family(running!.pid)) process.kill(pid, name);
  };
  const stop = async () => {
    if (running !== undefined) await stopPostmaster(running, stopMs);
    running = undefined;
  };
  const address = `postgres://postgres@127.0.0.1:${port}`;
  await createDatabase(`${address}/postgres`);
  return {
    url: `${address}/revenge`,
    stop,
    async start() {
      running ??= await start();
    },
    freeze: () => signal('SIGSTOP'),
    thaw: () => signal('SIGCONT'),
    async [Symbol.asyncDispose]() {
      if (running !== undefined) await signal('SIGCONT');
      await stop();
      await rm(dataDir, { recursive: true, force: true });
      closed();
    },
  };
}

async function createDatabase(url: string): Promise<void> {
  await using admin = await connectPostgres({ url, pool: { max: 1 }, log: quiet });
  await admin.sql`create database revenge`;
}
