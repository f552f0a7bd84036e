import { childrenOf, elementAt, elementHeadBytes, unsigned, type Element } from './ebml.ts';

/** Reads up to `size` bytes at `offset` of a file, fewer at its end; they hold until the next read. */
export type ReadAt = (offset: number, size: number) => Buffer;

/** Bytes `from` up to, and without, `to`. */
export interface Range {
  readonly from: number;
  readonly to: number;
}

/** Where a file keeps its pictures and sound. */
export interface Payload extends Range {
  /** Parts of what describes them that stand behind them, in the order of the file. */
  readonly behind: readonly Range[];
  /** What it is made of, where that matters: blocks may only be left at their ends. */
  readonly unit: 'block' | 'packet' | undefined;
}

/**
 * Where the pictures and sound of a file are, of which a look at its head needs only the beginning:
 * Matroska's clusters, MP4's `mdat`, AVI's `movi`, all of a transport stream but its end. Nowhere,
 * where that is not certain; undefined for another container.
 */
export function findPayload(read: ReadAt, sizeBytes: number): Payload | undefined {
  const head = read(0, discPacketBytes + packetBytes);
  if (head.length <= packetBytes) return undefined;
  const nowhere = { from: sizeBytes, to: sizeBytes, behind: [], unit: undefined };
  if (head.readUInt32BE(0) === ebml) return inMatroska(read, sizeBytes) ?? nowhere;
  if (head.toString('latin1', 4, 8) === 'ftyp') return inMp4(read, sizeBytes) ?? nowhere;
  if (isAvi(head)) return inAvi(read, sizeBytes);
  const bytes = [packetBytes, discPacketBytes].find((bytes) => {
    const first = bytes - packetBytes;
    return head[first] === packetSync && head[first + bytes] === packetSync;
  });
  return bytes === undefined ? undefined : inTransport(sizeBytes, bytes);
}

/** Parts looked at before it is given up: what describes a film has a dozen. */
const partsMax = 200;

const packetBytes = 188;
/** On discs (BDAV) and in cameras (AVCHD) the time of its arrival stands before each. */
const discPacketBytes = 192;
const packetSync = 0x47;
/** The times of the last packets are what a transport stream's length is told by. */
const tailPackets = 2_500;

function inTransport(sizeBytes: number, bytes: number): Payload {
  const to = Math.max(0, Math.floor(sizeBytes / bytes) - tailPackets) * bytes;
  return { from: 0, to, behind: [{ from: to, to: sizeBytes }], unit: 'packet' };
}

function inMp4(read: ReadAt, sizeBytes: number): Payload | undefined {
  for (let at = 0, nth = 0; at < sizeBytes && nth < partsMax; nth += 1) {
    const head = read(at, 16);
    if (head.length < 16) return undefined;
    const [short, kind] = [head.readUInt32BE(0), head.toString('latin1', 4, 8)];
    const size = short === 1 ? Number(head.readBigUInt64BE(8)) : short || sizeBytes - at;
    // In fragments, what describes the pictures is spread among them.
    if (size < 8 || kind === 'moof') return undefined;
    if (kind === 'mdat')
      return { from: at + (short === 1 ? 16 : 8), to: at + size, behind: [], unit: undefined };
    at += size;
  }
  return undefined;
}

const isAvi = (head: Buffer): boolean =>
  head.toString('latin1', 0, 4) === 'RIFF' && head.toString('latin1', 8, 12) === 'AVI ';

/**
 * What is larger than a gigabyte comes in parts, of which the first one's head describes all; where
 * a muxer counted the first part alone, MediaInfo counts by the index, and ffprobe is mistaken.
 */
function inAvi(read: ReadAt, sizeBytes: number): Payload | undefined {
  for (let at = 12, nth = 0; at < sizeBytes && nth < partsMax; nth += 1) {
    const head = read(at, 12);
    if (head.length < 12) return undefined;
    const size = head.readUInt32LE(4);
    const kind = head.toString('latin1', 0, 4) + head.toString('latin1', 8, 12);
    if (kind === 'LISTmovi')
      return { from: at + 12, to: at + 8 + size, behind: [], unit: undefined };
    at += 8 + size + (size % 2);
  }
  return undefined;
}

// Matroska's elements (RFC 9559).
const ebml = 0x1a45dfa3;
const segment = 0x18538067;
const cluster = 0x1f43b675;
const seekHead = 0x114d9b74;
const seek = 0x4dbb;
const seekId = 0x53ab;
const seekPosition = 0x53ac;
/** Information, tracks, tags, chapters, attachments. */
const describing = new Set([0x1549a966, 0x1654ae6b, 0x1254c367, 0x1043a770, 0x1941a469]);
const seekHeadBytesMax = 16_384;

function inMatroska(read: ReadAt, sizeBytes: number): Payload | undefined {
  const first = elementAt(read(0, elementHeadBytes), 0);
  const whole = first && readElement(read, first.to);
  if (whole?.id !== segment) return undefined;
  let places: number[] = [];
  for (let at = whole.from, nth = 0; at < sizeBytes && nth < partsMax; nth += 1) {
    const element = readElement(read, at);
    if (element === undefined) return undefined;
    if (element.id === cluster) {
      const behind = rangesAt(read, places.filter((place) => place > at).sort(byNumber));
      return behind && { from: at, to: sizeBytes, behind, unit: 'block' };
    }
    if (element.id === seekHead) {
      const size = element.to - element.from;
      if (size > seekHeadBytesMax) return undefined;
      const found = placesIn(read(element.from, size));
      if (found === undefined) return undefined;
      places = [...places, ...found.map((place) => whole.from + place)];
    }
    at = element.to;
  }
  return undefined;
}

/** Where the block ends that is `bytes` into Matroska's pictures; the file's end, if none does. */
export function endOfBlock(read: ReadAt, { from, to }: Range, bytes: number): number {
  let at = from;
  while (at < from + bytes && at < to) {
    const element = readElement(read, at);
    if (element === undefined) return to;
    at = element.id === cluster ? element.from : element.to;
  }
  return Math.min(at, to);
}

const byNumber = (a: number, b: number): number => a - b;

function rangesAt(read: ReadAt, places: readonly number[]): Range[] | undefined {
  const ranges: Range[] = [];
  for (const from of new Set(places)) {
    const element = readElement(read, from);
    if (element === undefined || !describing.has(element.id)) return undefined;
    ranges.push({ from, to: element.to });
  }
  return ranges;
}

/** Where what describes the pictures is, from the segment's beginning. */
function placesIn(list: Buffer): number[] | undefined {
  const places: number[] = [];
  for (const entry of childrenOf(list)) {
    if (entry.id !== seek) continue;
    const facts = new Map<number, number>();
    for (const { id, from, to } of childrenOf(list.subarray(entry.from, entry.to))) {
      facts.set(id, unsigned(list.subarray(entry.from + from, entry.from + to)));
    }
    const [what, where] = [facts.get(seekId) ?? 0, facts.get(seekPosition)];
    if (what === seekHead) return undefined; // a second list, which may name more
    if (describing.has(what) && where !== undefined) places.push(where);
  }
  return places;
}

const readElement = (read: ReadAt, at: number): Element | undefined =>
  Number.isSafeInteger(at) ? elementAt(read(at, elementHeadBytes), at) : undefined;
