import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * LevelDB passes over what has rotted in its write-ahead files without a word, and with it the
 * rest of the 32 KiB block: the newest entries and votes would be gone, and nothing behind them to
 * show it. So these files are read before LevelDB opens (and rewrites) them.
 *
 * The end of the last record may be missing: a write that was under way at a crash, promised to
 * nobody. The same is a record with a sector of zeros, which a power failure leaves.
 */
const blockSize = 32_768;
const headerSize = 7;
const sector = 512;

/** What is wrong with the write-ahead files in this folder; undefined: nothing. */
export async function findRot(place: string): Promise<string | undefined> {
  for (const name of (await readdir(place)).filter((one) => /^\d+\.log$/.test(one)).sort()) {
    const at = rotIn(await readIfThere(join(place, name)));
    if (at !== undefined) return `${join(place, name)} has rotted at byte ${at}`;
  }
  return undefined;
}

/** A process that has the folder open may be done with the file by now; the lock will tell. */
async function readIfThere(path: string): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return Buffer.alloc(0);
    throw error;
  }
}

/** The offset of the first record that is not what was written. */
export function rotIn(file: Buffer): number | undefined {
  let at = 0;
  while (at < file.length) {
    const blockEnd = at - (at % blockSize) + blockSize;
    if (blockEnd - at < headerSize) {
      at = blockEnd;
      continue;
    }
    const end = Math.min(blockEnd, file.length);
    if (end - at < headerSize) return undefined;
    const length = file.readUInt16LE(at + 4);
    if (length === 0 && file[at + 6] === 0) {
      // Never written: LevelDB leaves no such place itself, so nothing may follow.
      return isZero(file, at, file.length) ? undefined : at;
    }
    const next = at + headerSize + length;
    if (next > end) return isCutOff(file, at, end) ? undefined : at;
    if (checksum(file, at + 6, next) !== file.readUInt32LE(at)) {
      return isTorn(file, at, next) ? undefined : at;
    }
    at = next;
  }
  return undefined;
}

/** A record that ends behind the file, and not one whose length has rotted. */
function isCutOff(file: Buffer, at: number, end: number): boolean {
  if (end !== file.length) return false;
  const wanted = file.readUInt32LE(at);
  let crc = -1;
  for (let to = at + 6; to < end; to += 1) {
    crc = step(crc, file[to] ?? 0);
    if (mask(~crc >>> 0) === wanted) return false;
  }
  return true;
}

function isTorn(file: Buffer, at: number, next: number): boolean {
  if (!isZero(file, next, file.length)) return false;
  const first = Math.ceil((at + headerSize) / sector) * sector;
  for (let from = first; from < next; from += sector) {
    if (isZero(file, from, Math.min(from + sector, next))) return true;
  }
  return false;
}

function isZero(file: Buffer, from: number, to: number): boolean {
  for (let at = from; at < to; at += 1) if (file[at] !== 0) return false;
  return true;
}

const table = Int32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit += 1) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1;
  return crc;
});

const step = (crc: number, byte: number) => (table[(crc ^ byte) & 255] ?? 0) ^ (crc >>> 8);

/** CRC-32C, which LevelDB turns and shifts. */
function checksum(file: Buffer, from: number, to: number): number {
  let crc = -1;
  for (let at = from; at < to; at += 1) crc = step(crc, file[at] ?? 0);
  return mask(~crc >>> 0);
}

const mask = (crc: number) => (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
