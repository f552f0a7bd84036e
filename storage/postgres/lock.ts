import { randomUUID } from 'node:crypto';
import { link, readFile, rename, stat, unlink, utimes, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { startTime, pidNamespace } from './process.ts';

/** A data directory held by this process until `release`. */
export type DirectoryLock = { path: string; release(): Promise<void> };

type Holder = { id: string; pid: number; started: string; namespace: string; host: string };

const beatMs = 5_000;
const silentMs = 3 * beatMs;
const guardTries = 100;
const guardPauseMs = 20;

/**
 * Takes `revenge.lock` in a data directory, or throws one line that names the process holding it.
 * A lock whose process is gone is taken over: the start time in /proc tells a pid from its
 * successor, and a holder we cannot see (another container) counts as alive while it beats.
 */
export async function lockDirectory(dataDir: string): Promise<DirectoryLock> {
  const path = join(dataDir, 'revenge.lock');
  const mine: Holder = {
    id: randomUUID(),
    pid: process.pid,
    started: (await startTime(process.pid)) ?? '',
    namespace: await pidNamespace(),
    host: hostname(),
  };
  const guard = await guarded(dataDir);
  try {
    const holder = await readHolder(path);
    if (holder && (await alive(holder, path))) throw new Error(heldMessage(dataDir, holder));
    await place(path, mine, holder !== undefined);
  } finally {
    await guard();
  }
  return hold(path, mine);
}

function heldMessage(dataDir: string, { pid, host }: Holder): string {
  return `the data directory ${dataDir} is in use by another revenge (pid ${pid} on ${host})`;
}

function hold(path: string, mine: Holder): DirectoryLock {
  const beat = setInterval(() => {
    const now = new Date();
    utimes(path, now, now).catch(() => undefined); // the directory was removed under us
  }, beatMs);
  beat.unref();
  return {
    path,
    async release() {
      clearInterval(beat);
      if ((await readHolder(path))?.id === mine.id) await unlink(path);
    },
  };
}

async function place(path: string, mine: Holder, replace: boolean): Promise<void> {
  const draft = `${path}.${mine.id}`;
  await writeFile(draft, JSON.stringify(mine), { mode: 0o600 });
  if (replace) return rename(draft, path);
  try {
    await link(draft, path);
  } finally {
    await unlink(draft);
  }
}

async function readHolder(path: string): Promise<Holder | undefined> {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as Holder;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    if (error instanceof SyntaxError) return { id: '', pid: 0, started: '', ...nowhere };
    throw error;
  }
}

const nowhere = { namespace: '', host: '' };

async function alive(holder: Holder, path: string): Promise<boolean> {
  if (holder.namespace === (await pidNamespace())) {
    return holder.pid > 0 && (await startTime(holder.pid)) === holder.started;
  }
  if (holder.namespace === '') return false;
  const { mtimeMs } = await stat(path);
  return Date.now() - mtimeMs < silentMs;
}

/**
 * Serialises takers of one directory: an abstract socket is the one lock the kernel gives back
 * by itself when its holder is killed. Held for the few file operations of a take-over only.
 */
async function guarded(dataDir: string): Promise<() => Promise<void>> {
  const { dev, ino } = await stat(dataDir);
  for (let tries = 0; tries < guardTries; tries++) {
    const release = await listen(`\0revenge-lock-${dev}-${ino}`);
    if (release) return release;
    await pause(guardPauseMs);
  }
  throw new Error(`the data directory ${dataDir} is being taken by another revenge`);
}

function listen(name: string): Promise<(() => Promise<void>) | undefined> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) =>
      error.code === 'EADDRINUSE' ? resolve(undefined) : reject(error),
    );
    server.listen(name, () =>
      resolve(() => new Promise((done) => server.close(() => done(undefined)))),
    );
  });
}
