import { spawn, type ChildProcess } from 'node:child_process';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';
import type { Log } from '../log.ts';
import { quieten } from '../quiet.ts';
import type { Binaries, Owner } from './binaries.ts';
import { identity, postgresEnv } from './initdb.ts';
import { kinship, processesOf, startTime } from './process.ts';

/** One running postmaster, our child. */
export type Postmaster = {
  pid: number;
  /** Resolves with how it ended. */
  exited: Promise<string>;
  /** Sends a signal; false once it has ended, when its number may be another process's. */
  signal: (name: NodeJS.Signals) => boolean;
};

/** What a postmaster is started with. */
export type Launch = {
  binaries: Binaries;
  owner: Owner;
  cluster: string;
  socketDir: string;
  settings: Record<string, string>;
  startTimeoutMs: number;
  log: Log;
};

const pollMs = 10;
const orphanStopMs = 60_000;
const forced: readonly [NodeJS.Signals, number][] = [
  ['SIGQUIT', 5_000],
  ['SIGKILL', 5_000],
];

/**
 * Starts a postmaster and waits until it takes connections. It gets a session of its own, so
 * that a Ctrl-C meant for us does not close the database while requests are being finished.
 */
export async function startPostmaster(launch: Launch): Promise<Postmaster> {
  await clearOrphan(launch);
  await clearStrays(launch);
  const child = spawn(launch.binaries.postgres, ['-D', launch.cluster, ...flags(launch)], {
    ...identity(launch.owner),
    cwd: launch.cluster,
    env: postgresEnv,
    stdio: ['ignore', 'ignore', 'pipe'],
    detached: true,
  });
  const exited = ending(child);
  relay(child, launch.log);
  const signal = (name: NodeJS.Signals) => child.kill(name);
  const postmaster = { pid: child.pid ?? 0, exited, signal };
  const outcome = await Promise.race([ready(launch, child), exited]);
  if (outcome !== 'ready') {
    await stopProcess(postmaster, [['SIGKILL', 5_000]]);
    throw new Error(`PostgreSQL did not start: ${outcome}`);
  }
  return postmaster;
}

/** Ends a postmaster: fast shutdown, then immediate, then by force. */
export async function stopPostmaster(postmaster: Postmaster, fastTimeoutMs: number): Promise<void> {
  await stopProcess(postmaster, [['SIGINT', fastTimeoutMs], ...forced]);
}

function flags({ settings, socketDir }: Launch): string[] {
  const all = { unix_socket_directories: socketDir, listen_addresses: '', ...settings };
  return Object.entries(all).flatMap(([key, value]) => ['-c', `${key}=${value}`]);
}

function ending(child: ChildProcess): Promise<string> {
  return new Promise((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('exit', (code, signal) => resolve(signal ?? `exit code ${code}`));
  });
}

/**
 * PostgreSQL's own lines become ours, at the level it gave them: strangers at a port that is open
 * to members cause as many refusals as they like.
 */
function relay(child: ChildProcess, log: Log): void {
  if (!child.stderr) return;
  const quiet = quieten(log);
  createInterface({ input: child.stderr }).on('line', (line) => {
    const severity = /^\S* ?(DEBUG|LOG|INFO|NOTICE|WARNING|ERROR|FATAL|PANIC):/.exec(line)?.[1];
    if (severity === 'FATAL' || severity === 'PANIC') quiet.warn('postgres', { line, kind: line });
    else log.debug('postgres', { line });
  });
}

/** Line 8 of postmaster.pid is the state the server itself announces (pg_ctl reads it too). */
async function ready(launch: Launch, child: ChildProcess): Promise<string> {
  const until = performance.now() + launch.startTimeoutMs;
  while (performance.now() < until) {
    if (child.exitCode !== null || child.signalCode !== null) return 'it ended while starting';
    const lines = await pidFile(launch.cluster);
    if (Number(lines?.[0]) === child.pid && lines?.[7]?.trim() === 'ready') return 'ready';
    await pause(pollMs);
  }
  return `it was not ready within ${launch.startTimeoutMs} ms`;
}

async function pidFile(cluster: string): Promise<string[] | undefined> {
  try {
    return (await readFile(join(cluster, 'postmaster.pid'), 'utf8')).split('\n');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/**
 * Deals with what an earlier run left: its postmaster outlives a killed node. The caller holds
 * the directory lock, so a postmaster in our folder is an orphan of ours and is stopped first; a
 * pid file whose number now belongs to something else is removed.
 */
async function clearOrphan({ cluster, log }: Launch): Promise<void> {
  const pid = Number((await pidFile(cluster))?.[0]);
  if (!Number.isInteger(pid) || pid <= 1) return;
  const kin = await kinship(pid, cluster);
  if (kin === 'postmaster') {
    log.warn('stopping the PostgreSQL an earlier run left behind', { pid });
    await stopPostmaster(orphanOf(pid), orphanStopMs);
  } else if (kin === 'stranger') {
    await rm(join(cluster, 'postmaster.pid'), { force: true });
  }
}

/**
 * Ends what a postmaster that died has left at work: it would go on with its query, perhaps for
 * minutes, for a client that is not there any more, and as long as it holds the shared memory no
 * other postmaster starts.
 */
async function clearStrays({ cluster, log }: Launch): Promise<void> {
  const pids = await processesOf(cluster);
  if (pids.length === 0) return;
  log.warn('ending what the PostgreSQL before has left at work', { processes: pids.length });
  await Promise.all(pids.map((pid) => stopProcess(orphanOf(pid), forced)));
}

const orphanOf = (pid: number): Postmaster => ({
  pid,
  exited: outlived(pid),
  signal: signalTo(pid),
});

/** Until it has let go of all it held: it no longer says whose it is some time before. */
async function outlived(pid: number): Promise<string> {
  const since = await startTime(pid);
  while (since !== undefined && (await startTime(pid)) === since) await pause(pollMs);
  return 'gone';
}

async function stopProcess(
  { pid, exited, signal }: Postmaster,
  steps: readonly [NodeJS.Signals, number][],
): Promise<void> {
  for (const [name, timeoutMs] of steps) {
    if (!signal(name)) return;
    using timer = deadline(timeoutMs);
    if ((await Promise.race([exited, timer.passed])) !== undefined) return;
  }
  throw new Error(`PostgreSQL (pid ${pid}) cannot be stopped`);
}

/** For one that is not our child; `clearOrphan` has made sure whose number it is. */
const signalTo =
  (pid: number) =>
  (name: NodeJS.Signals): boolean => {
    try {
      return process.kill(pid, name);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
      throw error;
    }
  };

function deadline(timeoutMs: number): { passed: Promise<undefined> } & Disposable {
  let timer: NodeJS.Timeout | undefined;
  const passed = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), timeoutMs);
  });
  return { passed, [Symbol.dispose]: () => clearTimeout(timer) };
}
