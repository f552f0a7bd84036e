import { randomInt } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createRaft } from '../core/raft.ts';
import type { RaftOptions } from '../core/types.ts';
import { describeError } from '../store/errors.ts';
import { speaksBeside } from '../transport/identity.ts';
import type { HostPort } from '../../addresses.ts';
import { createNoTransport } from '../transport/none.ts';
import { createTcpTransport } from '../transport/tcp.ts';
import type { TlsOptions } from '../transport/types.ts';
import { openDisk } from './disk.ts';
import type { Engine } from './engine.ts';
import { createEngine } from './engine.ts';
import type { Log, Transport } from './ports.ts';
import type { EngineSettings, TlsFiles } from './settings.ts';

/** How long the process that had the port before may take to be gone. */
const takenMs = 5000;

/**
 * The log is held in memory. A scan writes entries of some 60 kB, which tell what caches may no
 * longer know; behind a snapshot so much of them is kept for slow followers, and before the next.
 */
const keptBytes = 16 * 1024 * 1024;

/** An engine on its real disk and network; `start` makes it take part. */
export async function openEngine(settings: EngineSettings, log: Log): Promise<Engine> {
  const { id, dir, profile } = settings;
  const transport = await createTransport(settings, log);
  const store = await openDisk({ dir, id, bootstrap: settings.bootstrap, log });
  const now = () => performance.now();
  return createEngine({
    raft: createRaft(raftOptions(settings), store.boot, now()),
    store,
    ...{ transport, log, now },
    random: Math.random,
    snapshots: {
      intervalMs: settings.snapshotIntervalMs,
      threshold: settings.snapshotThreshold,
      thresholdBytes: keptBytes,
    },
    patienceMs: profile.electionTimeoutMs * 2,
    hostTimeoutMs: settings.hostTimeoutMs,
  });
}

async function createTransport(settings: EngineSettings, log: Log): Promise<Transport> {
  const { id, address, listen, tls, book, isAllOurs = false } = settings;
  if (!listen) return { ...createNoTransport(), reloadTls: () => Promise.resolve() };
  const common = { self: { id, address }, listen, log, isAllOurs, ...(book ? { book } : {}) };
  const transport = await withTls(tls, (read) =>
    createTcpTransport(read ? { ...common, tls: read } : common),
  );
  return {
    ...transport,
    listen: (handler, kept) => listenWhenFree(listen, () => transport.listen(handler, kept)),
    async reloadTls() {
      await withTls(tls, (read) => {
        if (!read) throw new Error('this node speaks without TLS');
        transport.setTls(read);
      });
    },
  };
}

function raftOptions({ id, address, profile, trailingEntries }: EngineSettings): RaftOptions {
  return {
    ...profile,
    id,
    address,
    seed: randomInt(2 ** 31),
    maxUncommittedBytes: 64 * 1024 * 1024,
    trailingEntries,
    trailingBytes: keptBytes,
    maxClockDrift: 0.1,
  };
}

/** @throws Error that names the files when they cannot be read, or cannot be used together */
async function withTls<T>(
  tls: TlsFiles | undefined,
  use: (read: TlsOptions | undefined) => T,
): Promise<T> {
  if (!tls) return use(undefined);
  try {
    return use(await readTls(tls));
  } catch (error) {
    const files = `${tls.ca}, ${tls.cert} and ${tls.key}`;
    throw new Error(`the certificates in ${files} cannot be used: ${describeError(error)}`, {
      cause: error,
    });
  }
}

async function readTls(files: TlsFiles): Promise<TlsOptions> {
  const [ca, cert, key] = await Promise.all(
    [files.ca, files.cert, files.key].map((path) => readFile(path)),
  );
  return { ca: ca!, cert: cert!, key: key!, verifyPeer: speaksBeside(cert!) };
}

async function listenWhenFree(
  { host, port }: HostPort,
  listen: () => Promise<void>,
): Promise<void> {
  const until = performance.now() + takenMs;
  for (;;) {
    try {
      return await listen();
    } catch (error) {
      const isTaken = (error as NodeJS.ErrnoException).code === 'EADDRINUSE';
      if (!isTaken || performance.now() > until) {
        const why = isTaken ? 'another process has that port' : describeError(error);
        throw new Error(`cannot listen at ${host}:${port}: ${why}`, { cause: error });
      }
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}
