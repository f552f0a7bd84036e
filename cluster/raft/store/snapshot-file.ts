import { createReadStream } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { crc32 } from 'node:zlib';
import type { SnapshotMeta } from '../core/types.ts';
import { decodeConfiguration, encodeConfiguration } from '../wire/configuration.ts';

/**
 * A snapshot is one file: a header, then the state machine's bytes as they came. Checksums are
 * CRC-32 (IEEE, node's own). The header is written twice: its size is known at the beginning, the
 * size and checksum of what follows only at the end.
 *
 *   0 "RVS1"   4 length of the header   8 checksum of the header from 12 on
 *   12 index   20 term   28 configuration index   36 size   44 checksum of the data
 *   48 configuration
 */
const magic = 'RVS1';
const fixedSize = 48;
const maxHeader = 1 << 20;

export interface SnapshotHeader {
  readonly meta: SnapshotMeta;
  /** Bytes of the state machine, without the header. */
  readonly size: number;
  readonly crc: number;
  readonly headerSize: number;
}

export function encodeHeader(meta: SnapshotMeta, data: { size: number; crc: number }): Buffer {
  const configuration = encodeConfiguration(meta.configuration);
  const header = Buffer.alloc(fixedSize + configuration.length);
  header.write(magic, 0, 'latin1');
  header.writeUInt32BE(header.length, 4);
  const numbers = [meta.index, meta.term, meta.configurationIndex, data.size];
  numbers.forEach((number, at) => header.writeBigUInt64BE(BigInt(number), 12 + 8 * at));
  header.writeUInt32BE(data.crc, 44);
  header.set(configuration, fixedSize);
  header.writeUInt32BE(crc32(header.subarray(12)), 8);
  return header;
}

/** @throws Error that says in a few words what is wrong with the file */
export async function readHeader(path: string): Promise<SnapshotHeader> {
  const file = await open(path, 'r');
  try {
    const header = decodeHeader(await readStart(file));
    const { size } = await file.stat();
    const expected = header.headerSize + header.size;
    if (size !== expected) throw new Error(`has ${size} bytes, ${expected} were written`);
    return header;
  } finally {
    await file.close();
  }
}

async function readStart(file: FileHandle): Promise<Buffer> {
  const fixed = await readExactly(file, fixedSize);
  if (fixed.toString('latin1', 0, 4) !== magic) throw new Error('is no snapshot');
  const length = fixed.readUInt32BE(4);
  if (length < fixedSize || length > maxHeader) throw new Error('has a header that cannot be');
  return readExactly(file, length);
}

async function readExactly(file: FileHandle, length: number): Promise<Buffer> {
  const buffer = Buffer.alloc(length);
  const { bytesRead } = await file.read(buffer, 0, length, 0);
  if (bytesRead < length) throw new Error(`ends at byte ${bytesRead}, within its header`);
  return buffer;
}

function decodeHeader(header: Buffer): SnapshotHeader {
  if (crc32(header.subarray(12)) !== header.readUInt32BE(8)) {
    throw new Error('has a header whose checksum is wrong');
  }
  const number = (at: number) => Number(header.readBigUInt64BE(at));
  const meta: SnapshotMeta = {
    index: number(12),
    term: number(20),
    configurationIndex: number(28),
    configuration: decodeConfiguration(header.subarray(fixedSize)),
  };
  return { meta, size: number(36), crc: header.readUInt32BE(44), headerSize: header.length };
}

/** Reads it all. @throws Error when a byte is not what was written */
export async function checkData(path: string, { headerSize, crc }: SnapshotHeader): Promise<void> {
  if ((await crcOf(path, headerSize)).crc !== crc) {
    throw new Error('has bytes whose checksum is wrong');
  }
}

/** Checksum and number of the bytes from `start` on, at most `size` of them. */
export async function crcOf(path: string, start: number, size = Infinity) {
  let crc = 0;
  let bytes = 0;
  if (size === 0) return { crc, bytes };
  const stream = createReadStream(path, { start, end: start + size - 1, highWaterMark: 1 << 20 });
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    crc = crc32(chunk, crc);
    bytes += chunk.length;
  }
  return { crc, bytes };
}
