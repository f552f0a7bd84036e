import { availableParallelism } from 'node:os';
import type { FileHandle } from 'node:fs/promises';
import { Piscina } from 'piscina';
import type { Probe } from './media.ts';

/** As many as there are cores, and no more than keep a disk busy; each takes some 30 MB. */
const threadsMax = Math.min(4, availableParallelism());
const idleMs = 10_000;
/** A head is read in about 5 ms; what takes so much longer is not worth the wait. */
const deadlineMs = 5_000;

let threads: Piscina | undefined;

const startThreads = () =>
  new Piscina({
    filename: new URL('./mediainfo-thread.ts', import.meta.url).href,
    minThreads: 0,
    maxThreads: threadsMax,
    idleTimeout: idleMs,
    resourceLimits: { maxOldGenerationSizeMb: 64 },
  });

let isTold = false;

/** The parent logs what is written here: that files are slower to look into has one reason. */
function tellOnce(why: string): void {
  if (isTold) return;
  isTold = true;
  process.stderr.write(`a file is left to ffprobe, MediaInfo: ${why}\n`);
}

/**
 * What an open media file holds, read in this process; undefined where it is not wholly certain,
 * and where the library fails or takes too long: ask ffprobe then. Throws what `signal` says.
 */
export async function readHead(
  handle: FileHandle,
  sizeBytes: number,
  signal: AbortSignal,
): Promise<Probe | undefined> {
  threads ??= startThreads();
  const ends = AbortSignal.any([signal, AbortSignal.timeout(deadlineMs)]);
  try {
    const wish = { fd: handle.fd, sizeBytes };
    return (await threads.run(wish, { signal: ends })) as Probe | undefined;
  } catch (error) {
    // Whatever became of the thread, the file is ffprobe's now: that tells what is wrong with it.
    signal.throwIfAborted();
    tellOnce(ends.aborted ? `no end after ${deadlineMs} ms` : String(error));
    return undefined;
  }
}
