import { closeSync, openSync, writeSync } from 'node:fs';

/*
 * AVI in parts of up to a gigabyte, as OpenDML has it ("AVI file format extensions", 1.02): ffmpeg
 * begins a second part no sooner than that. The first part gets a gigabyte of nothing, which a
 * file system does not store.
 */

const nothingBytes = 2 ** 30;

interface Chunk {
  readonly kind: string;
  /** Without what its head has of it. */
  readonly bytes: Buffer;
}

function chunksOf(list: Buffer): Chunk[] {
  const chunks: Chunk[] = [];
  for (let at = 0; at + 8 <= list.length;) {
    const size = list.readUInt32LE(at + 4);
    const kind = list.toString('latin1', at, at + 4);
    chunks.push({ kind, bytes: list.subarray(at + 8, at + 8 + size) });
    at += 8 + size + (size % 2);
  }
  return chunks;
}

function chunk({ kind, bytes }: Chunk): Buffer {
  const head = Buffer.alloc(8);
  head.write(kind);
  head.writeUInt32LE(bytes.length, 4);
  return Buffer.concat([head, bytes, Buffer.alloc(bytes.length % 2)]);
}

/** The head of a list of so many bytes. */
function listHead(kind: string, name: string, bytes: number): Buffer {
  const head = Buffer.alloc(12);
  head.write(kind);
  head.writeUInt32LE(bytes + 4, 4);
  head.write(name, 8);
  return head;
}

/** The index of what one stream has in a part, whose chunks begin at `from` of the file. */
function indexOf(stream: string, chunks: readonly Chunk[], from: number): Chunk {
  const head = Buffer.alloc(24);
  head.writeUInt16LE(2);
  head.writeUInt8(1, 3);
  head.writeBigUInt64LE(BigInt(from), 12);
  const entries: Buffer[] = [];
  let at = 0;
  for (const { kind, bytes } of chunks) {
    if (kind.startsWith(stream)) {
      const entry = Buffer.alloc(8);
      entry.writeUInt32LE(at + 8);
      entry.writeUInt32LE(bytes.length, 4);
      entries.push(entry);
      head.write(kind, 8);
    }
    at += 8 + bytes.length + (bytes.length % 2);
  }
  head.writeUInt32LE(entries.length, 4);
  return { kind: `ix${stream}`, bytes: Buffer.concat([head, ...entries]) };
}

/** Fills what ffmpeg keeps free in the head of a stream for the index of its indexes. */
function tellIndexes(free: Buffer, indexes: readonly { at: number; bytes: Buffer }[]): void {
  free.write('indx');
  const body = free.subarray(8).fill(0);
  body.writeUInt16LE(4);
  body.writeUInt32LE(indexes.length, 4);
  for (const [nth, { at, bytes }] of indexes.entries()) {
    bytes.copy(body, 8, 8, 12);
    body.writeBigUInt64LE(BigInt(at), 24 + nth * 16);
    body.writeUInt32LE(bytes.length + 8, 32 + nth * 16);
    body.writeUInt32LE(bytes.readUInt32LE(4), 36 + nth * 16);
  }
}

/** Writes a file of ffmpeg's, of pictures and sound, anew in two parts. */
export function writeInParts(file: Buffer, path: string): void {
  const movi = file.indexOf('movi', 0, 'latin1') - 8;
  const front = Buffer.from(file.subarray(12, movi));
  const chunks = chunksOf(file.subarray(movi + 12, movi + 8 + file.readUInt32LE(movi + 4)));
  const half = Math.floor(chunks.length / 2);
  const told: { at: number; bytes: Buffer }[][] = [[], []];
  /** A part's chunks with their indexes; they begin at `from`. */
  const part = (of: Chunk[], from: number): Buffer => {
    const parts = of.map(chunk);
    let at = from + Buffer.concat(parts).length;
    for (const [nth, stream] of ['00', '01'].entries()) {
      const index = indexOf(stream, of, from);
      told[nth]!.push({ at, bytes: index.bytes });
      parts.push(chunk(index));
      at += 8 + index.bytes.length;
    }
    return Buffer.concat(parts);
  };
  const begin = 12 + front.length + 12;
  const first = part(chunks.slice(0, half), begin);
  const nothing = listHead('JUNK', '', nothingBytes - 4);
  const firstBytes = first.length + 8 + nothingBytes;
  const second = begin + firstBytes;
  const last = part(chunks.slice(half), second + 24);
  let free = -1;
  for (const indexes of told) {
    free = front.indexOf(Buffer.from('JUNK\x18\x10\0\0', 'latin1'), free + 1);
    tellIndexes(front.subarray(free, free + 8 + 4_120), indexes);
  }
  // The whole number of pictures is told beside the first part's.
  front.write('LIST', front.indexOf('odmldmlh', 0, 'latin1') - 8);
  const descriptor = openSync(path, 'w');
  const heads = [listHead('RIFF', 'AVI ', second - 12), front];
  const lists = [listHead('LIST', 'movi', firstBytes), first, nothing];
  writeSync(descriptor, Buffer.concat([...heads, ...lists]));
  const next = [listHead('RIFF', 'AVIX', last.length + 12), listHead('LIST', 'movi', last.length)];
  const rest = Buffer.concat([...next, last]);
  writeSync(descriptor, rest, 0, rest.length, second);
  closeSync(descriptor);
}
