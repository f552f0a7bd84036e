import type { Tx } from './connect.ts';
import { copyIn, type CopyTarget } from './copy.ts';

const pieceBytes = 64 * 1024;
const signature = Buffer.from('PGCOPY\n\xff\r\n\0', 'latin1');

/** A UUID as PostgreSQL sends and receives it: sixteen bytes. */
export const uuidBytes = (id: string): Uint8Array => Buffer.from(id.replaceAll('-', ''), 'hex');

/**
 * Adds one row, of values as PostgreSQL receives them in binary, one for each column. They go piece
 * by piece and as they are (PostgreSQL manual, COPY, binary format): of a parameter of many bytes
 * the driver makes six times as many at once. Throws what PostgreSQL has against the row.
 */
export async function copyRow(
  tx: Tx,
  target: CopyTarget,
  values: readonly Uint8Array[],
): Promise<void> {
  const rows = await copyIn(tx, target, 'binary');
  await rows.write(Buffer.concat([signature, int32(0), int32(0), int16(values.length)]));
  for (const value of values) {
    await rows.write(int32(value.length));
    for (let at = 0; at < value.length; at += pieceBytes) {
      await rows.write(value.subarray(at, at + pieceBytes));
    }
  }
  await rows.write(int16(-1));
  await rows.end();
}

function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
}

function int16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeInt16BE(value);
  return bytes;
}
