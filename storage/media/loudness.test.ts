import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { quiet } from '#test/log.ts';
import { needs } from '#test/needs.ts';
import { createMedia, type MediaEngine } from './index.ts';
import { readSummaries } from './loudness.ts';

const ffmpeg = (...args: readonly string[]) =>
  execFileSync('ffmpeg', ['-v', 'error', '-nostdin', '-y', ...args], { timeout: 60_000 });

/**
 * EBU Tech 3341: a stereo sine of 1 kHz at −23 dBFS in both channels is −23 LUFS. ffmpeg's own
 * `sine` is at −18.06 dBFS.
 */
const tone = (seconds: number, volume: number) => [
  ...['-f', 'lavfi', '-i'],
  `sine=f=1000:r=48000:d=${seconds},volume=${volume}dB,pan=stereo|c0=c0|c1=c0`,
];
const atLevel = (seconds: number, level: number) => tone(seconds, level + 18.0618);
const picture = ['-f', 'lavfi', '-i', 'testsrc2=s=160x90:d=20:r=10'];

describe('loudness', function () {
  needs('ffmpeg', 'ffprobe');
  let root: string;
  let media: MediaEngine;
  const at = (name: string) => join(root, name);

  before(() => {
    root = mkdtempSync(join(tmpdir(), 'revenge-loudness-'));
    media = createMedia({
      log: quiet,
      processes: 2,
      idleMs: 60_000,
      perMountLimit: 4,
      now: Date.now,
    });
  });
  after(async () => {
    await media[Symbol.asyncDispose]();
    rmSync(root, { recursive: true });
  });

  it('of each stream is what EBU Tech 3341 says of it', async () => {
    const silence = ['-f', 'lavfi', '-i', 'anullsrc=r=48000:cl=stereo:d=20'];
    const maps = ['-map', '0', '-map', '1', '-map', '2', '-map', '3', '-c:v', 'mpeg4'];
    const streams = [...picture, ...atLevel(20, -23), ...silence, ...atLevel(20, -33)];
    ffmpeg(...streams, ...maps, '-c:a', 'flac', at('film.mkv'));
    const { streams: found, sizeBytes } = await media.loudness(root, 'film.mkv', {});
    expect(sizeBytes).to.equal(statSync(at('film.mkv')).size);
    expect(found.map(({ index }) => index)).to.deep.equal([1, 2, 3]);
    const [loud, silent, soft] = found;
    expect(loud?.integrated).to.be.closeTo(-23, 0.2);
    expect(loud?.truePeak).to.be.closeTo(-23, 0.2);
    expect(loud?.range).to.be.closeTo(0, 0.2);
    expect(silent).to.include({ integrated: undefined, range: undefined, truePeak: undefined });
    expect(soft?.integrated).to.be.closeTo(-33, 0.2);
  });

  it('has a range where soft and loud parts follow each other', async () => {
    const [soft, loud] = [atLevel(20, -40), atLevel(20, -20)];
    const joined = ['-filter_complex', '[0][1]concat=n=2:v=0:a=1', '-c:a', 'flac'];
    ffmpeg(...soft, ...loud, ...joined, at('parts.mka'));
    const { streams } = await media.loudness(root, 'parts.mka', {});
    // EBU Tech 3342, case 1: a step of 20 dB is a range of 20 LU, ±1.
    expect(streams[0]?.range).to.be.closeTo(20, 1);
  });

  it('is nothing where there is no sound', async () => {
    ffmpeg(...picture, '-c:v', 'mpeg4', at('silent.mkv'));
    expect((await media.loudness(root, 'silent.mkv', {})).streams).to.deep.equal([]);
  });

  it('of a file that is cut off is that of what is left', async () => {
    ffmpeg(...atLevel(20, -23), '-c:a', 'flac', at('whole.mka'));
    const whole = readFileSync(at('whole.mka'));
    writeFileSync(at('half.mka'), whole.subarray(0, whole.length >> 1));
    const { streams } = await media.loudness(root, 'half.mka', {});
    expect(streams[0]?.integrated).to.be.closeTo(-23, 0.2);
  });

  it('of what is no media file cannot be measured', async () => {
    writeFileSync(at('nothing.mkv'), '');
    writeFileSync(at('list.mkv'), '#EXTM3U\n');
    writeFileSync(at('text.mkv'), 'what is this');
    for (const name of ['nothing.mkv', 'list.mkv', 'text.mkv']) {
      const error: unknown = await media.loudness(root, name, {}).catch((fault: unknown) => fault);
      expect(error).to.include({ code: 'unreadable' });
    }
  });

  it('is given up when it takes too long, or is no longer wanted', async () => {
    ffmpeg(...tone(600, 0), '-c:a', 'flac', at('long.mka'));
    const late = media.loudness(root, 'long.mka', { timeoutMs: 50 });
    expect(await late.catch((fault: unknown) => fault)).to.include({ code: 'timeout' });
    const stop = new AbortController();
    const stopped = media.loudness(root, 'long.mka', { signal: stop.signal });
    stop.abort();
    expect(await stopped.catch((fault: unknown) => fault)).to.include({ code: 'cancelled' });
  });

  it('is read out of summaries in whatever order they come', () => {
    const summary = (nth: number, ...facts: string[]) =>
      [`[Parsed_ebur128_${nth} @ 0x55] Summary:`, ...facts].map((line) => line);
    const lines = [
      ...summary(1, '    I:         -70.0 LUFS', '    Peak:       -inf dBFS'),
      ...summary(
        0,
        '    I:         -17.5 LUFS',
        '    LRA:        12.3 LU',
        '    Peak:       0.4 dBFS',
      ),
    ];
    expect(readSummaries(lines, [1, 4, 5])).to.deep.equal([
      { index: 1, integrated: -17.5, range: 12.3, truePeak: 0.4 },
      { index: 4, integrated: undefined, range: undefined, truePeak: undefined },
    ]);
  });
});
