import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { connectPostgres, type PostgresAddress, type Sql } from '#storage/postgres/connect.ts';
import { isUnavailable } from '#storage/postgres/errors.ts';
import { kinship } from '#storage/postgres/process.ts';
import { quiet } from '../log.ts';
import { noteOpen } from '../open.ts';

/** What a test sends; `json` is the body. */
export type Ask = RequestInit & { json?: unknown };

/** A real node in a process of its own, that a test may kill and start again on its data folder. */
export interface FaultNode extends AsyncDisposable {
  readonly dataDir: string;
  /** Another one after each start. */
  readonly url: () => string;
  readonly pid: () => number;
  /** A connection of the test's own to the node's database; it outlives the node's restarts. */
  readonly sql: Sql;
  /** True while the process that was started last has not ended. */
  isRunning(): boolean;
  /** Ends the process as a power cut would, without its PostgreSQL. */
  kill(): Promise<void>;
  /** Starts it again on the same data folder; resolves to the milliseconds until it was ready. */
  start(): Promise<number>;
  /** `fetch` as administrator. */
  fetch(path: string, ask?: Ask): Promise<Response>;
  /** The body of a successful answer. */
  read<T>(path: string, ask?: Ask): Promise<T>;
  /** What it has logged since its first start, one line per event. */
  log(): string[];
}

/** How to run a node. */
export interface FaultNodeOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** A PostgreSQL elsewhere; the node's own unless given. */
  readonly database?: PostgresAddress;
}

const main = new URL('../../node/revenge.js', import.meta.url).pathname;
const startMaxMs = 60_000;
const stopMaxMs = 25_000;
const logLinesMax = 5_000;

/** Starts a node on a data folder of its own and makes its administrator. Takes some seconds. */
export async function startFaultNode(options: FaultNodeOptions = {}): Promise<FaultNode> {
  await using stack = new AsyncDisposableStack();
  stack.defer(noteOpen('startFaultNode'));
  const dataDir = await mkdtemp(join(tmpdir(), 'revenge-test-faults-'));
  stack.defer(() => rm(dataDir, { recursive: true, force: true }));
  stack.defer(() => stopOrphan(join(dataDir, 'pg')));
  const process = createProcess(dataDir, options);
  stack.defer(() => process.stop());
  const first = await process.start();
  const address = options.database ?? first.database;
  if (address === undefined) throw new Error('the node has not said where its database is');
  const { sql, close } = await connectPostgres({ ...address, pool: { max: 2 }, log: quiet });
  stack.defer(close);
  await makeAdministrator(dataDir, options);
  const rest = stack.move();
  const ask: FaultNode['fetch'] = (path, { json, ...init } = {}) => {
    const headers = new Headers(init.headers);
    if (!headers.has('authorization')) {
      headers.set('authorization', `Bearer ${process.announced().token}`);
    }
    if (json !== undefined) headers.set('content-type', 'application/json');
    const body = json === undefined ? init.body : JSON.stringify(json);
    return fetch(process.announced().url + path, { ...init, headers, body: body ?? null });
  };
  return {
    ...{ dataDir, sql, fetch: ask },
    url: () => process.announced().url,
    pid: () => process.announced().pid,
    isRunning: process.isRunning,
    kill: process.kill,
    log: process.log,
    async start() {
      const begin = performance.now();
      await process.start();
      return performance.now() - begin;
    },
    async read<T>(path: string, init?: Ask): Promise<T> {
      const response = await ask(path, init);
      const text = await response.text();
      if (!response.ok) throw new Error(`${init?.method ?? 'GET'} ${path}: ${text}`);
      return (text === '' ? undefined : JSON.parse(text)) as T;
    },
    [Symbol.asyncDispose]: () => rest.disposeAsync(),
  };
}

interface Announced {
  readonly pid: number;
  readonly url: string;
  readonly token: string;
  readonly database?: PostgresAddress;
}

function createProcess(dataDir: string, options: FaultNodeOptions) {
  const lines: string[] = [];
  let child: ChildProcess | undefined;
  let announced: Announced | undefined;
  const isRunning = () =>
    child !== undefined && child.exitCode === null && child.signalCode === null;

  const end = async (signal: NodeJS.Signals) => {
    if (child === undefined || !isRunning()) return;
    const ended = once(child, 'exit');
    child.kill(signal);
    await ended;
  };
  return {
    isRunning,
    log: () => lines,
    announced(): Announced {
      if (announced === undefined) throw new Error('the node has not started');
      return announced;
    },
    kill: () => end('SIGKILL'),
    async start(): Promise<Announced> {
      const args = ['serve', '--data', dataDir, '--port', '0', '--host', '127.0.0.1'];
      const started = spawn(process.execPath, [main, ...args], {
        stdio: ['ignore', 'ignore', 'pipe'],
        env: environment(options),
      });
      child = started;
      keepLines(started, lines);
      announced = await whenReady(dataDir, started, lines);
      return announced;
    },
    /** Softly; a node that does not heed it is killed, and that is a failure. */
    async stop(): Promise<void> {
      const given = AbortSignal.timeout(stopMaxMs);
      const late = new Promise<'late'>((resolve) => {
        given.addEventListener('abort', () => resolve('late'));
      });
      if ((await Promise.race([end('SIGTERM'), late])) !== 'late') return;
      await end('SIGKILL');
      throw new Error(`the node did not stop; it said last:\n${lines.slice(-20).join('\n')}`);
    },
  };
}

const environment = ({ env, database }: FaultNodeOptions): NodeJS.ProcessEnv => ({
  ...process.env,
  REVENGE_LOG_FORMAT: 'json',
  REVENGE_LOG_LEVEL: 'info',
  ...(database === undefined ? {} : { REVENGE_DATABASE_URL: urlOf(database) }),
  ...env,
});

/** The one string that says where a PostgreSQL is. */
export function urlOf(address: PostgresAddress): string {
  if ('url' in address) return address.url;
  const { user = 'postgres', database, socket } = address;
  return `postgres://${user}@localhost/${database}?host=${encodeURIComponent(socket)}`;
}

function keepLines(child: ChildProcess, lines: string[]): void {
  let rest = '';
  child.stderr?.on('data', (chunk: Buffer) => {
    const parts = (rest + chunk.toString()).split('\n');
    rest = parts.pop() ?? '';
    lines.push(...parts);
    lines.splice(0, Math.max(0, lines.length - logLinesMax));
  });
}

/** A killed node leaves its announcement behind: only one of this very process counts. */
async function whenReady(
  dataDir: string,
  child: ChildProcess,
  lines: readonly string[],
): Promise<Announced> {
  const file = join(dataDir, 'run', 'node.json');
  for (const until = Date.now() + startMaxMs; Date.now() < until; await pause(25)) {
    if (child.exitCode !== null || child.signalCode !== null) break;
    const text = await readFile(file, 'utf8').catch(() => undefined);
    const found = text === undefined ? undefined : (JSON.parse(text) as Announced);
    if (found?.pid !== child.pid || found === undefined) continue;
    const ready = await fetch(`${found.url}/health/ready`).catch(() => undefined);
    await ready?.body?.cancel();
    if (ready?.ok) return found;
  }
  child.kill('SIGKILL');
  throw new Error(`the node did not start; it said:\n${lines.slice(-20).join('\n')}`);
}

/** A node that ended badly leaves its PostgreSQL behind. */
async function stopOrphan(cluster: string): Promise<void> {
  const text = await readFile(join(cluster, 'postmaster.pid'), 'utf8').catch(() => '');
  const pid = Number(text.split('\n')[0]);
  if (pid > 1 && (await kinship(pid, cluster)) === 'postmaster') process.kill(pid, 'SIGQUIT');
}

async function makeAdministrator(dataDir: string, options: FaultNodeOptions): Promise<void> {
  const args = [main, '--data', dataDir, 'setup', '--username', 'admin', '--password-file', '-'];
  const env = environment(options);
  const child = spawn(process.execPath, args, { stdio: ['pipe', 'ignore', 'ignore'], env });
  child.stdin?.end('a password for the faults\n');
  const [code] = (await once(child, 'exit')) as [number | null];
  if (code !== 0) throw new Error(`setup ended with ${code}`);
}

const pollMs = 30;

/**
 * Asks until the answer is there, and resolves to it; a database that is away for the moment is
 * asked again. Throws what was waited for, and what was seen last, when the time is over.
 */
export async function until<T>(
  what: string,
  maxMs: number,
  ask: () => Promise<T | undefined | false>,
): Promise<T> {
  let last: unknown;
  for (const end = Date.now() + maxMs; Date.now() < end; await pause(pollMs)) {
    try {
      const answer = await ask();
      if (answer !== undefined && answer !== false) return answer;
      last = undefined;
    } catch (error) {
      last = error;
      if (!isAway(error)) throw error;
    }
  }
  throw new Error(`not within ${maxMs} ms: ${what}`, { cause: last });
}

/** True for what a killed or restarting node, or its PostgreSQL, does to those who ask it. */
export function isAway(error: unknown): boolean {
  if (isUnavailable(error)) return true;
  const { cause, code, name } = error as { cause?: unknown; code?: string; name?: string };
  // The socket was closed under a request: fetch names it in a way of its own.
  if (name === 'TimeoutError' || code === 'UND_ERR_SOCKET') return true;
  return cause !== undefined && isAway(cause);
}
