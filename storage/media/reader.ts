import { constants } from 'node:fs';
import { open, readlink, type FileHandle } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { inside, toMediaError } from './confine.ts';
import { createGate, type Gate } from './gate.ts';
import { MediaError, type FileFacts, type Media } from './media.ts';
import { decodePath } from './path.ts';

/**
 * Reads media files in the process that serves them: the one thing that is not handed to a media
 * process, because each byte would be copied twice. So that a dead mount cannot hold all threads of
 * libuv's pool, the media process proves first that it answers, few calls per mount run at once,
 * and a mount on which a call is late is left alone until that call returns.
 */
export interface Reader {
  /** Facts of a file, by the media process; at most `freshMs` old. */
  facts(root: string, path: string, signal?: AbortSignal): Promise<FileFacts>;
  /** Opens a file for reading; close it, or end its stream. */
  open(root: string, path: string, signal?: AbortSignal): Promise<OpenFile>;
}

/** An open file, with the facts of exactly what is open. */
export interface OpenFile {
  readonly facts: Pick<FileFacts, 'sizeBytes' | 'mtimeMs' | 'inode'>;
  /**
   * The bytes from `start` to `end`, both included. Fails when the file turns out shorter, so that
   * nobody takes a part for the whole. Ends the open file with itself. Chunks may be handed back
   * to `recycle` once they are written: a megabyte of fresh memory for each would keep the garbage
   * collector busier than the disk.
   */
  stream(start: number, end: number): Readable & { recycle(chunk: Uint8Array): void };
  close(): Promise<void>;
}

export interface ReaderOptions {
  readonly media: Pick<Media, 'stat'>;
  readonly now: () => number;
  /** Told of all bytes read for streams. */
  readonly onRead?: (sizeBytes: number) => void;
  /** Calls at once per mount. */
  readonly perMountLimit?: number;
  /** Milliseconds after which a call that has not returned makes its mount unavailable. */
  readonly lateMs?: number;
  /** Milliseconds after which such a call is given up and its stream ended. */
  readonly lostMs?: number;
}

const chunkBytes = 1024 * 1024;
const firstChunkBytes = 128 * 1024;
const sparesMax = 3;
const freshMs = 5_000;
const rememberedMax = 1_000;

interface Guard {
  readonly gate: Gate;
  /** Late calls by device. */
  readonly late: Map<string, number>;
  readonly limit: number;
  readonly lateMs: number;
  readonly lostMs: number;
  readonly onRead: (sizeBytes: number) => void;
}

/** Makes the reader of this process. */
export function createReader(options: ReaderOptions): Reader {
  const { media, now } = options;
  const guard: Guard = {
    gate: createGate({ waitingMax: 1_000 }),
    late: new Map(),
    limit: options.perMountLimit ?? 8,
    lateMs: options.lateMs ?? 10_000,
    lostMs: options.lostMs ?? 30_000,
    onRead: options.onRead ?? (() => undefined),
  };
  const remembered = new Map<string, { facts: FileFacts; atMs: number }>();

  const facts = async (root: string, path: string, signal?: AbortSignal): Promise<FileFacts> => {
    const key = `${root}\0${path}`;
    const known = remembered.get(key);
    if (known && now() - known.atMs < freshMs) return known.facts;
    remembered.delete(key);
    const call = { priority: 'user', timeoutMs: guard.lateMs, ...(signal && { signal }) } as const;
    const found = await media.stat(root, path, call);
    if (remembered.size >= rememberedMax) {
      const oldest = remembered.keys().next().value;
      if (oldest !== undefined) remembered.delete(oldest);
    }
    remembered.set(key, { facts: found, atMs: now() });
    return found;
  };

  return {
    facts,
    async open(root, path, signal) {
      const known = await facts(root, path, signal);
      try {
        return await openReal(guard, known);
      } catch (error) {
        remembered.delete(`${root}\0${path}`); // it is not what it was: ask anew next time
        throw error;
      }
    },
  };
}

async function openReal(guard: Guard, known: FileFacts): Promise<OpenFile> {
  const { device } = known;
  if (guard.late.has(device)) throw late();
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
  const opened = guarded(guard, device, async () => {
    const handle = await open(decodePath(known.realPath), flags);
    try {
      return { handle, facts: await check(handle, known) };
    } catch (error) {
      await handle.close();
      throw error;
    }
  });
  // An open that returns after it was given up leaves nothing behind.
  const abandon = async ({ handle }: { handle: FileHandle }) => {
    if (opened.isLost()) await handle.close();
  };
  opened.whole.then(abandon).catch(() => undefined);
  const { handle, facts } = await opened.inTime.catch((error: unknown) => {
    throw toMediaError(error);
  });
  let isTaken = false;
  return {
    facts,
    stream(start, end) {
      isTaken = true;
      return streamOf(guard, { handle, device, start, end });
    },
    close: async () => {
      if (!isTaken) await handle.close();
    },
  };
}

/** What is open must be a regular file and lie in the root, whatever was exchanged meanwhile. */
async function check(handle: FileHandle, known: FileFacts): Promise<OpenFile['facts']> {
  const found = await handle.stat({ bigint: true });
  if (!found.isFile()) throw new MediaError('not-found', 'it is no longer a file');
  const now = await readlink(`/proc/self/fd/${handle.fd}`, { encoding: 'buffer' });
  if (!inside(decodePath(known.realRoot), now)) {
    throw new MediaError('forbidden', 'link out of the library');
  }
  const mtimeMs = Number(found.mtimeNs / 1_000n) / 1_000;
  return { sizeBytes: Number(found.size), mtimeMs, inode: String(found.ino) };
}

interface Part {
  readonly handle: FileHandle;
  readonly device: string;
  readonly start: number;
  readonly end: number;
}

function streamOf(guard: Guard, { handle, device, start, end }: Part) {
  const spare: Buffer<ArrayBuffer>[] = [];
  let at = start;
  let sizeBytes = firstChunkBytes;
  const next = async () => {
    const wanted = Math.min(sizeBytes, end - at + 1);
    sizeBytes = chunkBytes;
    if (wanted <= 0) return null;
    const whole = wanted === chunkBytes ? spare.pop() : undefined;
    const buffer = whole ?? Buffer.allocUnsafeSlow(wanted);
    const read = guarded(guard, device, () => handle.read(buffer, 0, wanted, at));
    const { bytesRead } = await read.inTime;
    if (bytesRead === 0) throw new MediaError('unreadable', 'the file became shorter while read');
    at += bytesRead;
    guard.onRead(bytesRead);
    return bytesRead === wanted ? buffer : buffer.subarray(0, bytesRead);
  };
  const stream = new Readable({
    highWaterMark: chunkBytes,
    read() {
      next().then(
        (chunk) => this.push(chunk),
        (error: unknown) => this.destroy(toMediaError(error)),
      );
    },
    destroy(error, callback) {
      // Waits for a read under way, and may so wait for ever; the stream need not.
      handle.close().catch(() => undefined);
      callback(error);
    },
  });
  return Object.assign(stream, {
    recycle(chunk: Uint8Array) {
      const isWhole = chunk.byteLength === chunkBytes && chunk.buffer instanceof ArrayBuffer;
      if (isWhole && spare.length < sparesMax) spare.push(Buffer.from(chunk.buffer));
    },
  });
}

interface Guarded<T> {
  /** Rejects with `unavailable` when the call takes too long. */
  readonly inTime: Promise<T>;
  /** The call itself, however long it takes. */
  readonly whole: Promise<T>;
  readonly isLost: () => boolean;
}

/** One call at a mount: a place there, an eye on the clock. */
function guarded<T>(guard: Guard, device: string, work: () => Promise<T>): Guarded<T> {
  const { gate, limit, lateMs, lostMs } = guard;
  const patience = new AbortController();
  let isLate = false;
  let isLost = false;
  let giveUp: (error: MediaError) => void = () => undefined;
  const lateTimer = setTimeout(() => {
    isLate = true;
    guard.late.set(device, (guard.late.get(device) ?? 0) + 1);
  }, lateMs);
  const lostTimer = setTimeout(() => {
    isLost = true;
    patience.abort(late());
    giveUp(late());
  }, lostMs);
  const whole = (async () => {
    try {
      const entrance = { places: [{ key: device, limit }], isUrgent: true };
      const leave = await gate.enter({ ...entrance, signal: patience.signal });
      try {
        return await work();
      } finally {
        leave();
      }
    } finally {
      clearTimeout(lateTimer);
      clearTimeout(lostTimer);
      if (isLate) forgive(guard, device);
    }
  })();
  const inTime = new Promise<T>((resolve, reject) => {
    giveUp = reject;
    whole.then(resolve, reject);
  });
  return { inTime, whole, isLost: () => isLost };
}

function forgive({ late: counts }: Guard, device: string): void {
  const count = (counts.get(device) ?? 1) - 1;
  if (count === 0) counts.delete(device);
  else counts.set(device, count);
}

function late(): MediaError {
  const error = new MediaError('unavailable', 'the mount does not answer');
  error.retryAfterMs = 15_000;
  return error;
}
