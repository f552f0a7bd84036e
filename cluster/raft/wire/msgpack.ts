/**
 * The dialect of MessagePack that hashicorp/raft speaks. Written: the old raw family only, signed
 * forms for Go's `int` (go-msgpack 2) or unsigned ones (0.5.5). Read: what Go's decoder reads.
 *
 * The read functions trust that a whole value lies before them; `scan` is what makes sure of it.
 */

/** The bytes are not what the protocol allows; the connection they came from ends. */
export class WireError extends Error {
  override readonly name = 'WireError';
}

/** nil and empty are two things on this wire. */
export type Raw = Uint8Array | null;
/** A bigint only beyond 2^53 - 1 (or below its negative). */
export type Int = number | bigint;

export interface Limits {
  /** The longest value; a longer one is refused as soon as its header says so. */
  readonly maxFrameBytes: number;
  /** The most elements of one array or map. */
  readonly maxItems: number;
  readonly maxDepth: number;
}

export const DEFAULT_LIMITS: Limits = {
  maxFrameBytes: 64 * 1024 * 1024,
  maxItems: 65_536,
  maxDepth: 16,
};

const TWO_32 = 0x1_0000_0000;

// Scanning ----------------------------------------------------------------------------------------

/** How far the search for the end of a value has come; feeding more bytes goes on from here. */
export interface Scan {
  /** Behind the last element whose header was read; beyond the bytes at hand while they arrive. */
  at: number;
  depth: number;
  /** Elements still to come, per open container. */
  readonly left: number[];
}

export const startScan = (): Scan => ({ at: 0, depth: 1, left: [1] });

export function resetScan(scan: Scan): void {
  scan.at = 0;
  scan.depth = 1;
  scan.left[0] = 1;
}

/**
 * Whether `buf[0, end)` begins with a whole value; `scan.at` is then its length. False: more is needed.
 * @throws WireError for what no more bytes can mend.
 */
export function scanValue(scan: Scan, buf: Uint8Array, limits: Limits): boolean {
  const end = buf.length;
  const left = scan.left;
  for (;;) {
    while (scan.depth > 0 && left[scan.depth - 1] === 0) scan.depth--;
    if (scan.depth === 0) return scan.at <= end;
    if (scan.at >= end) return false;
    const tag = buf[scan.at]!;
    let size = 1;
    let items = 0;
    if (tag < 0x80 || tag >= 0xe0) {
      // a whole number in one byte
    } else if (tag < 0x90) items = (tag & 0x0f) * 2;
    else if (tag < 0xa0) items = tag & 0x0f;
    else if (tag < 0xc0) size += tag & 0x1f;
    else {
      const bytes = LENGTH_BYTES[tag - 0xc0]!;
      if (bytes === INVALID) throw new WireError('the byte c1 begins no value');
      if (scan.at + 1 + bytes > end) return false;
      const length = bytes === 0 ? 0 : lengthAt(buf, scan.at + 1, bytes);
      size += bytes;
      if (tag >= 0xdc) items = tag >= 0xde ? length * 2 : length;
      else size += length + FIXED_BYTES[tag - 0xc0]!;
    }
    advance(scan, { size, items, isMap: tag < 0x90 || tag >= 0xde }, limits);
  }
}

interface Element {
  readonly size: number;
  readonly items: number;
  readonly isMap: boolean;
}

function advance(scan: Scan, element: Element, limits: Limits): void {
  const { size, items } = element;
  scan.left[scan.depth - 1]!--;
  scan.at += size;
  if (scan.at + items > limits.maxFrameBytes) {
    throw new WireError(`a value is longer than ${limits.maxFrameBytes} bytes`);
  }
  if (items === 0) return;
  if (items > (element.isMap ? limits.maxItems * 2 : limits.maxItems)) {
    throw new WireError(`a container holds more than ${limits.maxItems} elements`);
  }
  // The value itself is level 0.
  if (scan.depth > limits.maxDepth) {
    throw new WireError(`containers are nested deeper than ${limits.maxDepth}`);
  }
  scan.left[scan.depth++] = items;
}

const INVALID = 9;
/** Per tag from c0: how many bytes give its length. */
const LENGTH_BYTES = [
  ...[0, INVALID, 0, 0, 1, 2, 4, 1, 2, 4, 0, 0, 0, 0, 0, 0],
  ...[0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 4, 2, 4, 2, 4],
];
/** Per tag from c0: bytes of content beside the given length (ext forms have a type byte). */
const FIXED_BYTES = [
  ...[0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 4, 8, 1, 2, 4, 8],
  ...[1, 2, 4, 8, 2, 3, 5, 9, 17, 0, 0, 0, 0, 0, 0, 0],
];

function lengthAt(buf: Uint8Array, at: number, bytes: number): number {
  let value = 0;
  for (let i = 0; i < bytes; i++) value = value * 256 + buf[at + i]!;
  return value;
}

// Reading -----------------------------------------------------------------------------------------

export interface Cursor {
  readonly buf: Uint8Array;
  at: number;
}

/** A cursor on bytes of any origin. @throws WireError unless they begin with a whole value. */
export function openValue(bytes: Uint8Array, limits: Limits = DEFAULT_LIMITS): Cursor {
  if (!scanValue(startScan(), bytes, limits)) throw new WireError('a value is cut short');
  return { buf: bytes, at: 0 };
}

const unexpected = (wanted: string, tag: number) =>
  new WireError(`${wanted} expected, found the byte ${tag.toString(16).padStart(2, '0')}`);

/** Any whole number; nil is 0, as Go leaves a field alone then. */
export function readInt(c: Cursor): Int {
  const tag = c.buf[c.at++]!;
  if (tag < 0x80) return tag;
  if (tag >= 0xe0) return tag - 0x100;
  switch (tag) {
    case 0xc0:
      return 0;
    case 0xcc:
      return c.buf[c.at++]!;
    case 0xcd:
      return take(c, 2);
    case 0xce:
      return take(c, 4);
    case 0xcf:
      return join(take(c, 4), take(c, 4));
    case 0xd0:
      return (take(c, 1) << 24) >> 24;
    case 0xd1:
      return (take(c, 2) << 16) >> 16;
    case 0xd2:
      return take(c, 4) | 0;
    case 0xd3:
      return join(take(c, 4) | 0, take(c, 4));
    default:
      throw unexpected('a number', tag);
  }
}

export function readUint(c: Cursor): Int {
  const value = readInt(c);
  if (value < 0) throw new WireError('a number is negative where none may be');
  return value;
}

function take(c: Cursor, bytes: number): number {
  const value = lengthAt(c.buf, c.at, bytes);
  c.at += bytes;
  return value;
}

function join(high: number, low: number): Int {
  const value = high * TWO_32 + low;
  return Number.isSafeInteger(value) ? value : BigInt(high) * BigInt(TWO_32) + BigInt(low);
}

export function readBool(c: Cursor): boolean {
  const tag = c.buf[c.at++]!;
  if (tag === 0xc3 || tag === 1) return true;
  if (tag === 0xc2 || tag === 0 || tag === 0xc0) return false;
  throw unexpected('true or false', tag);
}

/** Bytes or text of any family; a slice of what was read, not a copy. */
export function readRaw(c: Cursor): Raw {
  const tag = c.buf[c.at]!;
  if (tag === 0xc0) {
    c.at++;
    return null;
  }
  const length = rawLength(c);
  if (length < 0) throw unexpected('bytes', tag);
  return slice(c, length);
}

/** A time is bytes, or the timestamp extension (-1), whose content is the same. */
export function readTime(c: Cursor): Raw {
  const tag = c.buf[c.at]!;
  if (tag < 0xc7 || tag === 0xd9 || tag === 0xda || tag === 0xdb) return readRaw(c);
  const length = extLength(c);
  if (length < 0) throw unexpected('a time', tag);
  if (c.buf[c.at++] !== 0xff) throw new WireError('an extension is not a time');
  return slice(c, length);
}

function slice(c: Cursor, length: number): Uint8Array {
  const from = c.at;
  c.at += length;
  return c.buf.subarray(from, c.at);
}

/** Steps over the header of raw, str or bin and says how long the content is; -1: it is none. */
export function rawLength(c: Cursor): number {
  const tag = c.buf[c.at]!;
  if (tag >= 0xa0 && tag < 0xc0) {
    c.at++;
    return tag & 0x1f;
  }
  const isRaw = (tag >= 0xc4 && tag <= 0xc6) || (tag >= 0xd9 && tag <= 0xdb);
  if (!isRaw) return -1;
  c.at++;
  return take(c, LENGTH_BYTES[tag - 0xc0]!);
}

function extLength(c: Cursor): number {
  const tag = c.buf[c.at]!;
  if (tag >= 0xc7 && tag <= 0xc9) {
    c.at++;
    return take(c, LENGTH_BYTES[tag - 0xc0]!);
  }
  if (tag < 0xd4 || tag > 0xd8) return -1;
  c.at++;
  return FIXED_BYTES[tag - 0xc0]! - 1;
}

/** The number of pairs; -1 for nil. */
export function readMapHeader(c: Cursor): number {
  const tag = c.buf[c.at++]!;
  if (tag >= 0x80 && tag < 0x90) return tag & 0x0f;
  if (tag === 0xde) return take(c, 2);
  if (tag === 0xdf) return take(c, 4);
  if (tag === 0xc0) return -1;
  throw unexpected('a map', tag);
}

/** The number of elements; -1 for nil. */
export function readArrayHeader(c: Cursor): number {
  const tag = c.buf[c.at++]!;
  if (tag >= 0x90 && tag < 0xa0) return tag & 0x0f;
  if (tag === 0xdc) return take(c, 2);
  if (tag === 0xdd) return take(c, 4);
  if (tag === 0xc0) return -1;
  throw unexpected('an array', tag);
}

export function skipValue(c: Cursor): void {
  for (let left = 1; left > 0; left--) {
    const tag = c.buf[c.at++]!;
    if (tag < 0x80 || tag >= 0xe0) continue;
    if (tag < 0x90) left += (tag & 0x0f) * 2;
    else if (tag < 0xa0) left += tag & 0x0f;
    else if (tag < 0xc0) c.at += tag & 0x1f;
    else {
      const bytes = LENGTH_BYTES[tag - 0xc0]!;
      const length = take(c, bytes);
      if (tag >= 0xdc) left += tag >= 0xde ? length * 2 : length;
      else c.at += length + FIXED_BYTES[tag - 0xc0]!;
    }
  }
}

// Writing -----------------------------------------------------------------------------------------

export interface Writer {
  buf: Buffer;
  at: number;
}

export const createWriter = (bytes = 512): Writer => ({ buf: Buffer.allocUnsafe(bytes), at: 0 });

export const written = (w: Writer): Buffer => w.buf.subarray(0, w.at);

export function ensure(w: Writer, bytes: number): void {
  if (w.at + bytes <= w.buf.length) return;
  const larger = Buffer.allocUnsafe(Math.max(w.buf.length * 2, w.at + bytes));
  larger.set(w.buf.subarray(0, w.at));
  w.buf = larger;
}

export function writeBytes(w: Writer, bytes: Uint8Array): void {
  ensure(w, bytes.length);
  w.buf.set(bytes, w.at);
  w.at += bytes.length;
}

export function writeByte(w: Writer, byte: number): void {
  ensure(w, 1);
  w.buf[w.at++] = byte;
}

export const writeNil = (w: Writer): void => writeByte(w, 0xc0);

export const writeBool = (w: Writer, value: boolean): void => writeByte(w, value ? 0xc3 : 0xc2);

/** Go's uint64 and uint8, and `int` as go-msgpack 0.5.5 writes it. */
export function writeUint(w: Writer, value: Int): void {
  ensure(w, 9);
  if (value < 0) return writeNegative(w, value);
  if (value < 0x80) w.buf[w.at++] = Number(value);
  else if (value <= 0xff) put(w, 0xcc, [Number(value), 1]);
  else if (value <= 0xffff) put(w, 0xcd, [Number(value), 2]);
  else if (value < TWO_32) put(w, 0xce, [Number(value), 4]);
  else put64(w, 0xcf, value);
}

/** Go's int and int64 as go-msgpack 2 writes them: signed forms above 127. */
export function writeInt(w: Writer, value: Int): void {
  ensure(w, 9);
  if (value < 0) return writeNegative(w, value);
  if (value < 0x80) w.buf[w.at++] = Number(value);
  else if (value <= 0x7fff) put(w, 0xd1, [Number(value), 2]);
  else if (value <= 0x7fff_ffff) put(w, 0xd2, [Number(value), 4]);
  else put64(w, 0xd3, value);
}

function writeNegative(w: Writer, value: Int): void {
  if (value >= -32) w.buf[w.at++] = Number(value) + 0x100;
  else if (value >= -0x80) put(w, 0xd0, [Number(value) + 0x100, 1]);
  else if (value >= -0x8000) put(w, 0xd1, [Number(value) + 0x1_0000, 2]);
  else if (value >= -0x8000_0000) put(w, 0xd2, [Number(value) + TWO_32, 4]);
  else put64(w, 0xd3, value);
}

function put(w: Writer, tag: number, [value, bytes]: readonly [number, number]): void {
  w.buf[w.at++] = tag;
  w.at = w.buf.writeUIntBE(value, w.at, bytes);
}

function put64(w: Writer, tag: number, value: Int): void {
  w.buf[w.at++] = tag;
  w.at = w.buf.writeBigUInt64BE(BigInt.asUintN(64, BigInt(value)), w.at);
}

export function writeRaw(w: Writer, value: Raw): void {
  if (value === null) return writeNil(w);
  writeRawHeader(w, value.length);
  writeBytes(w, value);
}

function writeRawHeader(w: Writer, length: number): void {
  ensure(w, 5);
  if (length < 32) w.buf[w.at++] = 0xa0 | length;
  else if (length <= 0xffff) put(w, 0xda, [length, 2]);
  else put(w, 0xdb, [length, 4]);
}

export function writeText(w: Writer, text: string): void {
  writeRaw(w, Buffer.from(text));
}

export function writeArrayHeader(w: Writer, count: number): void {
  ensure(w, 5);
  if (count < 16) w.buf[w.at++] = 0x90 | count;
  else if (count <= 0xffff) put(w, 0xdc, [count, 2]);
  else put(w, 0xdd, [count, 4]);
}

export function writeMapHeader(w: Writer, count: number): void {
  ensure(w, 5);
  if (count < 16) w.buf[w.at++] = 0x80 | count;
  else if (count <= 0xffff) put(w, 0xde, [count, 2]);
  else put(w, 0xdf, [count, 4]);
}
