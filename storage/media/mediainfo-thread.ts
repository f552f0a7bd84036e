import { read } from 'node:fs';
import { constants, setPriority } from 'node:os';
import { promisify } from 'node:util';
import mediaInfoFactory, { type MediaInfoResult } from 'mediainfo.js';

/**
 * A thread that reads the heads of media files by MediaInfoLib, compiled to WebAssembly. It may be
 * ended at any moment: a file that makes the library turn in circles costs a thread.
 */
const readAt = promisify(read);

// On Linux this is the thread's own: whoever browses goes before a scan.
setPriority(constants.priority.PRIORITY_BELOW_NORMAL);

const library = mediaInfoFactory({ format: 'object' });

/** What the library says about an open file of `sizeBytes`. */
export default async function report(file: {
  readonly fd: number;
  readonly sizeBytes: number;
  readonly bytesMax: number;
}): Promise<MediaInfoResult> {
  let left = file.bytesMax;
  return (await library).analyzeData(file.sizeBytes, async (size, offset) => {
    if (left <= 0) return new Uint8Array(0);
    const { bytesRead, buffer } = await readAt(file.fd, new Uint8Array(size), 0, size, offset);
    left -= bytesRead;
    return buffer.subarray(0, bytesRead);
  });
}
