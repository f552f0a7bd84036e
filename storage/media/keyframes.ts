import { spawn } from 'node:child_process';
import { constants, setPriority } from 'node:os';
import { createInterface } from 'node:readline';
import { openFile, ownPath, type Root } from './confine.ts';
import { inputGuard, lastLine, refusePlaylist } from './ffprobe.ts';
import { mtimeMsOf } from './files.ts';
import { keyframesInAvi } from './keyframes-avi.ts';
import { keyframesInMatroska } from './keyframes-matroska.ts';
import { keyframesInMp4 } from './keyframes-mp4.ts';
import { MediaError, type Keyframes } from './media.ts';
import { partsOf, type ReadPart } from './parts.ts';

interface Options {
  readonly ffprobe: string | undefined;
  readonly signal: AbortSignal;
}

/** More than a film of ten hours has, unless it could be cut nearly everywhere. */
const timesMax = 20_000;
const thinnedMs = 1_000;
const errorBytesMax = 4_096;
/** Packets a second are some dozens: what has a hundred thousand times as many is no film. */
const linesMax = 20_000_000;

/**
 * The keyframes of a file's first video, by the index of its container where that names them all,
 * else by ffprobe, which reads the file from one end to the other.
 */
export async function readKeyframes(
  root: Root,
  path: string,
  options: Options,
): Promise<Keyframes> {
  const { handle, stat } = await openFile(root, path);
  try {
    if (stat.size === 0n) throw new MediaError('unreadable', 'the file is empty');
    await refusePlaylist(handle);
    const sizeBytes = Number(stat.size);
    const indexed = await keyframesByIndex(partsOf(handle), sizeBytes);
    options.signal.throwIfAborted();
    const times = indexed ?? (await keyframesByPackets(ownPath(handle), options));
    const from = indexed === undefined ? 'packets' : 'index';
    return { timesMs: thin(times), from, sizeBytes, mtimeMs: mtimeMsOf(stat) };
  } finally {
    await handle.close();
  }
}

/** What the index of a container tells; undefined where ffprobe has to be asked. */
export async function keyframesByIndex(
  read: ReadPart,
  sizeBytes: number,
): Promise<number[] | undefined> {
  const head = Buffer.from(await read(0, 12));
  if (head.length < 12) return undefined;
  if (head.readUInt32BE(0) === 0x1a45dfa3) return keyframesInMatroska(read, sizeBytes);
  if (head.toString('latin1', 4, 8) === 'ftyp') return keyframesInMp4(read, sizeBytes);
  const [riff, avi] = [head.toString('latin1', 0, 4), head.toString('latin1', 8, 12)];
  return riff === 'RIFF' && avi === 'AVI ' ? keyframesInAvi(read, sizeBytes) : undefined;
}

/** Fewer, of a video that could be cut nearly everywhere: all of them are keyframes still. */
function thin(times: readonly number[]): number[] {
  if (times.length <= timesMax) return [...times];
  const kept: number[] = [];
  for (const time of times) {
    if (kept.length === 0 || time - kept.at(-1)! >= thinnedMs) kept.push(time);
  }
  return kept.slice(0, timesMax);
}

/** What the packets of the file at `path` tell, by ffprobe. */
export function keyframesByPackets(path: string, { ffprobe, signal }: Options): Promise<number[]> {
  if (ffprobe === undefined) throw new MediaError('tool-missing', 'ffprobe is not installed');
  const shown = ['-show_entries', 'packet=pts_time,dts_time,flags', '-of', 'compact=p=0'];
  const which = ['-select_streams', 'V:0', ...shown, '-i', `file:${path}`];
  const child = spawn(ffprobe, ['-v', 'error', '-hide_banner', ...inputGuard, ...which], {
    stdio: ['ignore', 'pipe', 'pipe'],
    signal,
    killSignal: 'SIGKILL',
  });
  if (child.pid !== undefined) setPriority(child.pid, constants.priority.PRIORITY_LOW);
  const times: number[] = [];
  let [lines, errors] = [0, ''];
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    if (errors.length < errorBytesMax) errors += text;
  });
  createInterface({ input: child.stdout }).on('line', (line) => {
    if ((lines += 1) > linesMax) child.kill('SIGKILL');
    const time = keyframeIn(line);
    if (time !== undefined && !(times.length > 0 && time.isDiscarded)) times.push(time.ms);
  });
  return new Promise((resolve, reject) => {
    child.on('error', (error) => {
      const code = signal.aborted ? 'cancelled' : 'tool-missing';
      reject(new MediaError(code, `ffprobe does not run: ${error.message}`, error));
    });
    child.on('close', (code, killedBy) => {
      if (code === 0) return resolve(times.sort((a, b) => a - b));
      const why = lastLine(errors) || killedBy || 'ffprobe failed';
      reject(new MediaError('unreadable', `its keyframes cannot be found: ${why}`));
    });
  });
}

/** `pts_time=1.480000|dts_time=1.400000|flags=K_`; AVI has no `pts_time`. Pure. */
function keyframeIn(line: string): { ms: number; isDiscarded: boolean } | undefined {
  const flags = /flags=(\w+)/.exec(line)?.[1];
  if (flags?.startsWith('K') !== true) return undefined;
  const seconds = /pts_time=(-?[\d.]+)/.exec(line)?.[1] ?? /dts_time=(-?[\d.]+)/.exec(line)?.[1];
  if (seconds === undefined) return undefined;
  // Not shown: before the beginning, where what is shown first needs it, or after the end.
  return { ms: Math.round(Number(seconds) * 1_000), isDiscarded: flags[1] === 'D' };
}
