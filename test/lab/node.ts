import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { openSync, closeSync, fstatSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';
import { findRunning } from '#node/rundir.ts';
import { setClock, underClock } from './clock.ts';
import type { Disk } from './disk.ts';
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
  /** `serve` unless it is a witness. */
  readonly role?: 'serve' | 'witness' | undefined;
  /** Through which it reads its wall clock; undefined: the machine's. */
  readonly clockFile?: string | undefined;
  /** What its data folder lies on; undefined: the machine's. */
  readonly disk?: Disk | undefined;
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
  readonly disk: Disk | undefined;
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
  /** How often it ended though nobody had ended it. */
  crashes(): number;
  /** Sets its wall clock off by so many seconds. */
  setClock(seconds: number): void;
  /** Keeps its event loop busy; resolves when that is over. */
  block(ms: number): Promise<void>;
  /** The first line of its log since it was started last that matches; rejects when none comes. */
  logs(pattern: RegExp, timeoutMs: number): Promise<string>;
  hasLogged(text: string): Promise<boolean>;
  /** Another one that would use its folder, at ports of its own. */
  twin(ports: Ports): LabNode;
  /** What `revenge … --json` prints for it. */
  command<T>(...args: readonly string[]): Promise<T>;
}

const program = new URL('../../node/revenge.js', import.meta.url).pathname;
const stopMaxMs = 25_000;
const readyMaxMs = 60_000;

/** A node that may be started, killed and started again on its data folder. */
export function createLabNode(wish: NodeWish): LabNode {
  const { name, host, ports, dataDir, logFile, disk, clockFile } = wish;
  const body = createBody(wish);
  const { isRunning } = body;
  const signal = (which: NodeJS.Signals) => {
    if (which === 'SIGKILL') body.expectEnd();
    const pid = body.child()?.pid;
    body.tell(pid === undefined ? undefined : -pid, which);
  };
  return {
    ...{ name, host, ports, dataDir, logFile, disk, isRunning, signal },
    get url() {
      return urlOf(wish);
    },
    pid: () => body.child()?.pid,
    crashes: () => body.crashes(),
    start: (args) => body.start(args),
    exited: () => body.exited(),
    signalMain: (which) => body.tell(body.child()?.pid, which),
    enginePid: () => engineOf(body.child()?.pid),
    ready: (timeoutMs = readyMaxMs) =>
      whenReady({ wish, child: body.child(), isRunning, timeoutMs }),
    async kill() {
      signal('SIGKILL');
      await body.exited();
    },
    async stop() {
      body.expectEnd();
      body.tell(body.child()?.pid, 'SIGTERM');
      const late = pause(stopMaxMs, 'late' as const, { ref: false });
      if ((await Promise.race([body.exited(), late])) !== 'late') return true;
      signal('SIGKILL');
      await body.exited();
      return false;
    },
    setClock(seconds) {
      if (clockFile === undefined) throw new Error(`${name} has no clock of its own`);
      setClock(clockFile, seconds);
    },
    block: (ms) => blockLoop(wish, body.child()?.pid, ms),
    logs: (pattern, timeoutMs) => whenLogged(() => body.logged(), pattern, timeoutMs),
    hasLogged: async (text) => (await body.logged()).includes(text),
    twin: (others) => createLabNode({ ...wish, name: `${name} again`, ports: others }),
    command: (...args) => commandOf(wish, args),
  };
}

const urlOf = ({ host, ports }: NodeWish) => `http://${host.address}:${ports.api}`;

/** The process of a node, one after the other. */
function createBody(wish: NodeWish) {
  const { name, logFile } = wish;
  let child: ChildProcess | undefined;
  let logFrom = 0;
  let crashes = 0;
  let isEndExpected = false;
  const isRunning = () =>
    child !== undefined && child.exitCode === null && child.signalCode === null;
  return {
    isRunning,
    child: () => child,
    crashes: () => crashes,
    expectEnd: () => void (isEndExpected = true),
    /** What it has logged since it was started last. */
    logged: async () => (await readFile(logFile, 'utf8')).slice(logFrom),
    async exited() {
      if (child && isRunning()) await once(child, 'exit');
    },
    tell(pid: number | undefined, signal: NodeJS.Signals) {
      if (pid !== undefined && isRunning()) process.kill(pid, signal);
    },
    start(args: readonly string[] = []) {
      if (isRunning()) throw new Error(`${name} runs already`);
      isEndExpected = false;
      const launched = launch(wish, args);
      ({ child, logFrom } = launched);
      launched.child.once('exit', () => {
        if (child === launched.child && !isEndExpected) crashes += 1;
      });
    },
  };
}

async function whenLogged(
  logged: () => Promise<string>,
  pattern: RegExp,
  timeoutMs: number,
): Promise<string> {
  for (const until = Date.now() + timeoutMs; Date.now() < until; await pause(100)) {
    const found = (await logged()).split('\n').find((line) => pattern.test(line));
    if (found !== undefined) return found;
  }
  throw new Error(`nothing like ${String(pattern)} was logged within ${timeoutMs} ms`);
}

const blocker = new URL('block.ts', import.meta.url).pathname;

async function blockLoop({ host }: NodeWish, pid: number | undefined, ms: number): Promise<void> {
  const [command = '', ...rest] = [...host.enter, process.execPath, blocker];
  const child = spawn(command, [...rest, String(pid), String(ms)], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()));
  const [code] = (await once(child, 'exit')) as [number | null];
  if (code !== 0) throw new Error(`process ${pid} was not kept busy: ${said}`);
}

const environment = ({ host, ports, env, clockFile }: NodeWish): NodeJS.ProcessEnv => ({
  ...process.env,
  REVENGE_LOG_FORMAT: 'json',
  REVENGE_LOG_LEVEL: 'info',
  REVENGE_CLUSTER_RAFT_BIND_ADDR: `${host.address}:${ports.raft}`,
  REVENGE_CLUSTER_RPC_BIND_ADDR: `${host.address}:${ports.rpc}`,
  REVENGE_CLUSTER_GOSSIP_BIND_ADDR: `${host.address}:${ports.gossip}`,
  ...(clockFile === undefined ? {} : underClock(clockFile)),
  ...env,
});

/** The command that runs `revenge` on the node's host. */
const commandLine = ({ host, dataDir }: NodeWish, args: readonly string[]) => {
  const [first = process.execPath, ...rest] = [...host.enter, process.execPath, program];
  return [first, [...rest, ...args, '--data', dataDir]] as const;
};

function launch(wish: NodeWish, args: readonly string[]): { child: ChildProcess; logFrom: number } {
  const { host, ports, logFile } = wish;
  // Everywhere on a host of its own, so that its own loopback is there for the command line.
  const address = host.enter.length > 0 ? '0.0.0.0' : host.address;
  const place = ['--host', address, '--port', String(ports.api)];
  const [command, given] = commandLine(wish, [wish.role ?? 'serve', ...place, ...args]);
  const log = openSync(logFile, 'a', 0o600);
  const logFrom = fstatSync(log).size;
  const child = spawn(command, given, {
    detached: true,
    stdio: ['ignore', log, log],
    env: environment(wish),
  });
  closeSync(log);
  if (child.pid !== undefined) wish.onStarted(child.pid);
  return { child, logFrom };
}

interface Wait {
  readonly wish: NodeWish;
  readonly child: ChildProcess | undefined;
  readonly isRunning: () => boolean;
  readonly timeoutMs: number;
}

/** A killed node leaves its announcement behind: only one of this very process counts. */
async function whenReady({ wish, child, isRunning, timeoutMs }: Wait): Promise<void> {
  for (const until = Date.now() + timeoutMs; Date.now() < until; await pause(25)) {
    if (!isRunning()) break;
    if ((await findRunning(wish.dataDir))?.pid !== child?.pid) continue;
    if (await isReady(urlOf(wish))) return;
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
