import type { FileHandle } from 'node:fs/promises';
import { openFile, ownPath, type Root } from './confine.ts';
import { askFfprobe, isPlaylist, refusePlaylist } from './ffprobe.ts';
import { fingerprintOf } from './files.ts';
import { MediaError, type Look, type Probe } from './media.ts';
import { readHead } from './mediainfo.ts';

/** Streams and chapters of a file below a root, read in this process; undefined: ask ffprobe. */
export const probeHead = (
  root: Root,
  path: string,
  signal: AbortSignal,
): Promise<Probe | undefined> =>
  withMedia(root, path, (handle, sizeBytes) => readHead(handle, sizeBytes, signal));

/** A file's fingerprint and, where its head leaves nothing open, streams and chapters. */
export async function lookAt(root: Root, path: string, signal: AbortSignal): Promise<Look> {
  const { handle, stat } = await openFile(root, path);
  try {
    const fingerprint = await fingerprintOf(handle, stat.size);
    const isMedia = stat.size > 0n && !(await isPlaylist(handle));
    const probe = isMedia ? await readHead(handle, Number(stat.size), signal) : undefined;
    return { fingerprint, probe };
  } finally {
    await handle.close();
  }
}

/** Streams and chapters of a file below a root, by ffprobe. */
export const probeFile = (
  root: Root,
  path: string,
  options: { ffprobe: string | undefined; signal: AbortSignal },
): Promise<Probe> => withMedia(root, path, (handle) => askFfprobe(ownPath(handle), options));

/** Opens a file that is no list of other files, and closes it after the work. */
async function withMedia<Result>(
  root: Root,
  path: string,
  work: (handle: FileHandle, sizeBytes: number) => Promise<Result>,
): Promise<Result> {
  const { handle, stat } = await openFile(root, path);
  try {
    if (stat.size === 0n) throw new MediaError('unreadable', 'the file is empty');
    await refusePlaylist(handle);
    return await work(handle, Number(stat.size));
  } finally {
    await handle.close();
  }
}
