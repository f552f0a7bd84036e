/**
 * LevelDB's sorted tables, read before LevelDB opens them: it checks none of their checksums on its
 * own, and a table that has rotted in the wrong place ends the process with a failed assertion
 * instead of an error (LevelDB's doc/table_format.md).
 *
 * A table is blocks, each with a byte for its compression and a CRC-32C behind it. The footer says
 * where two indices are: that of the filter, which tells what is not there, and that of the data.
 */
import { checksum } from './crc32c.ts';
import { createCursor, readNumber, skip, type Cursor } from './cursor.ts';

const footerSize = 48;
const trailerSize = 5;
const magic = 0xdb47_7524_8b80_fb57n;

interface Block {
  readonly offset: number;
  readonly size: number;
}

/** The offset of the first place that is not what was written; undefined: all of it is. */
export function rotInTable(file: Buffer): number | undefined {
  const footer = file.length - footerSize;
  if (footer < 0 || file.readBigUInt64LE(file.length - 8) !== magic) return Math.max(footer, 0);
  try {
    const cursor = createCursor(file, footer);
    for (const index of [readBlock(cursor), readBlock(cursor)]) {
      if (!isWhole(file, index, footer)) return index.offset;
      const rotten = blocksOf(file, index).find((block) => !isWhole(file, block, footer));
      if (rotten) return rotten.offset;
    }
    return undefined;
  } catch (error) {
    // The footer has no numbers; those of the index, whose checksum is right, are.
    if (error instanceof RangeError) return footer;
    throw error;
  }
}

function isWhole(file: Buffer, { offset, size }: Block, end: number): boolean {
  const trailer = offset + size;
  if (trailer + trailerSize > end) return false;
  return checksum(file, offset, trailer + 1) === file.readUInt32LE(trailer + 1);
}

/** Each entry of the index is a key, of which nothing is wanted here, and the place of a block. */
function blocksOf(file: Buffer, { offset, size }: Block): Block[] {
  const end = offset + size;
  const restarts = file.readUInt32LE(end - 4);
  const blocks: Block[] = [];
  const cursor = createCursor(file, offset);
  while (cursor.at < end - 4 * (restarts + 1)) {
    readNumber(cursor); // what the key shares with the one before
    const ownKey = readNumber(cursor);
    const valueSize = readNumber(cursor);
    skip(cursor, ownKey);
    blocks.push(readBlock(createCursor(file, cursor.at)));
    skip(cursor, valueSize);
  }
  return blocks;
}

function readBlock(cursor: Cursor): Block {
  return { offset: readNumber(cursor), size: readNumber(cursor) };
}
