import { openFile, ownPath, type Root } from './confine.ts';
import type { Handle } from './disk.ts';
import { askFfprobe, isPlaylist, refusePlaylist } from './ffprobe.ts';
import { fingerprintOf } from './files.ts';
import { MediaError, type Look, type Probe } from './media.ts';
import { readHead } from './head.ts';
import type { Turns } from './turns.ts';

/** Streams and chapters of a file below a root, read in this thread; undefined: ask ffprobe. */
export const probeHead = (root: Root, path: string, turns: Turns): Promise<Probe | undefined> =>
  withMedia(root, path, (handle, sizeBytes) => readHead({ fd: handle.fd, sizeBytes, turns }));

/**
 * A file's fingerprint and, where its head leaves nothing open, streams and chapters. Without
 * `turns` its head is left alone.
 */
export async function lookAt(root: Root, path: string, turns: Turns | undefined): Promise<Look> {
  const { handle, stat } = await openFile(root, path);
  try {
    const fingerprint = await fingerprintOf(handle, stat.size);
    const isOpen = turns === undefined || stat.size === 0n || (await isPlaylist(handle));
    if (isOpen) return { fingerprint, probe: undefined };
    const sizeBytes = Number(stat.size);
    return { fingerprint, probe: await readHead({ fd: handle.fd, sizeBytes, turns }) };
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
  work: (handle: Handle, sizeBytes: number) => Promise<Result>,
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
