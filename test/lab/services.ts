import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { startEmbedded, type EmbeddedPostgres } from '#storage/postgres/embedded.ts';
import type { Log } from '#services/log.ts';
import { findTool } from '../needs.ts';

/** What all nodes share, and what may be taken from them. */
export interface Shared extends AsyncDisposable {
  stop(): Promise<void>;
  start(): Promise<void>;
}

export interface SharedPostgres extends Shared {
  readonly url: string;
  readonly socket: string;
  readonly user: string;
  /** Its postmaster ends without a word; it is started again at once. */
  kill(): void;
}

const settings = { max_connections: '120', shared_buffers: '64MB' };

/** A PostgreSQL from npm for all nodes, reached by its socket. */
export async function startPostgres(dir: string, log: Log): Promise<SharedPostgres> {
  await mkdir(dir, { recursive: true });
  const open = () => startEmbedded({ dataDir: dir, log, settings });
  let running: EmbeddedPostgres | undefined = await open();
  const { socket, user } = running;
  const stop = async () => {
    await running?.close();
    running = undefined;
  };
  return {
    url: `postgres://${user}@localhost/revenge?host=${encodeURIComponent(socket)}`,
    ...{ socket, user, stop },
    async start() {
      // On a busy machine it may not be there in time; what it began is there for the next attempt.
      running ??= await open().catch(open);
    },
    kill() {
      const pid = running?.pid();
      if (pid !== undefined) process.kill(pid, 'SIGKILL');
    },
    [Symbol.asyncDispose]: stop,
  };
}

export interface SharedRedis extends Shared {
  readonly url: string;
}

export interface RedisPlace {
  readonly address: string;
  readonly port: number;
  readonly dir: string;
  readonly onStarted: (pid: number) => void;
}

/** The machine's redis-server, if it has one: killed by `stop`, and empty after `start`. */
export async function startRedis(place: RedisPlace): Promise<SharedRedis | undefined> {
  const program = findTool('redis-server');
  if (program === undefined) return undefined;
  await mkdir(place.dir, { recursive: true });
  const open = () => launchRedis(program, place);
  let running: ChildProcess | undefined = await open();
  const stop = async () => {
    if (running && running.exitCode === null && running.signalCode === null) {
      running.kill('SIGKILL');
      await once(running, 'exit');
    }
    running = undefined;
  };
  return {
    url: `redis://${place.address}:${place.port}`,
    stop,
    async start() {
      running ??= await open();
    },
    [Symbol.asyncDispose]: stop,
  };
}

const redisMaxMs = 10_000;

async function launchRedis(program: string, place: RedisPlace): Promise<ChildProcess> {
  const { address, port, dir } = place;
  const listen = ['--port', String(port), '--bind', address, '--protected-mode', 'no'];
  const child = spawn(program, [...listen, '--dir', dir, '--save', '', '--appendonly', 'no'], {
    detached: true, // Ctrl-C is the nodes' business first
    stdio: 'ignore',
  });
  if (child.pid !== undefined) place.onStarted(child.pid);
  for (const until = Date.now() + redisMaxMs; Date.now() < until; await pause(20)) {
    if (child.exitCode !== null) break;
    if (await answers(address, port)) return child;
  }
  child.kill('SIGKILL');
  throw new Error(`redis-server does not start; is port ${port} taken, or ${join(dir)} closed?`);
}

function answers(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, host);
    const end = (isThere: boolean) => {
      socket.destroy();
      resolve(isThere);
    };
    socket.once('connect', () => end(true));
    socket.once('error', () => end(false));
  });
}
