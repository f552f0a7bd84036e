import { PassThrough } from 'node:stream';
import createCommand, { type FfmpegCommand } from 'fluent-ffmpeg';
import { openFile, ownPath, type Root } from './confine.ts';
import { inputGuard, lastLine, refusePlaylist } from './ffprobe.ts';
import { MediaError } from './media.ts';

/**
 * The only file that knows fluent-ffmpeg: the package is archived, so whoever replaces it replaces
 * this. Only input and output options, `pipe` and `kill` are used of it.
 */
export interface FfmpegOptions {
  readonly ffmpeg: string | undefined;
  readonly signal: AbortSignal;
}

/** Decoding frames for a whole library takes hours: whoever browses meanwhile goes first. */
const niceness = 10;
const pictureBytesMax = 32 * 1024 * 1024;
// Pixels may not be square: first to the shape seen, then to at most 1920 wide.
const frameScale = "scale=trunc(iw*sar/2)*2:trunc(ih/2)*2,setsar=1,scale='min(1920,iw)':-2";

/** One frame of a file as JPEG, at most 1920 pixels wide. */
export function grabFrame(
  root: Root,
  { path, atMs }: { path: string; atMs: number },
  options: FfmpegOptions,
): Promise<Uint8Array> {
  const seconds = (Math.max(0, atMs) / 1_000).toFixed(3);
  return extract(root, path, {
    ...options,
    input: ['-ss', seconds, '-noaccurate_seek'],
    output: ['-map', '0:V:0', '-frames:v', '1', '-vf', frameScale, '-c:v', 'mjpeg', '-q:v', '3'],
  });
}

/** The picture attached as stream `index`, as it is in the file. */
export function copyPicture(
  root: Root,
  { path, index }: { path: string; index: number },
  options: FfmpegOptions,
): Promise<Uint8Array> {
  const output = ['-map', `0:${index}`, '-frames:v', '1', '-c:v', 'copy'];
  return extract(root, path, { ...options, input: [], output });
}

interface Extract extends FfmpegOptions {
  readonly input: string[];
  readonly output: string[];
}

async function extract(root: Root, path: string, options: Extract): Promise<Uint8Array> {
  const { ffmpeg } = options;
  if (ffmpeg === undefined) throw new MediaError('tool-missing', 'ffmpeg is not installed');
  const { handle } = await openFile(root, path);
  try {
    await refusePlaylist(handle);
    options.signal.throwIfAborted();
    const command = createCommand({ logger: undefined, stdoutLines: 1, niceness })
      .setFfmpegPath(ffmpeg)
      .input(`file:${ownPath(handle)}`)
      .inputOptions(['-nostdin', '-threads', '1', ...inputGuard, ...options.input])
      .outputOptions(['-an', '-sn', '-dn', '-threads', '1', ...options.output, '-f', 'image2pipe']);
    return await collect(command, options.signal);
  } finally {
    await handle.close();
  }
}

function collect(command: FfmpegCommand, signal: AbortSignal): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    const stop = () => command.kill('SIGKILL');
    signal.addEventListener('abort', stop, { once: true });
    const done = (settle: () => void) => {
      signal.removeEventListener('abort', stop);
      settle();
    };
    const chunks: Buffer[] = [];
    let sizeBytes = 0;
    const sink = new PassThrough();
    sink.on('data', (chunk: Buffer) => {
      sizeBytes += chunk.length;
      if (sizeBytes > pictureBytesMax) stop();
      else chunks.push(chunk);
    });
    command.on('error', (error: Error) => done(() => reject(failure(error, signal))));
    sink.on('end', () => done(() => settle(Buffer.concat(chunks), resolve, reject)));
    command.pipe(sink, { end: true });
  });
}

function settle(
  bytes: Buffer,
  resolve: (bytes: Uint8Array) => void,
  reject: (error: MediaError) => void,
): void {
  if (bytes.length > 0) return resolve(bytes);
  reject(new MediaError('unreadable', 'there is no picture at that place'));
}

function failure(error: Error, signal: AbortSignal): MediaError {
  if (signal.aborted) return new MediaError('cancelled', 'no longer wanted', error);
  return new MediaError('unreadable', `no picture: ${lastLine(error.message)}`, error);
}
