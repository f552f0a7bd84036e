import { spawn, type ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { connectPostgres, type PostgresAddress, type Sql } from '#storage/postgres/connect.ts';
import { quiet } from '#test/log.ts';

/** A real node in a process of its own, on a data folder that goes with it. */
export interface BenchNode extends AsyncDisposable {
  readonly url: string;
  /** Bearer token of the administrator. */
  readonly token: string;
  readonly sql: Sql;
  readonly pid: number;
  /** Resident memory of the API process and of its media processes, in bytes. */
  memory(): { api: number; media: number };
}

/** Posts as the administrator; resolves to what is answered. Throws unless it is done. */
export async function post(node: BenchNode, path: string, body: object): Promise<unknown> {
  const answer = await fetch(node.url + path, {
    method: 'POST',
    headers: { authorization: `Bearer ${node.token}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${path}: ${answer.status} ${text}`);
  return text === '' ? undefined : JSON.parse(text);
}

interface Announced {
  url: string;
  token: string;
  database: PostgresAddress;
}

const startMaxMs = 60_000;
const main = new URL('../node/revenge.js', import.meta.url).pathname;

/** Starts a node and waits until it is ready. */
export async function startBenchNode(options: { movies?: string } = {}): Promise<BenchNode> {
  const dataDir = await mkdtemp(join(tmpdir(), 'revenge-bench-node-'));
  const args = ['serve', '--data', dataDir, '--port', '0', '--host', '127.0.0.1'];
  if (options.movies !== undefined) args.push('--movies', options.movies);
  const env = {
    ...process.env,
    REVENGE_LOG_LEVEL: 'error',
    // What is measured is the work, not the limit on it.
    REVENGE_SERVER_RATE_LIMIT_PER_ADDRESS: '0',
    REVENGE_SERVER_RATE_LIMIT_PER_USER: '0',
  };
  const child = spawn(process.execPath, [main, ...args], { stdio: 'ignore', env });
  const { url, token, database } = await announced(dataDir, child);
  const { sql, close } = await connectPostgres({
    ...database,
    pool: { max: 2 },
    // It makes 200,000 films in one statement.
    statementTimeoutMs: 0,
    log: quiet,
  });
  await makeAdministrator(dataDir, url);
  return {
    url,
    token,
    sql,
    pid: child.pid ?? 0,
    memory: () => memoryOf(child.pid ?? 0),
    async [Symbol.asyncDispose]() {
      await close();
      const ended = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGTERM');
      await ended;
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}

async function announced(dataDir: string, child: ChildProcess): Promise<Announced> {
  const file = join(dataDir, 'run', 'node.json');
  for (let waited = 0; waited < startMaxMs; waited += 100) {
    if (child.exitCode !== null) throw new Error(`the node ended with ${child.exitCode}`);
    const text = await readFile(file, 'utf8').catch(() => undefined);
    if (text !== undefined) {
      const found = JSON.parse(text) as Announced;
      const ready = await fetch(`${found.url}/health/ready`).catch(() => undefined);
      if (ready?.ok) return found;
    }
    await pause(100);
  }
  child.kill('SIGKILL');
  throw new Error('the node did not start');
}

async function makeAdministrator(dataDir: string, url: string): Promise<void> {
  const args = [main, '--data', dataDir, 'setup', '--username', 'bench', '--password-file', '-'];
  const child = spawn(process.execPath, args, { stdio: ['pipe', 'ignore', 'inherit'] });
  child.stdin?.end('a password for the bench\n');
  const code = await new Promise((resolve) => child.once('exit', resolve));
  if (code !== 0) throw new Error(`setup at ${url} ended with ${String(code)}`);
}

/** VmRSS of a process and, separately, of its direct children that run media work. */
function memoryOf(pid: number): { api: number; media: number } {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ');
  const media = children
    .filter((child) => child !== '' && commandOf(child).includes('storage/media/process'))
    .reduce((sum, child) => sum + residentOf(child), 0);
  return { api: residentOf(String(pid)), media };
}

const commandOf = (pid: string) => readFileSync(`/proc/${pid}/cmdline`, 'utf8');

function residentOf(pid: string): number {
  const [, kilobytes = '0'] =
    /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Number(kilobytes) * 1024;
}
