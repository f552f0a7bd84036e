import { dirname } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { startPostmaster, stopPostmaster, type Launch, type Postmaster } from './postmaster.ts';
import { linkSocket, makeSocketDir } from './socket-dir.ts';

/** Looks after one postmaster: starts it again when it dies. */
export type Keeper = {
  /** The postmaster's pid, or undefined while it is being restarted. */
  pid: () => number | undefined;
  /** What it runs with now. */
  launch: () => Launch;
  /**
   * Stops it and starts it with other settings. When it does not start with them it is started
   * with the old ones, and this throws.
   */
  relaunch: (next: Launch) => Promise<void>;
  /** Has it read its files again; false when it is not running just now. */
  reload: () => boolean;
  stop: () => Promise<void>;
};

const backoffMs = [100, 250, 500, 1_000, 2_500, 5_000, 10_000, 30_000];
const settledMs = 60_000;

/** Starts a postmaster and keeps it running, with growing pauses between attempts. */
export async function keepRunning(first: Launch, stopTimeoutMs: number): Promise<Keeper> {
  const stopping = new AbortController();
  let launch = first;
  let current: Postmaster | undefined = await begin(first);
  let planned: Promise<void> | undefined;
  const watch = async () => {
    let failures = 0;
    while (current) {
      const watched: Postmaster = current;
      const since = performance.now();
      const how = await watched.exited;
      await planned;
      if (stopping.signal.aborted) return;
      if (current && current !== watched) continue;
      current = undefined;
      if (performance.now() - since > settledMs) failures = 0;
      launch.log.error('PostgreSQL died and is started again', { how, failures });
      while (!current && !stopping.signal.aborted) {
        await rest(failures++, stopping.signal);
        current = await attempt(launch, stopping.signal);
      }
    }
  };
  const replace = async (old: Postmaster, next: Launch) => {
    await stopPostmaster(old, stopTimeoutMs);
    current = undefined;
    try {
      current = await begin(next);
      launch = next;
    } catch (error) {
      current = await attempt(launch, stopping.signal);
      throw error;
    }
  };
  const watching = watch();
  return {
    pid: () => current?.pid,
    launch: () => launch,
    reload: () => current?.signal('SIGHUP') ?? false,
    async relaunch(next) {
      if (!current || stopping.signal.aborted) {
        throw new Error('PostgreSQL is not running just now: try again in a moment');
      }
      const replaced = replace(current, next);
      const over = () => void (planned = undefined);
      planned = replaced.then(over, over);
      await replaced;
    },
    async stop() {
      stopping.abort();
      if (current) await stopPostmaster(current, stopTimeoutMs);
      await watching;
      if (current) await stopPostmaster(current, stopTimeoutMs);
    },
  };
}

async function begin(launch: Launch): Promise<Postmaster> {
  // Whoever tidies /tmp may have taken the folder of the socket.
  await makeSocketDir(dirname(launch.cluster), launch.owner);
  await linkSocket(launch.socketDir, launch.settings['port'] ?? '5432');
  return startPostmaster(launch);
}

async function rest(failures: number, signal: AbortSignal): Promise<void> {
  const pauseMs = backoffMs[Math.min(failures, backoffMs.length - 1)];
  // An abort means that we are closing: the caller's loop sees it.
  await pause(pauseMs, undefined, { signal }).catch(() => undefined);
}

async function attempt(launch: Launch, signal: AbortSignal): Promise<Postmaster | undefined> {
  if (signal.aborted) return undefined;
  try {
    const postmaster = await begin(launch);
    launch.log.info('PostgreSQL is running again', { pid: postmaster.pid });
    return postmaster;
  } catch (error) {
    launch.log.error('PostgreSQL could not be started', { error: String(error) });
    return undefined;
  }
}
