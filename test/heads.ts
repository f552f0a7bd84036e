import { execFileSync } from 'node:child_process';
import { open } from 'node:fs/promises';
import { expect } from 'chai';
import { askFfprobe } from '#storage/media/ffprobe.ts';
import { readHead } from '#storage/media/head.ts';
import type { Probe, ProbeStream } from '#storage/media/media.ts';

/*
 * Media files made by ffmpeg, and what the reader in the process and ffprobe tell of them.
 */

export const ffmpeg = (...args: string[]): Buffer =>
  execFileSync('ffmpeg', ['-v', 'error', '-nostdin', '-y', ...args], {
    timeout: 60_000,
    stdio: ['ignore', 'pipe', 'ignore'],
  });

/** A second of moving pictures. */
export const source = (size: string, rest = ''): string[] => [
  ...['-f', 'lavfi', '-i', `testsrc2=s=${size}:d=1${rest}`],
];
export const picture = source('320x180', ':r=25');
export const sound = (channels: string): string[] => [
  ...['-f', 'lavfi', '-i', `anoisesrc=r=48000:d=1,aformat=channel_layouts=${channels}`],
];
export const h264 = ['-c:v', 'libx264', '-preset', 'ultrafast'];
/** Pictures at a rate that the stream itself promises, as broadcasts and discs do. */
export const steady = ['-x264-params', 'force-cfr=1'];
/** Followed by x265's own options. */
export const hevc = ['-c:v', 'libx265', '-preset', 'ultrafast', '-x265-params'];
export const ten = ['-pix_fmt', 'yuv420p10le'];
export const wide = 'colorprim=bt2020:colormatrix=bt2020nc:log-level=none';
/** PQ with what HDR10 says of the display it was made at. */
export const hdr10 = [
  'transfer=smpte2084:max-cll=1000,400',
  'master-display=G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)L(10000000,1)',
].join(':');

/** What both must agree on; a bit rate is measured by one and written down for the other. */
const comparable = ({ tags, streams, chapters, ...rest }: Probe) => ({
  container: rest.container,
  title: tags['title'],
  chapters: chapters.map(({ startMs, title }) => ({ startMs, title })),
  streams: streams.map(comparableStream),
});

function comparableStream(stream: ProbeStream) {
  const { language, ...facts } = stream;
  const rest = Object.entries(facts).filter(
    ([name, value]) =>
      !['bitrate', 'variableFrameRate', 'mimeType', 'title'].includes(name) && value !== undefined,
  );
  const three = new Map(Object.entries({ en: 'eng', de: 'ger', fr: 'fre', ja: 'jpn' }));
  return { ...Object.fromEntries(rest), language: three.get(language ?? '') ?? language };
}

/** What ffprobe has said since 6.1, and what the one before says in its place. */
const newWords = new Map([
  ['Dolby Digital Plus + Dolby Atmos', undefined],
  ['Dolby TrueHD + Dolby Atmos', undefined],
  ['DTS-HD MA + DTS:X', 'DTS-HD MA'],
]);

function inNewWords(probe: Probe, head: Probe): Probe {
  const streams = probe.streams.map((stream, nth) => {
    const told = head.streams[nth];
    if (stream.type !== 'audio' || told?.type !== 'audio') return stream;
    const profile = told.profile ?? '';
    const isNew = newWords.has(profile) && newWords.get(profile) === stream.profile;
    return isNew ? { ...stream, profile } : stream;
  });
  return { ...probe, streams };
}

const never = new AbortController().signal;

/** What the reader in the process tells; undefined where it leaves a file to ffprobe. */
export async function headOf(path: string): Promise<Probe | undefined> {
  const handle = await open(path);
  try {
    const { size: sizeBytes } = await handle.stat();
    return await readHead({ fd: handle.fd, sizeBytes, turns: { turn: () => undefined } });
  } finally {
    await handle.close();
  }
}

export const probeOf = (path: string): Promise<Probe> =>
  askFfprobe(path, { ffprobe: 'ffprobe', signal: never });

/** Reads a file in the process, compares each word of it with ffprobe's, and returns it. */
export async function sameAsFfprobe(path: string): Promise<Probe> {
  const head = await headOf(path);
  if (head === undefined) throw new Error('it was left to ffprobe');
  const probe = await probeOf(path);
  expect(comparable(head)).to.deep.equal(comparable(inNewWords(probe, head)));
  // The one goes by the clock of a transport stream, the other by its pictures.
  const apartMs = head.container === 'mpegts' ? 100 : 50;
  expect(head.durationMs).to.be.closeTo(probe.durationMs ?? NaN, apartMs);
  expect(head.bitrate).to.be.closeTo(probe.bitrate ?? NaN, (probe.bitrate ?? NaN) / 10);
  return head;
}

/** A file with what a picture file has and a stream of sound, neither encoded anew. */
export function beside(pictures: string, stream: string, to: string): string {
  const inputs = ['-i', pictures, '-i', stream, '-map', '0', '-map', '1'];
  ffmpeg(...inputs, '-c', 'copy', '-strict', '-2', to);
  return to;
}
