import { execFileSync } from 'node:child_process';
import { constants, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import fc from 'fast-check';
import { quiet } from '#test/log.ts';
import { needs } from '#test/needs.ts';
import { patientDisk } from './disk.ts';
import { createMedia, type MediaEngine } from './index.ts';
import { keyframesByIndex } from './keyframes.ts';
import { MediaError } from './media.ts';
import { partsOf } from './parts.ts';

const picture = ['-f', 'lavfi', '-i', 'testsrc2=s=320x180:d=10:r=24'];
const sound = ['-f', 'lavfi', '-i', 'sine=d=10'];
const both = [...picture, ...sound];
const h264 = ['-c:v', 'libx264', '-preset', 'veryfast', '-g', '48'];
const cut = ['-sc_threshold', '0'];
const xvid = ['-c:v', 'mpeg4', '-vtag', 'XVID', '-g', '48'];
const vp9 = ['-c:v', 'libvpx-vp9', '-cpu-used', '8', '-deadline', 'realtime', '-g', '48'];

/** How each file is made, and what tells where it may be cut. */
const files: readonly (readonly [name: string, from: 'index' | 'packets', ...args: string[]])[] = [
  ['plain.mkv', 'index', ...both, ...h264, '-bf', '0', '-c:a', 'aac'],
  ['reordered.mkv', 'index', ...both, ...h264, '-bf', '3', '-c:a', 'ac3'],
  ['uneven.mkv', 'index', ...picture, ...h264, '-force_key_frames', '0.5,1.1,1.2,7'],
  ['hevc.mkv', 'index', ...picture, '-c:v', 'libx265', '-x265-params', 'keyint=48:log-level=none'],
  ['mpeg2.mkv', 'index', ...both, '-c:v', 'mpeg2video', '-g', '12', '-bf', '2', '-c:a', 'mp2'],
  ['live.mkv', 'packets', ...both, ...h264, '-c:a', 'aac', '-live', '1'],
  ['whole.mkv', 'packets', ...picture, '-c:v', 'ffv1', '-g', '1', '-t', '1', '-live', '1'],
  ['vp9.webm', 'index', ...both, ...vp9, '-c:a', 'libopus'],
  ['reordered.mp4', 'index', ...both, ...h264, ...cut, '-bf', '3', '-c:a', 'aac'],
  ['front.mp4', 'index', ...both, ...h264, '-movflags', '+faststart', '-c:a', 'aac'],
  ['negative.mp4', 'index', ...both, ...h264, '-movflags', '+negative_cts_offsets'],
  ['late.mp4', 'index', '-itsoffset', '1.5', ...picture, ...sound, ...h264, '-c:a', 'aac'],
  ['fragments.mp4', 'packets', ...both, ...h264, '-movflags', '+frag_keyframe+empty_moov'],
  ['variable.mov', 'index', ...picture, '-vf', "select='mod(n,3)'", '-vsync', 'vfr', ...h264],
  ['plain.avi', 'index', ...both, ...xvid, '-c:a', 'libmp3lame'],
  ['reordered.avi', 'index', ...both, ...xvid, '-bf', '2', '-c:a', 'libmp3lame'],
  ['second.avi', 'index', ...sound, ...picture, ...xvid, '-map', '0', '-map', '1', '-c:a', 'ac3'],
  ['h264.avi', 'index', ...both, ...h264, '-c:a', 'libmp3lame'],
  ['broadcast.ts', 'packets', ...both, ...h264, '-c:a', 'aac'],
  ['program.mpg', 'packets', ...both, '-c:v', 'mpeg2video', '-g', '24', '-c:a', 'mp2'],
];

const ffmpeg = (...args: readonly string[]) =>
  execFileSync('ffmpeg', ['-v', 'error', '-nostdin', '-y', ...args], { timeout: 60_000 });

/** What ffprobe says of all packets, read in another way than the product reads it. */
function told(path: string): number[] {
  const show = ['-show_entries', 'packet=pts_time,dts_time,flags', '-of', 'json'];
  const json = execFileSync('ffprobe', ['-v', 'error', '-select_streams', 'V:0', ...show, path]);
  interface Packet {
    pts_time?: string;
    dts_time?: string;
    flags: string;
  }
  const { packets } = JSON.parse(json.toString()) as { packets: Packet[] };
  return packets
    .filter(({ flags }, nth) => flags.startsWith('K') && (nth === 0 || !flags.includes('D')))
    .map((packet) => Math.round(Number(packet.pts_time ?? packet.dts_time) * 1_000))
    .sort((a, b) => a - b);
}

async function indexOf(path: string): Promise<number[] | undefined> {
  const handle = await patientDisk.open(Buffer.from(path), constants.O_RDONLY);
  try {
    return await keyframesByIndex(partsOf(handle), statSync(path).size);
  } finally {
    await handle.close();
  }
}

describe('keyframes', function () {
  needs('ffmpeg', 'ffprobe');
  let root: string;
  let media: MediaEngine;
  const at = (name: string) => join(root, name);

  before(() => {
    root = mkdtempSync(join(tmpdir(), 'revenge-keyframes-'));
    for (const [name, , ...args] of files) ffmpeg(...args, at(name));
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

  for (const [name, from] of files) {
    it(`of ${name} are those that ffprobe finds, by the file's ${from}`, async () => {
      const found = await media.keyframes(root, name, {});
      expect(found.timesMs).to.deep.equal(told(at(name)));
      expect(found.timesMs.length).to.be.greaterThan(3);
      expect(found.from).to.equal(from);
      expect(found.sizeBytes).to.equal(statSync(at(name)).size);
    });
  }

  it('are where they were asked for', async () => {
    const { timesMs } = await media.keyframes(root, 'reordered.mp4', {});
    expect(timesMs).to.deep.equal([0, 2_000, 4_000, 6_000, 8_000]);
  });

  it('of a film that begins in the middle of others include the one before its beginning', async () => {
    ffmpeg('-ss', '3', '-i', at('reordered.mp4'), '-c', 'copy', at('cut.mp4'));
    const { timesMs, from } = await media.keyframes(root, 'cut.mp4', {});
    expect(from).to.equal('index');
    expect(timesMs).to.deep.equal(told(at('cut.mp4')));
    expect(timesMs[0]).to.equal(-1_000);
    expect(timesMs[1]).to.equal(1_000);
  });

  it('are not taken from Cues that leave some out', async () => {
    const bytes = readFileSync(at('reordered.mkv'));
    const cues = bytes.lastIndexOf('1c53bb6b', undefined, 'hex');
    const first = bytes.indexOf('f78101', cues, 'hex');
    // One that is called a cue of another track is none of the video's.
    bytes[bytes.indexOf('f78101', first + 1, 'hex') + 2] = 9;
    writeFileSync(at('gap.mkv'), bytes);
    const { timesMs, from } = await media.keyframes(root, 'gap.mkv', {});
    expect(from).to.equal('packets');
    expect(timesMs).to.deep.equal(told(at('gap.mkv')));
  });

  it('of sound are none', async () => {
    ffmpeg(...sound, at('sound.mka'));
    const { timesMs } = await media.keyframes(root, 'sound.mka', {});
    expect(timesMs).to.deep.equal([]);
  });

  for (const [name] of files.filter(([, from]) => from === 'index')) {
    it(`of ${name} that is cut off are those that are left`, async () => {
      const whole = readFileSync(at(name));
      const path = `half-${name}`;
      writeFileSync(at(path), whole.subarray(0, Math.floor(whole.length * 0.6)));
      const found = await media.keyframes(root, path, {}).catch((error: unknown) => error);
      if (found instanceof MediaError) return void expect(found.code).to.equal('unreadable');
      const expected = told(at(path));
      expect((found as { timesMs: number[] }).timesMs).to.deep.equal(expected);
    });
  }

  for (const name of ['plain.mkv', 'reordered.mp4', 'plain.avi']) {
    it(`of ${name} with any bytes changed end in a list or in none, in time`, async () => {
      const whole = readFileSync(at(name));
      const change = fc.record({
        place: fc.double({ min: 0, max: 1, noNaN: true }),
        to: fc.nat(255),
      });
      await fc.assert(
        fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 40 }), async (changes) => {
          const bytes = Buffer.from(whole);
          for (const { place, to } of changes) {
            // Half of them near the ends, where the indexes are.
            const part = to % 2 === 0 ? 4_000 : bytes.length;
            const offset = Math.floor(place * (part - 1));
            bytes[to % 4 === 0 ? bytes.length - 1 - offset : offset] = to;
          }
          const read = (from: number, size: number) =>
            Promise.resolve(bytes.subarray(from, from + size));
          const times = await keyframesByIndex(read, bytes.length);
          expect(times ?? []).to.satisfy((list: number[]) => list.every(Number.isSafeInteger));
        }),
        { numRuns: 500 },
      );
    });
  }

  it('of what is no film cannot be found', async () => {
    writeFileSync(at('nonsense.mkv'), Buffer.from('1a45dfa3a3428681', 'hex'));
    writeFileSync(at('nothing.mkv'), '');
    writeFileSync(at('list.mkv'), '#EXTM3U\n');
    for (const name of ['nonsense.mkv', 'nothing.mkv', 'list.mkv']) {
      const error: unknown = await media.keyframes(root, name, {}).catch((fault: unknown) => fault);
      expect(error).to.include({ code: 'unreadable' });
    }
  });

  it('are given up in time', async () => {
    const asked = media.keyframes(root, 'broadcast.ts', { timeoutMs: 1 });
    expect(await asked.catch((fault: unknown) => fault)).to.include({ code: 'timeout' });
  });

  it('are told by the index of every kind that has a good one', async () => {
    for (const [name, from] of files) {
      expect((await indexOf(at(name))) !== undefined, name).to.equal(from === 'index');
    }
  });
});
