import { PassThrough } from 'node:stream';
import createCommand, { type FfmpegCommand } from 'fluent-ffmpeg';
import { openFile, ownPath, type Root } from './confine.ts';
import { inputGuard, lastLine, refusePlaylist } from './ffprobe.ts';
import { MediaError, type Frame, type FrameWish } from './media.ts';

/**
 * The only file that knows fluent-ffmpeg: the package is archived, so whoever replaces it replaces
 * this. Only input and output options, `pipe` and `kill` are used of it.
 */
export interface FfmpegOptions {
  readonly ffmpeg: string | undefined;
  readonly signal: AbortSignal;
}

/** Decoding frames for a whole library takes hours: whoever browses meanwhile goes first. */
const niceness = 19;
const pictureBytesMax = 32 * 1024 * 1024;
// Pixels may not be square: first to the shape seen, then to at most 1920 wide.
const frameScale = "scale=trunc(iw*sar/2)*2:trunc(ih/2)*2,setsar=1,scale='min(1920,iw)':-2";
// One after the other, as if nothing lay between them, or each would be repeated until the next.
const inARow = 'setpts=N/25/TB';
/** Some containers are entered a little, or a picture, before the place asked for. */
const leastFound = 2;
/** How much of a film is read for some pictures: so far apart they may be. */
const readSeconds = 15;

/**
 * Of some pictures from `atMs` on the one that shows most, of one the nearest; at most 1920 pixels
 * wide. At one size and quality a JPEG is the larger the more there is to see, so black, white and
 * blurred ones lose.
 * Only pictures that stand for themselves are decoded, of which one start of ffmpeg finds several;
 * where a video has none there, whatever it shows at `atMs`.
 */
export async function pickFrame(
  root: Root,
  { path, atMs, among }: FrameWish & { path: string },
  options: FfmpegOptions,
): Promise<Frame> {
  const from = Math.max(0, atMs);
  const seek = ['-ss', (from / 1_000).toFixed(3), '-noaccurate_seek'];
  const jpegs = (count: number, filter: string) =>
    ['-map', '0:V:0', '-frames:v', `${count}`, '-vf', filter].concat('-c:v', 'mjpeg', '-q:v', '3');
  const passedMs: number[] = [];
  const whole = await extract(root, path, {
    ...options,
    input: ['-skip_frame', 'nokey', ...seek, '-t', `${readSeconds}`],
    output: [...jpegs(Math.max(among, leastFound), `showinfo,${inARow},${frameScale}`), '-r', '25'],
    onLine: (line) => {
      const seconds = /showinfo.* pts_time:\s*(-?[\d.]+)/.exec(line)?.[1];
      if (seconds !== undefined) passedMs.push(Number(seconds) * 1_000);
    },
  }).catch((error: unknown) => {
    if (error instanceof MediaError && error.code === 'unreadable') return undefined;
    throw error;
  });
  if (whole === undefined) {
    const output = jpegs(1, frameScale);
    return { bytes: await extract(root, path, { ...options, input: seek, output }), atMs: from };
  }
  const found = splitJpegs(whole).map((bytes, nth) => ({
    bytes,
    atMs: Math.max(0, Math.round(from + (passedMs[nth] ?? 0))),
  }));
  const worth = (frame: Frame) => (among > 1 ? frame.bytes.length : -Math.abs(frame.atMs - from));
  return found.reduce((best, one) => (worth(one) > worth(best) ? one : best));
}

/** Pictures that follow each other; pure. Inside of one no marker says that another begins. */
export function splitJpegs(bytes: Uint8Array): Uint8Array[] {
  const all = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const pictures: Uint8Array[] = [];
  for (let from = 0; from < all.length;) {
    const end = all.indexOf('ffd9ffd8', from, 'hex');
    const to = end < 0 ? all.length : end + 2;
    pictures.push(all.subarray(from, to));
    from = to;
  }
  return pictures;
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
  /** Told what the program says, line by line. */
  readonly onLine?: (line: string) => void;
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
    if (options.onLine !== undefined) command.on('stderr', options.onLine);
    return await collect(command, options.signal);
  } finally {
    await handle.close();
  }
}

/** Lets ffmpeg read the file at `path` to its end, for what it says of it. */
export async function discard(
  path: string,
  options: FfmpegOptions & { readonly output: string[]; readonly onLine: (line: string) => void },
): Promise<void> {
  const { ffmpeg, signal } = options;
  if (ffmpeg === undefined) throw new MediaError('tool-missing', 'ffmpeg is not installed');
  const command = createCommand({ logger: undefined, stdoutLines: 1, niceness })
    .setFfmpegPath(ffmpeg)
    .input(`file:${path}`)
    .inputOptions(['-nostdin', '-nostats', '-threads', '1', '-vn', '-sn', '-dn', ...inputGuard])
    .outputOptions([...options.output, '-f', 'null'])
    .output('-')
    .on('stderr', options.onLine);
  await new Promise<void>((resolve, reject) => {
    const stop = () => command.kill('SIGKILL');
    signal.addEventListener('abort', stop, { once: true });
    command.on('error', (error: Error) => reject(failure(error, signal, 'not to be decoded')));
    command.on('end', () => resolve());
    command.run();
  });
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

function failure(error: Error, signal: AbortSignal, what = 'no picture'): MediaError {
  if (signal.aborted) return new MediaError('cancelled', 'no longer wanted', error);
  return new MediaError('unreadable', `${what}: ${lastLine(error.message)}`, error);
}
