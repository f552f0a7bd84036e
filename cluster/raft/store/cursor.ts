/** A place in LevelDB's own files, and what is read there. */
export interface Cursor {
  readonly bytes: Buffer;
  at: number;
}

export const createCursor = (bytes: Buffer, at = 0): Cursor => ({ bytes, at });

/** A varint. @throws RangeError when it does not end, or is longer than a size can be */
export function readNumber(cursor: Cursor): number {
  let number = 0;
  for (let scale = 1; scale <= 2 ** 49; scale *= 128) {
    const byte = cursor.bytes.readUInt8(cursor.at);
    cursor.at += 1;
    number += (byte & 127) * scale;
    if (byte < 128) return number;
  }
  throw new RangeError('a number has too many bytes');
}

export function skip(cursor: Cursor, bytes: number): void {
  cursor.at += bytes;
}
