import { spawn } from 'node:child_process';
import { attempt } from './confine.ts';
import type { Handle } from './disk.ts';
import { MediaError, type Probe } from './media.ts';
import { needsFrame, readProbe, withFrame, type Printed, type PrintedStream } from './probe.ts';

/**
 * Containers ffmpeg may take a library file for. What is missing is missing on purpose: playlists
 * (hls, dash, concat, sdp …) would make it open other files and addresses that the file names.
 */
export const containers = [
  'matroska,webm,mov,mp4,m4a,3gp,3g2,mj2,avi,mpegts,mpeg,mpegvideo,asf,flv,ogg,rm,mxf,gxf,wtv,nut',
  'dv,ivf,obu,h264,hevc,av1,m4v,mp3,aac,ac3,eac3,dts,dtshd,truehd,flac,wav,w64,aiff,ape,wv,tta',
  'mpc,mpc8,dsf,caf,amr,au',
].join(',');

/** Options every ffmpeg program gets before its input: files only, and only as media. */
export const inputGuard = ['-protocol_whitelist', 'file', '-format_whitelist', containers];

const outputBytesMax = 8 * 1024 * 1024;
const errorBytesMax = 4_096;

const playlists = [
  /^#EXTM3U/,
  /^ffconcat/,
  /^\[playlist\]/i,
  /^<\?xml/,
  /^<(MPD|smil|asx)/i,
  /^v=0\r?\n/,
];

/** Whether a file's beginning shows that it is a list of other files. */
export async function isPlaylist(handle: Handle): Promise<boolean> {
  const buffer = Buffer.alloc(256);
  const bytesRead = await attempt(() => handle.read(buffer, 0));
  const head = buffer.toString('utf8', 0, bytesRead).replace(/^[\ufeff\s]+/, '');
  return playlists.some((pattern) => pattern.test(head));
}

/** Refuses a list of other files. */
export async function refusePlaylist(handle: Handle): Promise<void> {
  if (await isPlaylist(handle)) {
    throw new MediaError('unreadable', 'a playlist in disguise, not a media file');
  }
}

/** Streams and chapters of an open file, by ffprobe; `path` is one that leads to it. */
export async function askFfprobe(
  path: string,
  { ffprobe, signal }: { ffprobe: string | undefined; signal: AbortSignal },
): Promise<Probe> {
  if (ffprobe === undefined) throw new MediaError('tool-missing', 'ffprobe is not installed');
  const input = `file:${path}`;
  const run = (options: string[]) => runProbe(ffprobe, [...options, '-i', input], signal);
  const printed: Printed = await run(['-show_format', '-show_streams', '-show_chapters']);
  const whole = needsFrame(printed) ? withFrame(printed, await firstFrame(run)) : printed;
  const probe = readProbe(whole);
  if (probe.streams.length === 0) throw new MediaError('unreadable', 'no streams in it');
  return probe;
}

type Run = (options: string[]) => Promise<Printed & { frames?: PrintedStream[] }>;

async function firstFrame(run: Run): Promise<PrintedStream> {
  const which = ['-select_streams', 'v:0', '-read_intervals', '%+#1'];
  const { frames } = await run([...which, '-show_frames', '-show_entries', 'frame=side_data_list']);
  return frames?.[0] ?? {};
}

function runProbe(ffprobe: string, options: string[], signal: AbortSignal): ReturnType<Run> {
  const args = ['-v', 'error', '-hide_banner', ...inputGuard, '-print_format', 'json', ...options];
  return new Promise((resolve, reject) => {
    const child = spawn(ffprobe, args, {
      stdio: ['ignore', 'pipe', 'pipe'],
      signal,
      killSignal: 'SIGKILL',
    });
    const output: Buffer[] = [];
    let outputBytes = 0;
    let errors = '';
    child.stdout.on('data', (chunk: Buffer) => {
      outputBytes += chunk.length;
      if (outputBytes > outputBytesMax) child.kill('SIGKILL');
      else output.push(chunk);
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      if (errors.length < errorBytesMax) errors += text;
    });
    child.on('error', (error) => reject(startFailure(error, signal)));
    child.on('close', (code, killedBy) => {
      if (code === 0) return settle(Buffer.concat(output), resolve, reject);
      const why = outputBytes > outputBytesMax ? 'it describes too much' : (killedBy ?? '');
      reject(
        new MediaError(
          'unreadable',
          `not a media file: ${lastLine(errors) || why || 'ffprobe failed'}`,
        ),
      );
    });
  });
}

function settle<T>(output: Buffer, resolve: (value: T) => void, reject: (fault: Error) => void) {
  try {
    resolve(JSON.parse(output.toString('utf8')) as T);
  } catch (error) {
    reject(new MediaError('unreadable', 'ffprobe printed no JSON', error));
  }
}

function startFailure(error: Error, signal: AbortSignal): MediaError {
  if (signal.aborted) return new MediaError('cancelled', 'no longer wanted', error);
  return new MediaError('tool-missing', `ffprobe cannot be started: ${error.message}`, error);
}

/** The last thing said, without the path and addresses that ffmpeg puts before it. */
export function lastLine(text: string): string {
  const line = text.trim().split('\n').at(-1) ?? '';
  return line
    .replace(/(file:)?\/proc\/\d+\/fd\/\d+:? ?/g, '')
    .replace(/^\[[^\]]*\] /, '')
    .slice(0, 200);
}
