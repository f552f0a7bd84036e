import { checksum, initial, masked, step } from './crc32c.ts';

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
/** A record that does not fit the rest of its block is cut into pieces. */
const types = { full: 1, first: 2, last: 4 };

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

/** What was written in such a file, record by record, up to the first that is not all there. */
export function* recordsOf(file: Buffer): Iterable<Buffer> {
  let parts: Buffer[] = [];
  for (let at = 0; at + headerSize <= file.length;) {
    const blockEnd = at - (at % blockSize) + blockSize;
    const next = at + headerSize + file.readUInt16LE(at + 4);
    if (blockEnd - at < headerSize) {
      at = blockEnd;
      continue;
    }
    const isRight = next <= Math.min(blockEnd, file.length);
    if (!isRight || checksum(file, at + 6, next) !== file.readUInt32LE(at)) return;
    const type = file[at + 6];
    if (type === types.full || type === types.first) parts = [];
    parts.push(file.subarray(at + headerSize, next));
    if (type === types.full || type === types.last) yield Buffer.concat(parts);
    at = next;
  }
}

/** A record that ends behind the file, and not one whose length has rotted. */
function isCutOff(file: Buffer, at: number, end: number): boolean {
  if (end !== file.length) return false;
  const wanted = file.readUInt32LE(at);
  let crc = initial;
  for (let to = at + 6; to < end; to += 1) {
    crc = step(crc, file[to] ?? 0);
    if (masked(crc) === wanted) return false;
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
