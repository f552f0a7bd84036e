import { crc32 } from 'node:zlib';
import type { Entry, EntryType, HardState, SnapshotMeta } from '../core/types.ts';
import { decodeConfiguration, encodeConfiguration } from '../wire/configuration.ts';

/**
 * The values in LevelDB. Each begins with a CRC-32 (IEEE, node's own: it is native) over its key
 * and the rest, so that a value under a wrong key is found as surely as a flipped bit.
 */

export const keys = {
  hardState: Buffer.from('h'),
  snapshot: Buffer.from('s'),
  commitHint: Buffer.from('c'),
  /** The version of this layout; there from the first write on. */
  version: Buffer.from('v'),
  logStart: Buffer.from('l'),
  logEnd: Buffer.from('m'),
};

const types: readonly EntryType[] = ['command', 'noop', 'barrier', 'configuration'];
const headerSize = 4 + 1 + 1 + 8 + 8;
const withTime = 1;
const withExtensions = 2;

/** A stored entry also names the term before it: a lost overwrite in the middle shows as a break. */
export interface StoredEntry {
  readonly entry: Entry;
  readonly previousTerm: number;
}

export function entryKey(index: number): Buffer {
  const key = Buffer.allocUnsafe(9);
  key[0] = 0x6c;
  writeWhole(key, 1, index);
  return key;
}

export function indexOfKey(key: Uint8Array): number {
  return readWhole(asBuffer(key), 1);
}

export function encodeEntry(key: Uint8Array, entry: Entry, previousTerm: number): Buffer {
  const { extensions, appendedAt } = entry;
  const data = entryData(entry);
  const timeSize = appendedAt === undefined ? 0 : 8;
  const extensionsSize = extensions === undefined ? 0 : 4 + extensions.length;
  const value = Buffer.allocUnsafe(headerSize + timeSize + extensionsSize + data.length);
  value[4] = types.indexOf(entry.type);
  value[5] = (timeSize ? withTime : 0) | (extensionsSize ? withExtensions : 0);
  writeWhole(value, 6, entry.term);
  writeWhole(value, 14, previousTerm);
  let at = headerSize;
  if (appendedAt !== undefined) at = value.writeDoubleBE(appendedAt, at);
  if (extensions !== undefined) {
    at = value.writeUInt32BE(extensions.length, at);
    value.set(extensions, at);
    at += extensions.length;
  }
  value.set(data, at);
  return seal(key, value);
}

/** @throws Error that says in a few words what is wrong with the value */
export function decodeEntry(key: Uint8Array, raw: Uint8Array): StoredEntry {
  const value = open(key, raw, headerSize);
  const type = types[value.readUInt8(4)];
  if (type === undefined) throw new Error(`has the unknown type ${value[4]}`);
  const flags = value.readUInt8(5);
  let at = headerSize;
  let appendedAt: number | undefined;
  let extensions: Uint8Array | undefined;
  if (flags & withTime) {
    appendedAt = value.readDoubleBE(at);
    at += 8;
  }
  if (flags & withExtensions) {
    const size = value.readUInt32BE(at);
    extensions = slice(value, at + 4, at + 4 + size);
    at += 4 + size;
  }
  const data = slice(value, at, value.length);
  const entry: Entry = {
    index: indexOfKey(key),
    term: readWhole(value, 6),
    type,
    data,
    ...(type === 'configuration' && { configuration: decodeConfiguration(data) }),
    ...(extensions && { extensions }),
    ...(appendedAt !== undefined && { appendedAt }),
  };
  return { entry, previousTerm: readWhole(value, 14) };
}

export function encodeHardState({ term, vote }: HardState): Buffer {
  const id = Buffer.from(vote?.id ?? '');
  const address = Buffer.from(vote?.address ?? '');
  const value = Buffer.alloc(4 + 8 + 1 + 4 + id.length + address.length);
  writeWhole(value, 4, term);
  value[12] = vote ? 1 : 0;
  value.writeUInt32BE(id.length, 13);
  value.set(id, 17);
  value.set(address, 17 + id.length);
  return seal(keys.hardState, value);
}

export function decodeHardState(raw: Uint8Array): HardState {
  const value = open(keys.hardState, raw, 17);
  const term = readWhole(value, 4);
  if (value[12] === 0) return { term, vote: undefined };
  const split = 17 + value.readUInt32BE(13);
  return { term, vote: { id: value.toString('utf8', 17, split), address: text(value, split) } };
}

export function encodeSnapshotMeta(meta: SnapshotMeta): Buffer {
  const configuration = encodeConfiguration(meta.configuration);
  const value = Buffer.alloc(28 + configuration.length);
  writeWhole(value, 4, meta.index);
  writeWhole(value, 12, meta.term);
  writeWhole(value, 20, meta.configurationIndex);
  value.set(configuration, 28);
  return seal(keys.snapshot, value);
}

export function decodeSnapshotMeta(raw: Uint8Array): SnapshotMeta {
  const value = open(keys.snapshot, raw, 28);
  return {
    index: readWhole(value, 4),
    term: readWhole(value, 12),
    configurationIndex: readWhole(value, 20),
    configuration: decodeConfiguration(slice(value, 28, value.length)),
  };
}

/** A lone whole number: the commit hint, the version. */
export function encodeNumber(key: Uint8Array, number: number): Buffer {
  const value = Buffer.alloc(12);
  writeWhole(value, 4, number);
  return seal(key, value);
}

export function decodeNumber(key: Uint8Array, raw: Uint8Array): number {
  return readWhole(open(key, raw, 12), 4);
}

/** The core leaves a configuration's data empty; what came over the wire has it already. */
function entryData(entry: Entry): Uint8Array {
  if (entry.type !== 'configuration' || entry.data.length > 0) return entry.data;
  if (!entry.configuration) throw new RangeError(`entry ${entry.index} has no configuration`);
  return encodeConfiguration(entry.configuration);
}

function seal(key: Uint8Array, value: Buffer): Buffer {
  value.writeUInt32BE(crc32(value.subarray(4), crc32(key)), 0);
  return value;
}

function open(key: Uint8Array, raw: Uint8Array, least: number): Buffer {
  const value = asBuffer(raw);
  if (value.length < least)
    throw new Error(`has ${value.length} bytes, at least ${least} expected`);
  const is = crc32(value.subarray(4), crc32(key));
  const said = value.readUInt32BE(0);
  if (is !== said) throw new Error(`has checksum ${hex(is)}, ${hex(said)} was written`);
  return value;
}

const hex = (number: number) => number.toString(16).padStart(8, '0');
const text = (value: Buffer, from: number) => value.toString('utf8', from);
const slice = (value: Buffer, from: number, to: number) =>
  new Uint8Array(value.buffer, value.byteOffset + from, to - from);
const asBuffer = (bytes: Uint8Array) =>
  Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);

function writeWhole(into: Buffer, at: number, value: number): void {
  if (!Number.isSafeInteger(value) || value < 0)
    throw new RangeError(`${value} is no index or term`);
  into.writeUInt32BE(Math.floor(value / 2 ** 32), at);
  into.writeUInt32BE(value % 2 ** 32, at + 4);
}

function readWhole(from: Buffer, at: number): number {
  return from.readUInt32BE(at) * 2 ** 32 + from.readUInt32BE(at + 4);
}
