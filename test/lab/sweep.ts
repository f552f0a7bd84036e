import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startTime } from '#storage/postgres/process.ts';
import { removeHosts } from './ground.ts';

interface Started {
  readonly pid: number;
  readonly started: string | undefined;
}

interface Traces {
  readonly owner: Started;
  readonly processes: Started[];
  namespaces: readonly string[];
  bridges: readonly string[];
  readonly mounts: string[];
}

/** What a run has made outside of its folder, kept in it so that a later run can clear it away. */
export interface Run {
  readonly dir: string;
  /** The group of processes that this one leads. */
  started(pid: number): void;
  made(leftovers: { namespaces: readonly string[]; bridges: readonly string[] }): void;
  mounted(path: string): void;
  /** Ends at once, and takes away, what still is there; the folder too. */
  clear(): void;
}

const prefix = 'revenge-lab-';
const traceFile = 'traces.json';

/** A folder below the system's temporary one; what killed runs have left is cleared first. */
export async function openRun(): Promise<Run> {
  for (const name of readdirSync(tmpdir())) {
    if (name.startsWith(prefix)) await sweepOne(join(tmpdir(), name));
  }
  const dir = mkdtempSync(join(tmpdir(), prefix));
  // To pass through, not to list: root hands PostgreSQL to another account.
  chmodSync(dir, 0o711);
  const owner = { pid: process.pid, started: await startTime(process.pid) };
  const traces: Traces = { owner, processes: [], namespaces: [], bridges: [], mounts: [] };
  const keep = () => writeFileSync(join(dir, traceFile), JSON.stringify(traces));
  keep();
  // Who is told to end at once does not wait for anything; nothing is left behind all the same.
  const atExit = () => {
    endPostmaster(join(dir, 'postgres', 'pg'));
    clearAway(dir, traces);
  };
  process.once('exit', atExit);
  return {
    dir,
    started(pid) {
      traces.processes.push({ pid, started: startTimeNow(pid) });
      keep();
    },
    made({ namespaces, bridges }) {
      Object.assign(traces, { namespaces, bridges });
      keep();
    },
    mounted(path) {
      traces.mounts.push(path);
      keep();
    },
    clear() {
      process.off('exit', atExit);
      clearAway(dir, traces);
    },
  };
}

async function sweepOne(dir: string): Promise<void> {
  let traces: Traces;
  try {
    traces = JSON.parse(readFileSync(join(dir, traceFile), 'utf8')) as Traces;
  } catch {
    return; // half made or half cleared: another run's, which sees to it
  }
  const { pid, started } = traces.owner;
  if ((await startTime(pid)) === started) return;
  endPostmaster(join(dir, 'postgres', 'pg'));
  clearAway(dir, traces);
}

function clearAway(dir: string, traces: Traces): void {
  for (const each of traces.processes) endGroup(each);
  for (const path of traces.mounts) {
    if (isMounted(path)) execFileSync('umount', ['--lazy', path], { stdio: 'ignore' });
  }
  removeHosts(traces.namespaces, traces.bridges);
  rmSync(dir, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
}

/** The start time tells a process from one that has got its number since. */
function endGroup({ pid, started }: Started): void {
  const found = startTimeNow(pid);
  if (found === undefined || (started !== undefined && found !== started)) return;
  signal(-pid, 'SIGKILL');
}

/** The one whose working directory this is; its files are thrown away. */
function endPostmaster(cluster: string): void {
  try {
    const pid = Number(readFileSync(join(cluster, 'postmaster.pid'), 'utf8').split('\n')[0]);
    if (readlinkSync(`/proc/${pid}/cwd`) === cluster) signal(pid, 'SIGQUIT');
  } catch {
    return; // there is none, or it has just ended
  }
}

function signal(pid: number, which: NodeJS.Signals): void {
  try {
    process.kill(pid, which);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** As `startTime`, for one who cannot wait. */
function startTimeNow(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' ? undefined : fields[19];
  } catch {
    return undefined; // no such process
  }
}

const isMounted = (path: string): boolean =>
  readFileSync('/proc/self/mounts', 'utf8').includes(` ${path} `);
