import { randomUUID } from 'node:crypto';
import { open, rm, type FileHandle } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { problem } from '#services/errors.ts';
import { createRoom, type Room } from '#storage/room.ts';
import { announced, spool } from './body.ts';
import type { Exchange } from './exchange.ts';

/** How much of what is sent is held at once, in bytes. */
export interface LargeBodyOptions {
  /** Where bodies wait for their turn; not one that lies in memory. */
  readonly dir: string;
  readonly diskBytes: number;
  readonly memoryBytes: number;
  readonly waitingMax: number;
  /** Milliseconds; shorter than a node waits for the leader that it has handed a request to. */
  readonly waitMaxMs: number;
}

/**
 * Carries out `work`, which finds the body in the exchange. Throws `too-large`, and `unavailable`
 * with a time to try again for whom there is no room.
 */
export type LargeBodies = (
  exchange: Exchange,
  limitBytes: number,
  work: () => Promise<void>,
) => Promise<void>;

const defaults: LargeBodyOptions = {
  dir: tmpdir(),
  diskBytes: 1024 ** 3,
  memoryBytes: 16 * 1024 ** 2,
  waitingMax: 200,
  waitMaxMs: 40_000,
};
const retryAfterSeconds = 15;

/**
 * Large bodies come one by one from the disk into memory: otherwise who sends many at once decides
 * how much of it there has to be. They arrive beside each other, so that nobody waits for a slow
 * line but who sends over it.
 */
export function createLargeBodies(options: Partial<LargeBodyOptions> = {}): LargeBodies {
  const { dir, diskBytes, memoryBytes, ...line } = { ...defaults, ...options };
  const disk = createRoom({ ...line, size: diskBytes });
  const memory = createRoom({ ...line, size: memoryBytes });
  return async (exchange, limitBytes, work) => {
    await using stack = new AsyncDisposableStack();
    // By what it says of itself, which Node holds it to: many small ones are no crowd.
    stack.use(await enter(disk, exchange, announced(exchange.req, limitBytes) ?? limitBytes));
    const file = stack.use(await openNameless(dir));
    const size = await spool(exchange, limitBytes, file);
    stack.use(await enter(memory, exchange, size));
    exchange.body = await readAll(file, size);
    await work();
  };
}

async function enter(room: Room, exchange: Exchange, bytes: number): Promise<Disposable> {
  exchange.isWaiting = true;
  try {
    const place = await room.enter(bytes, exchange.signal);
    if (place !== undefined) return place;
  } finally {
    exchange.isWaiting = false;
  }
  const detail = 'Too much is being sent to this node at once';
  throw problem('unavailable', detail, { retryAfterSeconds });
}

/** A file that goes with this process, however it ends. */
async function openNameless(dir: string): Promise<FileHandle> {
  const path = join(dir, `.revenge-body-${randomUUID()}`);
  const file = await open(path, 'wx+', 0o600);
  await rm(path);
  return file;
}

async function readAll(file: FileHandle, size: number): Promise<Buffer> {
  const whole = Buffer.allocUnsafeSlow(size);
  let at = 0;
  while (at < size) {
    const { bytesRead } = await file.read(whole, at, size - at, at);
    if (bytesRead === 0) throw new Error(`the body ends at ${at} of ${size} bytes`);
    at += bytesRead;
  }
  return whole;
}
