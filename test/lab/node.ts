import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { openSync, closeSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { Host } from './ground.ts';

export interface Ports {
  readonly api: number;
  readonly raft: number;
  readonly rpc: number;
  readonly gossip: number;
}

export interface NodeWish {
  readonly name: string;
  readonly host: Host;
  readonly ports: Ports;
  readonly dataDir: string;
  readonly logFile: string;
  readonly env: Readonly<Record<string, string>>;
  readonly onStarted: (pid: number) => void;
}

/** One real node, in a group of processes of its own. */
export interface LabNode {
  readonly name: string;
  readonly url: string;
  readonly host: Host;
  readonly ports: Ports;
  readonly dataDir: string;
  readonly logFile: string;
  /** Starts it; with these arguments besides the usual ones. */
  start(args?: readonly string[]): void;
  /** Resolves once it takes requests; rejects when it ends before, or takes too long. */
  ready(timeoutMs?: number): Promise<void>;
  isRunning(): boolean;
  pid(): number | undefined;
  /** To the node, its Raft process and whatever else it has started. */
  signal(signal: NodeJS.Signals): void;
  /** To the node alone. */
  signalMain(signal: NodeJS.Signals): void;
  /** Of the process that runs Raft for it. */
  enginePid(): Promise<number | undefined>;
  exited(): Promise<void>;
  kill(): Promise<void>;
  /** Softly; killed when it does not heed that in time. Resolves to whether it did. */
  stop(): Promise<boolean>;
  /** What `revenge … --json` prints for it. */
  command<T>(...args: readonly string[]): Promise<T>;
}

const program = new URL('../../node/revenge.js', import.meta.url).pathname;
const stopMaxMs = 25_000;
const readyMaxMs = 60_000;

/** A node that may be started, killed and started again on its data folder. */
export function createLabNode(wish: NodeWish): LabNode {
  const { name, host, ports, dataDir, logFile } = wish;
  const url = `http://${host.address}:${ports.api}`;
  let child: ChildProcess | undefined;
  const isRunning = () =>
    child !== undefined && child.exitCode === null && child.signalCode === null;
  const tell = (pid: number | undefined, signal: NodeJS.Signals) => {
    if (pid === undefined || !isRunning()) return;
    process.kill(pid, signal);
  };
  const signal = (which: NodeJS.Signals) => tell(child?.pid && -child.pid, which);
  const exited = async () => {
    if (child && isRunning()) await once(child, 'exit');
  };
  return {
    ...{ name, url, host, ports, dataDir, logFile, isRunning, signal, exited },
    pid: () => child?.pid,
    signalMain: (which) => tell(child?.pid, which),
    enginePid: () => engineOf(child?.pid),
    start(args = []) {
      if (isRunning()) throw new Error(`${name} runs already`);
      child = launch(wish, args);
    },
    ready: (timeoutMs = readyMaxMs) => whenReady({ wish, url, child, isRunning, timeoutMs }),
    async kill() {
      signal('SIGKILL');
      await exited();
    },
    async stop() {
      tell(child?.pid, 'SIGTERM');
      const late = pause(stopMaxMs, 'late' as const, { ref: false });
      if ((await Promise.race([exited(), late])) !== 'late') return true;
      signal('SIGKILL');
      await exited();
      return false;
    },
    command: (...args) => commandOf(wish, args),
  };
}

const environment = ({ host, ports, env }: NodeWish): NodeJS.ProcessEnv => ({
  ...process.env,
  REVENGE_LOG_FORMAT: 'json',
  REVENGE_LOG_LEVEL: 'info',
  REVENGE_CLUSTER_RAFT_BIND_ADDR: `${host.address}:${ports.raft}`,
  REVENGE_CLUSTER_RPC_BIND_ADDR: `${host.address}:${ports.rpc}`,
  REVENGE_CLUSTER_GOSSIP_BIND_ADDR: `${host.address}:${ports.gossip}`,
  ...env,
});

/** The command that runs `revenge` on the node's host. */
const commandLine = ({ host, dataDir }: NodeWish, args: readonly string[]) => {
  const [first = process.execPath, ...rest] = [...host.enter, process.execPath, program];
  return [first, [...rest, ...args, '--data', dataDir]] as const;
};

function launch(wish: NodeWish, args: readonly string[]): ChildProcess {
  const { host, ports, logFile } = wish;
  // Everywhere on a host of its own, so that its own loopback is there for the command line.
  const address = host.enter.length > 0 ? '0.0.0.0' : host.address;
  const place = ['--host', address, '--port', String(ports.api)];
  const [command, given] = commandLine(wish, ['serve', ...place, ...args]);
  const log = openSync(logFile, 'a', 0o600);
  const started = spawn(command, given, {
    detached: true,
    stdio: ['ignore', log, log],
    env: environment(wish),
  });
  closeSync(log);
  if (started.pid !== undefined) wish.onStarted(started.pid);
  return started;
}

interface Wait {
  readonly wish: NodeWish;
  readonly url: string;
  readonly child: ChildProcess | undefined;
  readonly isRunning: () => boolean;
  readonly timeoutMs: number;
}

/** A killed node leaves its announcement behind: only one of this very process counts. */
async function whenReady({ wish, url, child, isRunning, timeoutMs }: Wait): Promise<void> {
  const file = join(wish.dataDir, 'run', 'node.json');
  for (const until = Date.now() + timeoutMs; Date.now() < until; await pause(25)) {
    if (!isRunning()) break;
    const text = await readFile(file, 'utf8').catch(() => '{}');
    if ((JSON.parse(text) as { pid?: number }).pid !== child?.pid) continue;
    if (await isReady(url)) return;
  }
  const said = (await readFile(wish.logFile, 'utf8').catch(() => '')).trim().split('\n');
  throw new Error(`${wish.name} did not start; it said last:\n${said.slice(-12).join('\n')}`);
}

const answerMs = 2_000;

async function isReady(url: string): Promise<boolean> {
  try {
    const answer = await fetch(`${url}/health/ready`, { signal: AbortSignal.timeout(answerMs) });
    await answer.body?.cancel();
    return answer.ok;
  } catch {
    return false; // not yet, or not any more: asked again until the time is over
  }
}

async function engineOf(pid: number | undefined): Promise<number | undefined> {
  const children = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8').catch(() => '');
  for (const each of children.trim().split(' ').filter(Boolean)) {
    const line = await readFile(`/proc/${each}/cmdline`, 'utf8').catch(() => '');
    if (line.includes('raft/driver/process.ts')) return Number(each);
  }
  return undefined;
}

function commandOf<T>(wish: NodeWish, args: readonly string[]): Promise<T> {
  const [command, given] = commandLine(wish, [...args, '--json']);
  return new Promise((resolve, reject) => {
    execFile(command, given, { env: environment(wish) }, (error, stdout, stderr) => {
      if (!error) return resolve(JSON.parse(stdout) as T);
      reject(new Error(`revenge ${args.join(' ')}: ${stderr || stdout || error.message}`));
    });
  });
}

/** Makes the first administrator of the database that these nodes share. */
export async function makeAdministrator(
  node: LabNode,
  { password, env }: { password: string; env: Readonly<Record<string, string>> },
): Promise<void> {
  const args = [program, 'setup', '--username', 'admin', '--password-file', '-'];
  const child = spawn(process.execPath, [...args, '--data', node.dataDir], {
    stdio: ['pipe', 'ignore', 'pipe'],
    env: { ...process.env, ...env },
  });
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()));
  child.stdin.end(`${password}\n`);
  const [code] = (await once(child, 'exit')) as [number | null];
  if (code !== 0) throw new Error(`the administrator could not be made: ${said}`);
}
