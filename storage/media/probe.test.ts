import { expect } from 'chai';
import type { VideoStream } from './media.ts';
import { needsFrame, readProbe, withFrame, type Printed, type PrintedStream } from './probe.ts';

const video = (stream: PrintedStream, frame?: PrintedStream): VideoStream => {
  const printed: Printed = { streams: [{ codec_type: 'video', codec_name: 'hevc', ...stream }] };
  const [read] = readProbe(frame ? withFrame(printed, frame) : printed).streams;
  if (read?.type !== 'video') throw new Error('no video stream');
  return read;
};

describe('reading ffprobe', () => {
  const containers: [formats: string, container: string][] = [
    ['matroska,webm', 'matroska'],
    ['mov,mp4,m4a,3gp,3g2,mj2', 'mp4'],
    ['mpegts', 'mpegts'],
    ['avi', 'avi'],
    ['', ''],
  ];
  for (const [formats, container] of containers) {
    it(`${formats || 'nothing'} is ${container || 'nothing'}`, () => {
      expect(readProbe({ format: { format_name: formats } }).container).to.equal(container);
    });
  }

  const hdr: [name: string, stream: PrintedStream, kind: VideoStream['hdr']][] = [
    ['plain', { color_transfer: 'bt709' }, undefined],
    ['nothing said', {}, undefined],
    ['HDR10', { color_transfer: 'smpte2084' }, 'HDR10'],
    [
      'HDR10 with light levels',
      {
        color_transfer: 'smpte2084',
        side_data_list: [
          { side_data_type: 'Mastering display metadata' },
          { side_data_type: 'Content light level metadata' },
        ],
      },
      'HDR10',
    ],
    ['HLG', { color_transfer: 'arib-std-b67' }, 'HLG'],
    [
      'Dolby Vision over HDR10',
      {
        color_transfer: 'smpte2084',
        side_data_list: [{ side_data_type: 'DOVI configuration record' }],
      },
      'DolbyVision',
    ],
    ['Dolby Vision by its tag', { codec_tag_string: 'dvh1' }, 'DolbyVision'],
  ];
  for (const [name, stream, kind] of hdr) {
    it(`${name}: ${kind ?? 'no HDR'}`, () => expect(video(stream).hdr).to.equal(kind));
  }

  it('asks for a frame only where it may tell HDR10+', () => {
    const of = (stream: PrintedStream) =>
      needsFrame({ streams: [{ codec_type: 'video', ...stream }] });
    expect(of({ color_transfer: 'smpte2084' })).to.equal(true);
    expect(of({ color_transfer: 'bt709' })).to.equal(false);
    const dovi = [{ side_data_type: 'DOVI configuration record' }];
    expect(of({ color_transfer: 'smpte2084', side_data_list: dovi })).to.equal(false);
    const plus = [{ side_data_type: 'HDR Dynamic Metadata SMPTE2094-40 (HDR10+)' }];
    expect(video({ color_transfer: 'smpte2084' }, { side_data_list: plus }).hdr).to.equal('HDR10+');
  });

  const depths: [stream: PrintedStream, bits: number | undefined][] = [
    [{ pix_fmt: 'yuv420p' }, 8],
    [{ pix_fmt: 'yuv420p10le' }, 10],
    [{ pix_fmt: 'p010le' }, 10],
    [{ pix_fmt: 'yuv444p12le' }, 12],
    [{ bits_per_raw_sample: '8', pix_fmt: 'yuv420p' }, 8],
    [{}, undefined],
  ];
  for (const [stream, bits] of depths) {
    it(`${JSON.stringify(stream)} has ${bits} bits`, () => {
      expect(video(stream).bitDepth).to.equal(bits);
    });
  }

  const rates: [average: string | undefined, rate: number | undefined][] = [
    ['24000/1001', 23.976],
    ['25/1', 25],
    ['0/0', undefined],
    ['30', 30],
    [undefined, undefined],
  ];
  for (const [average, rate] of rates) {
    it(`${average} is ${rate} frames a second`, () => {
      const stream = average === undefined ? {} : { avg_frame_rate: average };
      expect(video(stream).frameRate).to.equal(rate);
    });
  }

  for (const [order, interlaced] of Object.entries({ progressive: false, tt: true, bb: true })) {
    it(`${order} is ${interlaced ? 'interlaced' : 'progressive'}`, () => {
      expect(video({ field_order: order }).interlaced).to.equal(interlaced);
    });
  }

  it('reads sound, subtitles, attachments and chapters', () => {
    const probe = readProbe({
      format: {
        format_name: 'matroska,webm',
        duration: '7200.480000',
        bit_rate: '8000000',
        tags: { TITLE: 'Heat', constructor: 'x' },
      },
      streams: [
        {
          index: 0,
          codec_type: 'audio',
          codec_name: 'dts',
          profile: 'DTS-HD MA',
          channels: 6,
          channel_layout: '5.1(side)',
          sample_rate: '48000',
          disposition: { default: 1, forced: 0 },
          tags: { language: 'ger', title: ' Deutsch ', 'BPS-eng': '3900000' },
        },
        {
          index: 1,
          codec_type: 'subtitle',
          codec_name: 'subrip',
          disposition: { forced: 1, hearing_impaired: 1 },
          tags: { language: 'und', handler_name: 'SubtitleHandler' },
        },
        { index: 2, codec_type: 'video', codec_name: 'mjpeg', disposition: { attached_pic: 1 } },
        {
          index: 3,
          codec_type: 'attachment',
          codec_name: 'ttf',
          tags: { filename: 'a.ttf', mimetype: 'application/x-truetype-font' },
        },
        { index: 4, codec_type: 'attachment', tags: { filename: 'x.txt', mimetype: 'text/plain' } },
        { index: 5, codec_type: 'data', codec_name: 'bin_data' },
      ],
      chapters: [
        { start_time: '0.000000', end_time: '60.500000', tags: { title: 'Opening' } },
        { start_time: '60.500000', end_time: '120.000000' },
      ],
    });
    expect(probe.durationMs).to.equal(7_200_480);
    expect(probe.tags['title']).to.equal('Heat');
    expect(probe.streams.map(({ index, type }) => [index, type])).to.deep.equal([
      [0, 'audio'],
      [1, 'subtitle'],
      [2, 'attachment'],
      [3, 'attachment'],
      [4, 'attachment'],
    ]);
    expect(probe.streams[0]).to.include({
      language: 'ger',
      title: 'Deutsch',
      channels: 6,
      channelLayout: '5.1(side)',
      bitrate: 3_900_000,
      isDefault: true,
    });
    expect(probe.streams[1]).to.include({
      language: undefined,
      title: undefined,
      isForced: true,
      isHearingImpaired: true,
    });
    const roles = probe.streams.map((stream) => 'role' in stream && stream.role);
    expect(roles).to.deep.equal([false, false, 'picture', 'font', 'other']);
    expect(probe.chapters).to.deep.equal([
      { startMs: 0, endMs: 60_500, title: 'Opening' },
      { startMs: 60_500, endMs: 120_000, title: undefined },
    ]);
  });

  it('takes nothing at all for nothing at all', () => {
    expect(readProbe({})).to.deep.equal({
      container: '',
      durationMs: undefined,
      bitrate: undefined,
      tags: {},
      streams: [],
      chapters: [],
    });
  });
});
