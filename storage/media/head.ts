import { readSync } from 'node:fs';
import mediaInfoFactory, { type MediaInfo, type MediaInfoResult } from 'mediainfo.js';
import { tellOnce } from './left-open.ts';
import type { Probe } from './media.ts';
import { readMediaInfo } from './mediainfo-probe.ts';
import { endOfBlock, findPayload, type Payload, type Range, type ReadAt } from './payload.ts';
import type { Turns } from './turns.ts';
import { limitWasmMemory } from './wasm-memory.ts';

// The library has some 30 MB, and needs as much as a file's head has besides.
limitWasmMemory(256 * 1024 * 1024);

const startLibrary = () => mediaInfoFactory({ format: 'JSON' });
let library = startLibrary();

/** Given to the library at once: it copies all it is given. */
const chunkBytes = 64 * 1024;
/**
 * How much of pictures and sound is read, at first and where that leaves something open. Left to
 * itself the library reads 512 pictures: 35 MB and 110 ms of a film of 10 Mbit/s. A transport
 * stream has no head, so that more of it is read at first. Some sound takes a third of a second.
 */
const payloadBytes = [128 * 1024, 1024 * 1024, 4 * 1024 * 1024];
const packetsBytes = [1024 * 1024, 4 * 1024 * 1024];
/** What stands around them is some hundred kilobytes, in long MP4 files some megabytes. */
const bytesMax = 32 * 1024 * 1024;
/** A hostile file leads the library to and fro, a few bytes each time. */
const readsMax = 2_048;

const chunk = Buffer.alloc(chunkBytes);

/** A file to read the head of. */
export interface OpenMedia {
  readonly fd: number;
  readonly sizeBytes: number;
  readonly turns: Pick<Turns, 'turn'>;
}

/**
 * What an open media file holds, read by MediaInfoLib, compiled to WebAssembly; undefined where
 * that is not wholly certain, and where the library fails: ask ffprobe then. Keeps its thread busy.
 */
export async function readHead(file: OpenMedia): Promise<Probe | undefined> {
  file.turns.turn();
  try {
    return readHeadBy(await library, file);
  } catch (error) {
    // Whatever a file has done to the library's memory, the next file is told nothing by it.
    library = startLibrary();
    tellOnce(String(error));
    return undefined;
  } finally {
    file.turns.turn();
  }
}

function readHeadBy(given: MediaInfo<'JSON'>, file: OpenMedia): Probe | undefined {
  const { sizeBytes } = file;
  const read = readerOf(file);
  const payload = findPayload(read, sizeBytes);
  if (payload === undefined) return undefined;
  const tries = payload.unit === 'packet' ? packetsBytes : payloadBytes;
  for (const bytes of tries) {
    const { report, isWhole } = ask(given, { ...file, read, payload, bytes });
    const isBrief = !isWhole && bytes !== tries.at(-1);
    const probe = report && readMediaInfo(report, { sizeBytes, isBrief });
    if (probe !== undefined || isWhole) return probe;
  }
  return undefined;
}

/** Who waits for the disk does not compute. */
function readAt({ fd, turns }: OpenMedia, buffer: Buffer, place: Place): number {
  turns.turn();
  try {
    return readSync(fd, buffer, 0, place.size, place.from);
  } finally {
    turns.turn();
  }
}

interface Place {
  readonly from: number;
  readonly size: number;
}

const windowBytes = 4_096;

/** Reads a file by small pieces, most of which are near each other. */
function readerOf(file: OpenMedia): ReadAt {
  const window = Buffer.alloc(windowBytes);
  let [from, to] = [0, 0];
  return (offset, size) => {
    if (size > windowBytes) {
      const bytes = Buffer.alloc(size);
      return bytes.subarray(0, readAt(file, bytes, { from: offset, size }));
    }
    if (offset < from || offset + size > to) {
      from = offset;
      to = offset + readAt(file, window, { from: offset, size: windowBytes });
    }
    return window.subarray(offset - from, Math.min(offset + size, to) - from);
  };
}

interface Wish extends OpenMedia {
  readonly read: ReadAt;
  readonly payload: Payload;
  /** Bytes of the payload that may be read. */
  readonly bytes: number;
}

interface Said {
  /** Undefined where the file's head is larger than it may be. */
  readonly report: MediaInfoResult | undefined;
  /** False where more of the file might tell more. */
  readonly isWhole: boolean;
}

/** Lets the library read a file wherever it wants to, within what a guide allows. */
function ask(library: MediaInfo<'JSON'>, wish: Wish): Said {
  const { sizeBytes } = wish;
  const guide = guideThrough(wish);
  // Of a file that it is given whole it reads too little.
  const size = Math.min(chunkBytes, Math.ceil(sizeBytes / 2));
  let [leftOfAll, leftReads] = [bytesMax, readsMax];
  library.reset();
  library.openBufferInit(sizeBytes, 0);
  for (let [at, asked] = [0, -1]; at < sizeBytes;) {
    const part = guide.next(at);
    if (part === undefined) break;
    if (part.from !== at) library.openBufferInit(positionOnly, part.from);
    at = part.from;
    const bytesRead = readAt(wish, chunk, { from: at, size: Math.min(size, part.to - at) });
    if (bytesRead === 0) break;
    leftOfAll -= bytesRead;
    leftReads -= 1;
    if (leftOfAll < 0 || leftReads < 0) return { report: undefined, isWhole: true };
    const isDone = library.openBufferContinue(chunk.subarray(0, bytesRead), bytesRead);
    const wanted = library.openBufferContinueGotoGet();
    if (wanted === -1 && isDone) break;
    guide.read(at, bytesRead);
    at += bytesRead;
    if (wanted === -1) asked = -1;
    else {
      if (wanted === asked || wanted >= sizeBytes) break;
      [at, asked] = [wanted, wanted];
      guide.left();
      library.openBufferInit(isDone ? sizeBytes : positionOnly, at);
    }
  }
  library.openBufferFinalize();
  const report = JSON.parse(library.inform(), revive) as MediaInfoResult;
  return { report, isWhole: guide.isWhole() };
}

interface Guide {
  /** What to read for who is at `at`: there, or somewhere else; undefined: nothing any more. */
  next(at: number): Range | undefined;
  read(at: number, bytes: number): void;
  /** The library went where it wanted. */
  left(): void;
  /** False once something was passed over. */
  isWhole(): boolean;
}

/** Leads on to what stands behind the payload when there was enough of that. */
function guideThrough({ payload, bytes, sizeBytes, read }: Wish): Guide {
  const behind = payload.behind.values();
  const isPayload = (at: number) =>
    isWithin(payload, at) && !payload.behind.some((range) => isWithin(range, at));
  const isOfBlocks = payload.unit === 'block';
  const stop = isOfBlocks ? endOfBlock(read, payload, bytes) : Infinity;
  let left = isOfBlocks ? Infinity : bytes;
  let [end, isWhole] = [sizeBytes, true];
  return {
    next(at) {
      const isEnough = isPayload(at) && (left <= 0 || at >= stop);
      if (isEnough) isWhole = false;
      else if (at < end) return { from: at, to: isPayload(at) ? Math.min(end, stop) : end };
      const next = behind.next().value;
      if (next !== undefined) end = next.to;
      return next;
    },
    read: (at, size) => void (isPayload(at) && (left -= size)),
    left: () => void (end = sizeBytes),
    isWhole: () => isWhole,
  };
}

/** Its numbers come as text. */
const numbers = new Set(
  'Duration BitRate Width Height FrameRate BitDepth Channels SamplingRate OtherCount'.split(' '),
);

const revive = (name: string, value: unknown): unknown =>
  typeof value === 'string' && numbers.has(name) ? parseFloat(value) : value;

/** In place of a file's size: keep what is known, only the place is another one. */
const positionOnly = -1;

const isWithin = (range: Range, at: number): boolean => at >= range.from && at < range.to;
