import { attempt } from './confine.ts';
import type { Handle } from './disk.ts';

/**
 * Reads up to `size` bytes at `offset` of a file, fewer at its end and never more than 8 MiB,
 * whatever a file says of itself; they hold until the next read.
 */
export type ReadPart = (offset: number, size: number) => Promise<Buffer>;

const windowBytes = 16 * 1024;
const partBytesMax = 8 * 1024 * 1024;

/** Reads an open file by small pieces, most of which are near each other. */
export function partsOf(handle: Pick<Handle, 'read'>): ReadPart {
  const window = Buffer.alloc(windowBytes);
  let [from, to] = [0, 0];
  const fill = (bytes: Buffer, offset: number) => attempt(() => handle.read(bytes, offset));
  return async (offset, size) => {
    if (size > windowBytes) {
      const bytes = Buffer.alloc(Math.min(size, partBytesMax));
      return bytes.subarray(0, await fill(bytes, offset));
    }
    if (offset < from || offset + size > to) {
      from = offset;
      to = offset + (await fill(window, offset));
    }
    return window.subarray(offset - from, Math.max(0, Math.min(offset + size, to) - from));
  };
}
