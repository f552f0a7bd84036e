import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { writeInParts } from '#test/avi.ts';
import { speakers, withLossless } from '#test/dts.ts';
import {
  beside,
  ffmpeg,
  h264,
  headOf,
  picture,
  sameAsFfprobe,
  sound,
  steady,
} from '#test/heads.ts';
import { needs } from '#test/needs.ts';
import { vc1 } from '#test/vc1.ts';

/** A disc's subtitles, each an empty picture, at some moments. */
function subtitles(...atMs: number[]): Buffer {
  const segment = (ms: number, kind: number, body: number[] = []) => {
    const head = Buffer.alloc(13);
    head.write('PG');
    head.writeUInt32BE(ms * 90, 2);
    head.writeUInt8(kind, 10);
    head.writeUInt16BE(body.length, 11);
    return Buffer.concat([head, Buffer.from(body)]);
  };
  const parts = atMs.flatMap((ms, nth) => [
    segment(ms, 0x16, [0x07, 0x80, 0x04, 0x38, 0x10, 0, nth, 0x80, 0, 0, 0]),
    segment(ms, 0x17, [1, 0, 0, 0, 0, 0, 0, 0, 8, 0, 8]),
    segment(ms, 0x80),
  ]);
  return Buffer.concat(parts);
}

/** A transport stream whose programmes have no names, as discs write it. */
function withoutNames(stream: Buffer): Buffer {
  const bytes = Buffer.from(stream);
  const [size, first] = bytes[0] === 0x47 ? [188, 0] : [192, 4];
  for (let at = first; at < bytes.length; at += size) {
    const head = bytes.readUInt16BE(at + 1);
    // What describes services becomes filling.
    if ((head & 0x1fff) === 0x11) bytes.writeUInt16BE(head | 0x1fff, at + 1);
  }
  return bytes;
}

const lossless = ['-strict', '-2', '-c:a', 'truehd'];

/** How each file is made, and who reads it. */
const files: readonly (readonly [name: string, by: 'head' | 'ffprobe', ...args: string[]])[] = [
  ['plain.m2ts', 'head', ...sound('5.1'), ...h264, ...steady, '-c:a', 'ac3'],
  ['mpeg2.m2ts', 'head', ...sound('stereo'), '-c:v', 'mpeg2video', '-c:a', 'ac3'],
  ['dts.m2ts', 'head', ...sound('5.1'), ...h264, ...steady, '-strict', '-2', '-c:a', 'dca'],
  ['eac3.m2ts', 'head', ...sound('5.1'), ...h264, ...steady, '-c:a', 'eac3'],
  // ffprobe counts the AC-3 within as a second stream.
  ['truehd.m2ts', 'ffprobe', ...sound('5.1'), ...h264, ...steady, ...lossless],
  ['truehd.ts', 'ffprobe', ...sound('5.1'), ...h264, ...steady, ...lossless],
  ['no-rate.m2ts', 'ffprobe', ...sound('5.1'), ...h264, '-c:a', 'ac3'],
];

describe('reading what discs hold', function () {
  needs('ffmpeg', 'ffprobe');
  let folder: string;
  const at = (name: string) => join(folder, name);
  before(() => (folder = mkdtempSync(join(tmpdir(), 'revenge-discs-'))));
  after(() => rmSync(folder, { recursive: true }));

  for (const [name, by, ...args] of files) {
    it(`${name}: ${by === 'head' ? 'as ffprobe tells it' : 'is left to ffprobe'}`, async () => {
      ffmpeg(...picture, ...args, at(name));
      if (by === 'head') await sameAsFfprobe(at(name));
      else expect(await headOf(at(name))).to.equal(undefined);
    });
  }

  for (const ending of ['m2ts', 'ts']) {
    it(`one programme without a name, in .${ending}`, async () => {
      ffmpeg(...picture, ...sound('5.1'), ...h264, ...steady, '-c:a', 'ac3', at(`named.${ending}`));
      writeFileSync(at(`nameless.${ending}`), withoutNames(readFileSync(at(`named.${ending}`))));
      await sameAsFfprobe(at(`nameless.${ending}`));
    });
  }

  it('leaves two programmes without names to ffprobe', async () => {
    const programmes = ['-program', 'title=One:st=0', '-program', 'title=Two:st=1'];
    const maps = ['-map', '0', '-map', '1'];
    ffmpeg(...picture, ...picture, ...maps, '-c:v', 'mpeg2video', ...programmes, at('two.ts'));
    writeFileSync(at('nameless-two.ts'), withoutNames(readFileSync(at('two.ts'))));
    expect(await headOf(at('nameless-two.ts'))).to.equal(undefined);
  });

  it('two languages with subtitles, the second of which begin late', async () => {
    const noise = ['-f', 'lavfi', '-i', 'testsrc2=s=1280x720:d=6:r=25,noise=alls=12:allf=t'];
    writeFileSync(at('early.sup'), subtitles(0, 400));
    writeFileSync(at('late.sup'), subtitles(5_000));
    const inputs = [...noise, ...sound('5.1'), ...sound('stereo')];
    const texts = ['-i', at('early.sup'), '-i', at('late.sup')];
    const maps = [0, 1, 2, 3, 4].flatMap((nth) => ['-map', String(nth)]);
    const words = ['-metadata:s:a:0', 'language=ger', '-metadata:s:a:1', 'language=eng'];
    const codecs = [...h264, '-b:v', '20M', ...steady, '-c:a', 'ac3', '-c:s', 'copy'];
    ffmpeg(...inputs, ...texts, ...maps, ...codecs, ...words, at('film.m2ts'));
    const head = await sameAsFfprobe(at('film.m2ts'));
    expect(head.streams.map(({ codec }) => codec)).to.deep.equal([
      ...['h264', 'ac3', 'ac3', 'hdmv_pgs_subtitle', 'hdmv_pgs_subtitle'],
    ]);
  });

  describe('DTS without loss', () => {
    before(() => {
      ffmpeg(...picture, ...h264, ...steady, at('picture.mp4'));
      ffmpeg(...sound('5.1'), '-strict', '-2', '-c:a', 'dca', at('core.dts'));
    });
    for (const ending of ['mkv', 'mp4', 'm2ts', 'ts']) {
      for (const [name, places] of Object.entries(speakers)) {
        it(`${name}, in .${ending}`, async () => {
          writeFileSync(at('lossless.dts'), withLossless(readFileSync(at('core.dts')), { places }));
          const path = at(`${name}.${ending}`);
          const head = await sameAsFfprobe(beside(at('picture.mp4'), at('lossless.dts'), path));
          const channels = places.count;
          expect(head.streams[1]).to.include({ profile: 'DTS-HD MA', channels });
        });
      }
      it(`objects, in .${ending}`, async () => {
        const lossless = { places: speakers.eight, hasObjects: true };
        writeFileSync(at('objects.dts'), withLossless(readFileSync(at('core.dts')), lossless));
        const path = at(`objects.${ending}`);
        const head = await sameAsFfprobe(beside(at('picture.mp4'), at('objects.dts'), path));
        expect(head.streams[1]).to.include({ profile: 'DTS-HD MA + DTS:X', channels: 8 });
      });
    }
  });

  it('AVI of more than a gigabyte, in two parts', async () => {
    const args = ['-c:v', 'mpeg4', '-c:a', 'libmp3lame'];
    ffmpeg(...picture, ...sound('stereo'), ...args, at('small.avi'));
    writeInParts(readFileSync(at('small.avi')), at('parts.avi'));
    const head = await sameAsFfprobe(at('parts.avi'));
    expect(head.durationMs).to.equal((await headOf(at('small.avi')))?.durationMs);
  });

  for (const ending of ['mkv', 'mp4']) {
    for (const isInterlaced of [false, true]) {
      it(`VC-1${isInterlaced ? ' that might be in lines' : ''}, in .${ending}`, async () => {
        writeFileSync(at('film.vc1'), vc1({ isInterlaced }));
        const inputs = ['-r', '25', '-f', 'vc1', '-i', at('film.vc1'), ...sound('5.1')];
        ffmpeg(
          ...inputs,
          '-map',
          '0',
          '-map',
          '1',
          '-c:v',
          'copy',
          '-c:a',
          'ac3',
          at(`vc1.${ending}`),
        );
        const head = await sameAsFfprobe(at(`vc1.${ending}`));
        expect(head.streams[0]).to.include({ codec: 'vc1', profile: 'Advanced', level: 3 });
      });
    }
  }
});
