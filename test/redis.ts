import { spawn, type ChildProcess } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, readlink, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { startTime } from '#storage/postgres/process.ts';
import { findTool } from './needs.ts';
import { noteOpen } from './open.ts';

/** A Redis of a test's own on 127.0.0.1, without persistence. */
export type TestRedis = AsyncDisposable & {
  url: string;
  port: number;
  /** Ends it without a word, as a power cut would. Clients see the connection break. */
  kill: () => Promise<void>;
  /** Starts it again, empty, on the same port. */
  restart: () => Promise<void>;
  /** Stops it from answering without closing anything (SIGSTOP), and lets it go on. */
  freeze: () => void;
  thaw: () => void;
  close: () => Promise<void>;
};

const portTries = 20;
const prefix = 'revenge-test-redis-';

/** Starts Debian's redis-server; call `needs('redis-server')` in the same `describe`. */
export async function startRedis(): Promise<TestRedis> {
  const closed = noteOpen('startRedis');
  await sweep();
  const dir = await mkdtemp(join(tmpdir(), prefix));
  const owner = { pid: process.pid, started: await startTime(process.pid) };
  await writeFile(join(dir, 'owner'), JSON.stringify(owner));
  const { port, child } = await startAnywhere(dir);
  let current: ChildProcess | undefined = child;
  const kill = async () => {
    if (current && current.exitCode === null && current.signalCode === null) {
      const exited = once(current, 'exit');
      current.kill('SIGKILL');
      await exited;
    }
    current = undefined;
  };
  const close = async () => {
    await kill();
    await rm(dir, { recursive: true, force: true });
    closed();
  };
  return {
    url: `redis://127.0.0.1:${port}`,
    port,
    kill,
    async restart() {
      await kill();
      current = await startOn(port, dir);
      if (!current) throw new Error(`redis-server cannot have port ${port} again`);
    },
    freeze: () => void current?.kill('SIGSTOP'),
    thaw: () => void current?.kill('SIGCONT'),
    close,
    [Symbol.asyncDispose]: close,
  };
}

async function startAnywhere(dir: string): Promise<{ port: number; child: ChildProcess }> {
  for (let tries = 0; tries < portTries; tries++) {
    const port = randomInt(20_000, 32_000); // below the ports the kernel gives to outgoing calls
    const child = await startOn(port, dir);
    if (child) return { port, child };
  }
  throw new Error('redis-server finds no free port');
}

async function startOn(port: number, dir: string): Promise<ChildProcess | undefined> {
  const flags = ['--port', `${port}`, '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no'];
  const place = ['--dir', dir, '--pidfile', join(dir, 'redis.pid')];
  const child = spawn(findTool('redis-server') ?? 'redis-server', [...flags, ...place], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  while (child.exitCode === null) {
    if (output.includes('Ready to accept connections') && (await answers(port))) return child;
    await pause(5);
  }
  return undefined;
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    const end = (answer: boolean) => {
      socket.destroy();
      resolve(answer);
    };
    socket.once('connect', () => end(true));
    socket.once('error', () => end(false));
  });
}

/** A run that was killed leaves its servers; the next run ends those whose owner is gone. */
async function sweep(): Promise<void> {
  for (const name of await readdir(tmpdir())) {
    if (name.startsWith(prefix)) await sweepOne(join(tmpdir(), name));
  }
}

async function sweepOne(dir: string): Promise<void> {
  try {
    const owner = JSON.parse(await readFile(join(dir, 'owner'), 'utf8')) as {
      pid: number;
      started: string;
    };
    if ((await startTime(owner.pid)) === owner.started) return;
    const pid = Number(await readFile(join(dir, 'redis.pid'), 'utf8'));
    // Its working directory proves that the number still means this server.
    if ((await readlink(`/proc/${pid}/cwd`)) === dir) process.kill(pid, 'SIGKILL');
    await rm(dir, { recursive: true, force: true });
  } catch {
    // Half made, half cleared, or gone already: nothing that could be running.
  }
}
