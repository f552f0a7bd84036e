import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import type { MediaInfoResult } from 'mediainfo.js';
import { replicated, withConfig, withReplication } from '#test/aac.ts';
import { seeded } from '#test/faults/moments.ts';
import {
  beside,
  ffmpeg,
  h264,
  hdr10,
  headOf,
  hevc,
  picture,
  probeOf,
  sameAsFfprobe,
  sound,
  source,
  steady,
  ten,
  wide,
} from '#test/heads.ts';
import { needs } from '#test/needs.ts';
import { readMediaInfo } from './mediainfo-probe.ts';

const xvid = ['-c:v', 'mpeg4', '-vtag', 'XVID'];
const divx = ['-c:v', 'mpeg4', '-vtag', 'DIVX'];
const mp3 = ['-c:v', 'mpeg4', '-c:a', 'libmp3lame'];
const title = ['-metadata', 'title=A film', '-metadata:s:a:1', 'title=Kommentar'];
const two = ['-map', '0', '-map', '1', '-map', '2'];
const dvb = [
  ...['-c:v', 'mpeg2video', '-flags', '+ildct+ilme', '-c:a:0', 'mp2', '-c:a:1', 'ac3'],
  ...['-metadata:s:a:0', 'language=ger', '-metadata:s:a:1', 'language=eng'],
];
const latm = ['-c:a', 'aac', '-mpegts_flags', 'latm'];
const programmes = [
  ...['-map', '0', '-map', '1', '-c:v', 'mpeg2video'],
  ...['-program', 'title=One:st=0', '-program', 'title=Two:st=1'],
];

/** How each file is made, and who reads it. */
const files: readonly (readonly [name: string, by: 'head' | 'ffprobe', ...args: string[]])[] = [
  ['baseline.mkv', 'head', ...picture, ...sound('mono'), ...h264, '-c:a', 'aac'],
  ['high.mp4', 'head', ...picture, ...sound('stereo'), '-c:v', 'libx264', '-c:a', 'ac3'],
  ['high10.mkv', 'head', ...picture, ...h264, ...ten],
  ['high444.mp4', 'head', ...picture, ...h264, '-pix_fmt', 'yuv444p'],
  ['film-rate.mkv', 'head', ...source('1920x1080', ':r=24000/1001'), ...h264],
  ['hevc.mkv', 'head', ...picture, ...sound('5.1'), ...hevc, wide, ...ten, '-c:a', 'eac3'],
  ['hlg.mp4', 'head', ...picture, ...hevc, `${wide}:transfer=arib-std-b67`, ...ten],
  ['pq.mkv', 'head', ...picture, ...hevc, `${wide}:transfer=smpte2084`, ...ten],
  ['hdr10.mkv', 'head', ...picture, ...hevc, `${wide}:hdr10=1:${hdr10}`, ...ten],
  ['hdr10.mp4', 'head', ...picture, ...hevc, `${wide}:hdr10=1:${hdr10}`, ...ten],
  ['vp9.webm', 'head', ...picture, ...sound('mono'), '-c:v', 'libvpx-vp9', '-cpu-used', '8'],
  ['opus.mkv', 'head', ...picture, ...sound('7.1'), ...h264, '-c:a', 'libopus'],
  ['flac.mkv', 'head', ...picture, ...sound('5.1'), ...h264, '-c:a', 'flac'],
  ['mp3.mkv', 'head', ...picture, ...sound('stereo'), ...h264, '-c:a', 'libmp3lame'],
  ['dts.mkv', 'head', ...picture, ...sound('5.1'), ...h264, '-strict', '-2', '-c:a', 'dca'],
  ['full-range.mkv', 'ffprobe', ...picture, ...h264, '-pix_fmt', 'yuvj420p'],
  ['mpeg2.mkv', 'head', ...picture, ...sound('stereo'), '-c:v', 'mpeg2video', '-c:a', 'mp2'],
  ['mpeg4.mkv', 'head', ...picture, ...sound('stereo'), '-c:v', 'mpeg4', '-c:a', 'pcm_s16le'],
  ['mpeg4.mp4', 'head', ...picture, ...sound('stereo'), '-c:v', 'mpeg4', '-c:a', 'aac'],
  ['pcm.mkv', 'head', ...picture, ...sound('5.1'), ...h264, '-c:a', 'pcm_s24le'],
  ['pcm.mov', 'head', ...picture, ...sound('5.1'), ...h264, '-c:a', 'pcm_s24le'],
  ['stereo.mov', 'ffprobe', ...picture, ...sound('stereo'), ...h264, '-c:a', 'pcm_s16be'],
  ['old.avi', 'head', ...picture, ...sound('mono'), '-c:v', 'mpeg4', '-c:a', 'libmp3lame'],
  ['xvid.avi', 'head', ...picture, ...sound('stereo'), ...xvid, '-bf', '2', '-c:a', 'ac3'],
  ['divx.avi', 'head', ...picture, ...sound('mono'), ...divx, '-c:a', 'pcm_s16le'],
  ['bytes.avi', 'head', ...picture, ...sound('mono'), '-c:v', 'mpeg4', '-c:a', 'pcm_u8'],
  ['div3.avi', 'head', ...picture, ...sound('stereo'), '-c:v', 'msmpeg4v3', '-c:a', 'libmp3lame'],
  ['div2.avi', 'head', ...picture, ...sound('stereo'), '-c:v', 'msmpeg4v2', '-c:a', 'mp2'],
  ['two.avi', 'head', ...picture, ...sound('stereo'), ...sound('mono'), ...two, ...title, ...mp3],
  ['h264.avi', 'head', ...picture, ...sound('stereo'), ...h264, '-c:a', 'libmp3lame'],
  ['camera.avi', 'ffprobe', ...picture, ...sound('mono'), '-c:v', 'mjpeg', '-c:a', 'pcm_u8'],
  ['six.avi', 'ffprobe', ...picture, ...sound('5.1'), '-c:v', 'mpeg4', '-c:a', 'ac3'],
  ['steady.ts', 'head', ...picture, ...sound('mono'), ...h264, ...steady, '-c:a', 'aac'],
  ['hevc.ts', 'head', ...picture, ...sound('5.1'), ...hevc, wide, ...ten, '-c:a', 'ac3'],
  ['pq.ts', 'head', ...picture, ...hevc, `${wide}:transfer=smpte2084`, ...ten],
  ['dvb.ts', 'head', ...picture, ...sound('stereo'), ...sound('5.1'), ...two, ...dvb],
  ['eac3.ts', 'head', ...picture, ...sound('5.1'), ...h264, ...steady, '-c:a', 'eac3'],
  ['no-rate.ts', 'ffprobe', ...picture, ...sound('mono'), ...h264, '-c:a', 'aac'],
  ['latm.ts', 'ffprobe', ...picture, ...sound('mono'), ...h264, ...steady, ...latm],
  ['programmes.ts', 'ffprobe', ...picture, ...picture, ...programmes],
  ['disc.m2ts', 'head', ...picture, ...sound('5.1'), ...h264, ...steady, '-c:a', 'ac3'],
];

/** All that viewers can get: two languages, subtitles, chapters, a cover and a font. */
function makeRich(folder: string): void {
  const at = (name: string) => join(folder, name);
  writeFileSync(at('s.srt'), '1\n00:00:00,100 --> 00:00:00,900\nhi\n');
  const chapter = (from: number, to: number, title: string) =>
    `[CHAPTER]\nTIMEBASE=1/1000\nSTART=${from}\nEND=${to}\ntitle=${title}\n`;
  const chapters = `${chapter(0, 500, 'One / eins')}${chapter(500, 1_000, 'Two: zwei')}`;
  writeFileSync(at('c.txt'), `;FFMETADATA1\ntitle=A film\n${chapters}`);
  ffmpeg(...source('200x300'), '-frames:v', '1', at('cover.jpg'));
  writeFileSync(at('font.ttf'), 'a font');
  const inputs = [...picture, ...sound('stereo'), ...sound('5.1'), '-i', at('s.srt')];
  const maps = ['-map', '0', '-map', '1', '-map', '2', '-map', '3', '-map', '3'];
  const meta = ['-f', 'ffmetadata', '-i', at('c.txt'), '-map_metadata', '4', '-map_chapters', '4'];
  const codecs = [...h264, '-c:a:0', 'aac', '-c:a:1', 'ac3', '-shortest'];
  const say = (stream: string, ...pairs: string[]) =>
    pairs.flatMap((pair) => [`-metadata:s:${stream}`, pair]);
  const words = [
    ...say('a:0', 'language=eng', 'title=Stereo / Kommentar'),
    ...say('a:1', 'language=ger'),
    ...say('s:0', 'language=fre'),
    ...say('s:1', 'language=jpn', 'title=Signs'),
  ];
  const flags = ['-disposition:a:0', '0', '-disposition:a:1', 'default'];
  const all = [...inputs, ...meta, ...maps, ...codecs, ...words, ...flags];
  const heard = ['-disposition:s:0', 'forced', '-disposition:s:1', 'hearing_impaired'];
  const attach = [
    ...['-attach', at('cover.jpg'), ...say('t:0', 'mimetype=image/jpeg', 'filename=cover.jpg')],
    ...[
      '-attach',
      at('font.ttf'),
      ...say('t:1', 'mimetype=application/x-truetype-font', 'filename=Déjà.ttf'),
    ],
  ];
  ffmpeg(...all, '-c:s:0', 'srt', '-c:s:1', 'ass', ...heard, ...attach, at('rich.mkv'));
  ffmpeg(...all, '-c:s', 'mov_text', at('plain.mp4'));
  const cover = ['-map', '0:v', '-map', '0:a', '-map', '0:s', '-map', '1'];
  const kept = ['-c', 'copy', '-disposition:v:1', 'attached_pic'];
  ffmpeg('-i', at('plain.mp4'), '-i', at('cover.jpg'), ...cover, ...kept, at('rich.mp4'));
}

/** HEVC with the least HDR10+ (SMPTE ST 2094-40, in ITU-T T.35) before each picture. */
function withDynamicHdr(stream: Buffer): Buffer {
  // One window, whose brightest parts, their mean and distribution are nought.
  const bits = `01${'1'.padStart(27, '0')}0`.padEnd(120, '0');
  const content = bits.match(/.{8}/g)!.map((byte) => parseInt(byte, 2));
  const message = Buffer.from([0xb5, 0x00, 0x3c, 0x00, 0x01, 0x04, 0x01, ...content]);
  // Wherever it holds what would begin a unit, a three stands between.
  const safe = message.toString('hex').replace(/0000(?=0[0-3])/g, '000003');
  const bytes = Buffer.from(safe, 'hex');
  const unit = Buffer.from([0, 0, 0, 1, 39 << 1, 1, 4, message.length, ...bytes, 0x80]);
  const parts: Buffer[] = [];
  let from = 0;
  for (let at = stream.indexOf(start); at >= 0; at = stream.indexOf(start, at + 3)) {
    const type = (stream[at + 3]! >> 1) & 63;
    const isFirstSlice = type < 32 && (stream[at + 5]! & 0x80) !== 0;
    if (!isFirstSlice) continue;
    parts.push(stream.subarray(from, at), unit);
    from = at;
  }
  return Buffer.concat([...parts, stream.subarray(from)]);
}

const start = Buffer.from([0, 0, 1]);

describe('reading the head of a file in this process', function () {
  needs('ffmpeg', 'ffprobe');
  let folder: string;
  before(() => (folder = mkdtempSync(join(tmpdir(), 'revenge-head-'))));
  after(() => rmSync(folder, { recursive: true }));

  const sameHere = (name: string) => sameAsFfprobe(join(folder, name));

  for (const [name, by, ...args] of files) {
    it(`${name}: ${by === 'head' ? 'as ffprobe tells it' : 'is left to ffprobe'}`, async () => {
      ffmpeg(...args, join(folder, name));
      if (by === 'head') await sameHere(name);
      else expect(await headOf(join(folder, name))).to.equal(undefined);
    });
  }

  describe('with all that a file can hold', () => {
    before(() => makeRich(folder));

    it('Matroska', async () => {
      const head = await sameHere('rich.mkv');
      expect(head.streams.map(({ type, title }) => [type, title])).to.deep.equal([
        ['video', undefined],
        ['audio', 'Stereo / Kommentar'],
        ['audio', undefined],
        ['subtitle', undefined],
        ['subtitle', 'Signs'],
        ['attachment', undefined],
        ['attachment', undefined],
      ]);
      expect(head.chapters.map(({ title }) => title)).to.deep.equal(['One / eins', 'Two: zwei']);
    });
    it('MP4', async () => void (await sameHere('plain.mp4')));
    it('MP4 with a cover', async () => void (await sameHere('rich.mp4')));

    it('leaves to ffprobe which HDR changes from picture to picture', async () => {
      const plain = join(folder, 'plain.hevc');
      ffmpeg(...picture, ...hevc, `${wide}:hdr10=1:${hdr10}`, ...ten, '-f', 'hevc', plain);
      writeFileSync(join(folder, 'plus.hevc'), withDynamicHdr(readFileSync(plain)));
      for (const ending of ['mkv', 'mp4', 'ts']) {
        const made = (name: string) => {
          const path = join(folder, `${name}.${ending}`);
          const timed = ['-c', 'copy', '-bsf:v', 'setts=ts=N*3600'];
          ffmpeg('-r', '25', '-i', join(folder, `${name}.hevc`), ...timed, path);
          return path;
        };
        expect((await headOf(made('plain')))?.streams[0], ending).to.include({ hdr: 'HDR10' });
        const path = made('plus');
        expect(await headOf(path), ending).to.equal(undefined);
        const probe = await probeOf(path);
        expect(probe.streams[0], ending).to.include({ hdr: 'HDR10+' });
      }
    });

    describe('HE-AAC', () => {
      const low = (layout: string) => [
        ...['-f', 'lavfi', '-i', `anoisesrc=r=24000:d=1,aformat=channel_layouts=${layout}`],
        ...['-c:a', 'aac', '-b:a', '64k'],
      ];
      const at = (name: string) => join(folder, name);
      before(() => {
        ffmpeg(...picture, ...h264, ...steady, at('picture.mp4'));
        for (const layout of ['mono', 'stereo', '5.1']) {
          ffmpeg(...low(layout), '-f', 'adts', at(`${layout}.lc.aac`));
          writeFileSync(at(`${layout}.aac`), withReplication(readFileSync(at(`${layout}.lc.aac`))));
          ffmpeg('-i', at(`${layout}.aac`), '-c', 'copy', at(`${layout}.m4a`));
        }
        const six = readFileSync(at('5.1.m4a'));
        writeFileSync(
          at('stereo.told.m4a'),
          withConfig(readFileSync(at('stereo.m4a')), replicated(2)),
        );
        writeFileSync(at('5.1.told.m4a'), withConfig(six, replicated(6)));
      });
      for (const ending of ['mkv', 'mp4', 'ts']) {
        for (const name of ['stereo.aac', 'stereo.told.m4a', '5.1.told.m4a']) {
          it(`${name}, in .${ending}`, async () => {
            const path = beside(at('picture.mp4'), at(name), at(`${name}.${ending}`));
            const head = await sameAsFfprobe(path);
            expect(head.streams[1]).to.include({ profile: 'HE-AAC', sampleRate: 48_000 });
          });
        }
        for (const name of ['mono.aac', 'stereo.lc.aac']) {
          it(`${name}, in .${ending}: is left to ffprobe`, async () => {
            const path = beside(at('picture.mp4'), at(name), at(`${name}.${ending}`));
            expect(await headOf(path)).to.equal(undefined);
          });
        }
      }
    });

    it('tells a rate that varies, and lines that ffprobe takes for whole pictures', async () => {
      const uneven = `setpts='if(lt(N,10),N,N*2)/25/TB'`;
      ffmpeg(
        ...source('320x180', `:r=25,${uneven}`),
        '-fps_mode',
        'vfr',
        ...h264,
        join(folder, 'v.mp4'),
      );
      const flags = ['-flags', '+ildct+ilme', '-x264-params', 'tff=1'];
      ffmpeg(...picture, ...h264, ...flags, join(folder, 'lines.mkv'));
      const [uneven1, lines] = [
        await headOf(join(folder, 'v.mp4')),
        await headOf(join(folder, 'lines.mkv')),
      ];
      expect(uneven1?.streams[0]).to.include({ variableFrameRate: true });
      expect(lines?.streams[0]).to.include({ variableFrameRate: false, interlaced: true });
    });

    it('comes back from whatever it is given', async () => {
      const random = seeded(20261128);
      const path = join(folder, 'broken');
      ffmpeg(...picture, ...sound('mono'), ...mp3, join(folder, 'plain.avi'));
      ffmpeg(...picture, ...sound('mono'), ...h264, ...steady, join(folder, 'plain.ts'));
      for (const name of ['rich.mkv', 'rich.mp4', 'plain.avi', 'plain.ts']) {
        const whole = readFileSync(join(folder, name));
        for (let round = 0; round < 100; round += 1) {
          const bytes = Buffer.from(whole.subarray(0, Math.ceil(random() * whole.length)));
          for (let nth = 0; nth < round; nth += 1) {
            bytes[Math.floor(random() ** 3 * bytes.length)] = Math.floor(random() * 256);
          }
          writeFileSync(path, bytes);
          await headOf(path);
        }
      }
      expect((await headOf(join(folder, 'rich.mkv')))?.streams).to.have.length(7);
    });
  });
});

describe('what is not certain in MediaInfo’s report', () => {
  const general = { '@type': 'General', Format: 'Matroska', Duration: 60 };
  const video = {
    ...{ '@type': 'Video', StreamOrder: '0', Format: 'AVC', Format_Profile: 'High' },
    ...{ Format_Level: '4.1', Width: 1920, Height: 1080, ScanType: 'Progressive' },
  };
  const audio = {
    ...{ '@type': 'Audio', StreamOrder: '1', Format: 'AC-3', Channels: 2, ChannelLayout: 'L R' },
  };
  const discs = { Format: 'VC-1', Format_Profile: 'Advanced', Format_Level: '3' };
  const pq = { transfer_characteristics: 'PQ', Delay: 0 };
  const transport = { ...general, Format: 'MPEG-TS' };
  const programme = { '@type': 'Menu', StreamOrder: '0' };
  const timed = { ...video, StreamOrder: '0-0', FrameRate: 25 };
  const aac = {
    ...{ ...audio, StreamOrder: '0-1', Format: 'AAC', Format_AdditionalFeatures: 'LC' },
    SamplingRate: 48_000,
  };
  const pcm = {
    ...{ ...audio, Format: 'PCM', ChannelLayout: undefined, BitDepth: 16 },
    ...{ Format_Settings_Sign: 'Signed', Format_Settings_Endianness: 'Little' },
  };
  const trueHd = { ...audio, Format: 'MLP FBA', CodecID: '131', ChannelLayout: 'L R C LFE Ls Rs' };
  const dolby = (profile: string, beside = '') => ({
    ...{ HDR_Format: 'Dolby Vision', HDR_Format_Profile: profile },
    HDR_Format_Compatibility: beside,
  });
  const read = (...track: object[]) =>
    readMediaInfo({ media: { track } } as MediaInfoResult, { sizeBytes: 1_000, isBrief: false });
  const menu = (...titles: string[]) => ({
    '@type': 'Menu',
    extra: Object.fromEntries(titles.map((title, nth) => [`_00_00_0${nth}_000`, title])),
  });

  it('nothing, in a usual film', () => {
    expect(read(general, video, audio)?.streams).to.have.length(2);
    expect(read(general, { ...video, ...pq }, pcm)?.streams[0]).to.include({ hdr: 'HDR10' });
    const sent = read(transport, timed, { ...aac, MuxingMode: 'ADTS' }, programme);
    expect(sent?.streams.map(({ index, isDefault }) => [index, isDefault])).to.deep.equal([
      [0, false],
      [1, false],
    ]);
  });

  it('PQ, while so little was read that it may not be a whole picture', () => {
    const report = { media: { track: [general, { ...video, ...pq }] } } as MediaInfoResult;
    expect(readMediaInfo(report, { sizeBytes: 1_000, isBrief: true })).to.equal(undefined);
  });

  const doubts: [name: string, ...tracks: object[]][] = [
    ['nothing in it'],
    ['no container', { '@type': 'General' }, video],
    ['another container', { ...general, Format: 'Flash Video' }, video],
    ['no length', { ...general, Duration: undefined }, video],
    ['cut off', { ...general, extra: { IsTruncated: 'Yes' } }, video],
    ['tracks of other kinds', { ...general, OtherCount: 1 }, video],
    ['no streams', general],
    ['a place that is missing', general, video, { ...audio, StreamOrder: '2' }],
    ['a place taken twice', general, video, { ...audio, StreamOrder: '0' }],
    ['no places', general, { ...video, StreamOrder: undefined }],
    ['another codec', general, { ...video, Format: 'ProRes' }],
    ['another profile', general, { ...video, Format_Profile: 'Multiview High' }],
    ['another level', general, { ...video, Format_Level: '1b' }],
    ['PQ without a picture', general, { ...video, transfer_characteristics: 'PQ' }],
    ['another PQ', general, { ...video, ...pq, HDR_Format: 'SMPTE ST 2094 App 4' }],
    ['film in lines', general, { ...video, ScanOrder: '2:3 Pulldown' }],
    ['a film on a clock without a rate', transport, { ...video, StreamOrder: '0-0' }, programme],
    ['several programmes', transport, { ...timed, StreamOrder: '0-0' }, programme, programme],
    ['sound without a header', transport, timed, { ...aac, MuxingMode: 'LATM' }, programme],
    ['sound of which no frame was read', general, video, { ...audio, ChannelLayout: undefined }],
    ['big numbers of sound', general, video, { ...pcm, Format_Settings_Endianness: 'Big' }],
    ['sound in no order', { ...general, Format: 'MPEG-4' }, video, pcm],
    ['a kind of HDR', general, { ...video, HDR_Format: 'SL-HDR1' }],
    ['Dolby Vision without a profile', general, { ...video, HDR_Format: 'Dolby Vision' }],
    ['Dolby Vision beside what is not told', general, { ...video, ...dolby('dvhe.08') }],
    ['Dolby Vision beside a number', general, { ...video, ...dolby('dvhe.08', '3') }],
    ['TrueHD of a disc', transport, timed, { ...trueHd, StreamOrder: '0-1' }, programme],
    ['full range', general, { ...video, colour_range: 'Full' }],
    ['other colours', general, { ...video, ChromaSubsampling: '4:1:1' }],
    ['lines or pictures', general, { ...video, ScanType: undefined }],
    ['VC-1 in lines', general, { ...video, ...discs, ScanType: 'Interlaced' }],
    ['objects in the sound', general, video, { ...audio, Format_AdditionalFeatures: 'JOC' }],
    ['other places of sound', general, video, { ...audio, ChannelLayout: 'L R Tfl' }],
    ['a language’s name', general, video, { ...audio, Language: 'Klingon' }],
    ['other subtitles', general, video, { '@type': 'Text', StreamOrder: '1', CodecID: 'S_KATE' }],
    ['other attachments', { ...general, extra: { Attachments: 'a.jpg / b.bin' } }, video],
    ['two editions', general, video, menu('One'), menu('One')],
    ['chapters in two languages', general, video, menu('en:One - de:Eins')],
  ];
  for (const [name, ...tracks] of doubts) {
    it(`${name}: left to ffprobe`, () => expect(read(...tracks)).to.equal(undefined));
  }

  const titles: [said: string[], read: (string | undefined)[]][] = [
    [
      ['en:One', 'en:Two'],
      ['One', 'Two'],
    ],
    [
      ['pt-BR:Um', 'pt-BR:'],
      ['Um', undefined],
    ],
    [
      ['en:One', 'Two'],
      ['en:One', 'Two'],
    ],
    [
      ['1: One', '2: Two'],
      ['1: One', '2: Two'],
    ],
  ];
  for (const [said, wanted] of titles) {
    it(`chapters ${said.join(', ')}`, () => {
      const chapters = read(general, video, menu(...said))?.chapters;
      expect(chapters?.map(({ title }) => title)).to.deep.equal(wanted);
      expect(chapters?.map(({ startMs }) => startMs)).to.deep.equal([0, 1_000]);
      expect(chapters?.at(-1)?.endMs).to.equal(60_000);
    });
  }
});
