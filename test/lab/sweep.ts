import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startTime } from '#storage/postgres/process.ts';
import { startEmbedded } from '#storage/postgres/embedded.ts';
import { quiet } from '../log.ts';
import { removeHosts } from './ground.ts';

interface Started {
  readonly pid: number;
  readonly started: string | undefined;
}

interface Traces {
  readonly owner: Started;
  processes: Started[];
  namespaces: readonly string[];
  bridges: readonly string[];
  mounts: string[];
}

/** What a run has made outside of its folder, kept in it so that a later run can clear it away. */
export interface Run {
  readonly dir: string;
  /** The group of processes that this one leads. */
  started(pid: number): void;
  made(leftovers: { namespaces: readonly string[]; bridges: readonly string[] }): void;
  mounted(path: string): void;
  /** Ends at once, and takes away, what still is there; the folder too. */
  clear(): Promise<void>;
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
  return {
    dir,
    started(pid) {
      traces.processes.push({ pid, started: undefined });
      keep();
      void startTime(pid).then((started) => {
        traces.processes = traces.processes.map((each) =>
          each.pid === pid ? { pid, started } : each,
        );
        keep();
      });
    },
    made({ namespaces, bridges }) {
      Object.assign(traces, { namespaces, bridges });
      keep();
    },
    mounted(path) {
      traces.mounts.push(path);
      keep();
    },
    clear: () => clearAway(dir, traces),
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
  await clearAway(dir, traces);
}

async function clearAway(dir: string, traces: Traces): Promise<void> {
  for (const each of traces.processes) await endGroup(each);
  // Killed owners leave a postmaster; a start takes it over, and its end is the end of both.
  const isOrphaned = traces.owner.pid !== process.pid;
  if (isOrphaned) await endPostgres(join(dir, 'postgres'));
  for (const path of traces.mounts) {
    if (isMounted(path)) execFileSync('umount', ['--lazy', path], { stdio: 'ignore' });
  }
  removeHosts(traces.namespaces, traces.bridges);
  rmSync(dir, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
}

/** The start time tells a process from one that has got its number since. */
async function endGroup({ pid, started }: Started): Promise<void> {
  const found = await startTime(pid);
  if (found === undefined || (started !== undefined && found !== started)) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

async function endPostgres(dataDir: string): Promise<void> {
  try {
    readFileSync(join(dataDir, 'pg', 'PG_VERSION'));
  } catch {
    return; // it was never made
  }
  await (await startEmbedded({ dataDir, log: quiet })).close();
}

const isMounted = (path: string): boolean =>
  readFileSync('/proc/self/mounts', 'utf8').includes(` ${path} `);
