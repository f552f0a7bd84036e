import { randomUUID } from 'node:crypto';
import { open, readdir, rm, type FileHandle } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { problem } from '#services/errors.ts';
import { createRoom, type Place } from '#storage/room.ts';
import type { Exchange } from './exchange.ts';
import { createLender } from './lend.ts';
import { networkOf } from './limits.ts';
import { spool, type Pace } from './spool.ts';
import { realTimers, type Timers } from './timers.ts';

/** How much of what is sent is held at once, in bytes. */
export interface LargeBodyOptions {
  /** Where bodies wait for their turn; not one that lies in memory. */
  readonly dir: string;
  readonly diskBytes: number;
  /** What one person may have of that. */
  readonly diskShareBytes: number;
  readonly memoryBytes: number;
  /** Of one person. */
  readonly waitingMax: number;
  /** Milliseconds; shorter than a node waits for the leader that it has handed a request to. */
  readonly waitMaxMs: number;
  readonly pace: Pace;
  readonly timers: Timers;
  readonly now: () => number;
}

/**
 * Carries out `work`, which finds the body in the exchange. Throws `too-large`,
 * `too-slow`, and `unavailable` with a time to try again for whom there is no room.
 */
export type LargeBodies = (
  exchange: Exchange,
  limitBytes: number,
  work: () => Promise<void>,
) => Promise<void>;

const defaults: LargeBodyOptions = {
  dir: tmpdir(),
  diskBytes: 1024 ** 3,
  diskShareBytes: 1024 ** 3 / 2,
  memoryBytes: 16 * 1024 ** 2,
  waitingMax: 200,
  waitMaxMs: 40_000,
  // 4 KiB/s: no phone is as slow, and one in a tunnel may be silent for most of a minute.
  pace: { bytes: 240 * 1024, everyMs: 60_000 },
  timers: realTimers,
  now: () => performance.now(),
};
const retryAfterSeconds = 15;

/**
 * Large bodies come one by one from the disk into memory: otherwise who sends many at once decides
 * how much of it there has to be. They arrive beside each other, so that nobody waits for a slow
 * line but who sends over it, and have as much of the disk as has come of them, whatever they say
 * they will be: what is promised to who sends nothing is nobody's.
 */
export function createLargeBodies(options: Partial<LargeBodyOptions> = {}): LargeBodies {
  const { dir, diskBytes, diskShareBytes, memoryBytes, ...rest } = { ...defaults, ...options };
  const disk = createRoom({ ...rest, size: diskBytes, shareMax: diskShareBytes });
  const memory = createRoom({ ...rest, size: memoryBytes });
  const lend = createLender(() => memory.waiting() > 0);
  let cleared: Promise<void> | undefined;
  return async (exchange, limitBytes, work) => {
    cleared ??= clearLeft(dir).catch((error: unknown) => {
      cleared = undefined; // what failed once may do the next time
      throw error;
    });
    await cleared;
    await using stack = new AsyncDisposableStack();
    const owner = ownerOf(exchange);
    const onDisk = stack.use(disk.open(owner));
    const file = stack.use(await openNameless(dir));
    const growing = (bytes: number) => grow(onDisk, exchange, bytes);
    const size = await spool(exchange, { ...rest, file, limitBytes, grow: growing });
    await grow(stack.use(memory.open(owner)), exchange, size);
    const { bytes } = stack.use(lend(size));
    await fill(bytes, file);
    exchange.body = bytes;
    await work();
  };
}

const ownerOf = ({ principal, ip }: Exchange): string => principal?.userId ?? networkOf(ip);

async function grow(place: Place, exchange: Exchange, bytes: number): Promise<void> {
  exchange.isWaiting = true;
  try {
    if (await place.grow(bytes, exchange.signal)) return;
  } finally {
    exchange.isWaiting = false;
  }
  const detail = 'Too much is being sent to this node at once';
  throw problem('unavailable', detail, { retryAfterSeconds });
}

const prefix = '.revenge-body-';

/** A file that goes with this process, however it ends, but for the moment that it has a name. */
async function openNameless(dir: string): Promise<FileHandle> {
  const path = join(dir, `${prefix}${randomUUID()}`);
  const file = await open(path, 'wx+', 0o600);
  await rm(path, { force: true });
  return file;
}

/** Removes what a process left that ended in that moment; who has one open needs no name of it. */
async function clearLeft(dir: string): Promise<void> {
  const names = (await readdir(dir)).filter((name) => name.startsWith(prefix));
  await Promise.all(names.map((name) => rm(join(dir, name), { force: true }).catch(ifTheirs)));
}

/** What a node of another account left is for that one to remove. */
function ifTheirs(error: unknown): void {
  if (!['EPERM', 'EACCES'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
}

async function fill(bytes: Buffer, file: FileHandle): Promise<void> {
  let at = 0;
  while (at < bytes.length) {
    const { bytesRead } = await file.read(bytes, at, bytes.length - at, at);
    if (bytesRead === 0) throw new Error(`the body ends at ${at} of ${bytes.length} bytes`);
    at += bytesRead;
  }
}
