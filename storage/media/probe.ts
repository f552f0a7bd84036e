import type { AttachmentStream, AudioStream, Probe, ProbeStream, VideoStream } from './media.ts';

/** What ffprobe prints with `-show_format -show_streams -show_chapters`; all of it may be absent. */
export interface Printed {
  readonly format?: {
    readonly format_name?: string;
    readonly duration?: string;
    readonly bit_rate?: string;
    readonly tags?: Readonly<Record<string, string>>;
  };
  readonly streams?: readonly PrintedStream[];
  readonly chapters?: readonly {
    readonly start_time?: string;
    readonly end_time?: string;
    readonly tags?: Readonly<Record<string, string>>;
  }[];
}

/** What goes with a stream; the last two with Dolby Vision's. */
interface SideData {
  readonly side_data_type?: string;
  readonly dv_profile?: number;
  readonly dv_bl_signal_compatibility_id?: number;
}

/** One stream as ffprobe prints it. */
export interface PrintedStream {
  readonly index?: number;
  readonly codec_type?: string;
  readonly codec_name?: string;
  readonly codec_tag_string?: string;
  readonly profile?: string;
  readonly level?: number;
  readonly width?: number;
  readonly height?: number;
  readonly avg_frame_rate?: string;
  readonly r_frame_rate?: string;
  readonly bits_per_raw_sample?: string;
  readonly pix_fmt?: string;
  readonly field_order?: string;
  readonly color_transfer?: string;
  readonly bit_rate?: string;
  readonly channels?: number;
  readonly channel_layout?: string;
  readonly sample_rate?: string;
  readonly disposition?: Readonly<Record<string, number>>;
  readonly tags?: Readonly<Record<string, string>>;
  readonly side_data_list?: readonly SideData[];
}

/** ffprobe's JSON in our words; pure. */
export function readProbe(printed: Printed): Probe {
  const format = printed.format ?? {};
  return {
    container: containerOf(format.format_name ?? ''),
    durationMs: milliseconds(format.duration),
    bitrate: positive(format.bit_rate),
    tags: lowerCase(format.tags),
    streams: (printed.streams ?? []).flatMap((stream, at) => readStream(stream, at) ?? []),
    chapters: (printed.chapters ?? []).map((chapter) => ({
      startMs: milliseconds(chapter.start_time) ?? 0,
      endMs: milliseconds(chapter.end_time) ?? 0,
      title: textOf(lowerCase(chapter.tags)['title']),
    })),
  };
}

/** Whether only the first frame can tell HDR10 from HDR10+ (its metadata is per frame). */
export function needsFrame(printed: Printed): boolean {
  const video = printed.streams?.find((stream) => stream.codec_type === 'video');
  return (
    video?.color_transfer === 'smpte2084' && !hasSideData(video, /dovi|dynamic hdr10|2094-40/i)
  );
}

/** Adds the side data of a stream's first frame to the stream. */
export function withFrame(printed: Printed, frame: Pick<PrintedStream, 'side_data_list'>): Printed {
  let isFirst = true;
  const streams = printed.streams?.map((stream) => {
    if (stream.codec_type !== 'video' || !isFirst) return stream;
    isFirst = false;
    const both = [...(stream.side_data_list ?? []), ...(frame.side_data_list ?? [])];
    return { ...stream, side_data_list: both };
  });
  return streams ? { ...printed, streams } : printed;
}

function readStream(stream: PrintedStream, at: number): ProbeStream | undefined {
  switch (stream.codec_type ?? 'none') {
    case 'video':
      return stream.disposition?.['attached_pic'] === 1
        ? readAttachment(stream, at)
        : readVideo(stream, at);
    case 'audio':
      return readAudio(stream, at);
    case 'subtitle':
      return {
        ...readBase(stream, at),
        type: 'subtitle',
        isHearingImpaired: stream.disposition?.['hearing_impaired'] === 1,
      };
    case 'attachment':
      return readAttachment(stream, at);
    default:
      return undefined; // data streams (time codes, GPS) are of no use to a viewer
  }
}

function readBase(stream: PrintedStream, at: number) {
  const tags = lowerCase(stream.tags);
  return {
    index: stream.index ?? at,
    codec: stream.codec_name ?? 'unknown',
    language: languageOf(tags['language']),
    title: textOf(tags['title']) ?? handlerOf(tags['handler_name']),
    isDefault: stream.disposition?.['default'] === 1,
    isForced: stream.disposition?.['forced'] === 1,
  };
}

function readVideo(stream: PrintedStream, at: number): VideoStream {
  return {
    ...readBase(stream, at),
    type: 'video',
    profile: stream.profile,
    level: stream.level !== undefined && stream.level > 0 ? stream.level : undefined,
    width: stream.width ?? 0,
    height: stream.height ?? 0,
    frameRate: rate(stream.avg_frame_rate) ?? rate(stream.r_frame_rate),
    variableFrameRate: undefined,
    bitDepth: positive(stream.bits_per_raw_sample) ?? depthOf(stream.pix_fmt),
    pixelFormat: stream.pix_fmt,
    hdr: hdrOf(stream),
    dolbyVisionProfile: dolbyVisionOf(stream),
    interlaced: ['tt', 'bb', 'tb', 'bt'].includes(stream.field_order ?? ''),
    bitrate: bitrateOf(stream),
  };
}

function readAudio(stream: PrintedStream, at: number): AudioStream {
  return {
    ...readBase(stream, at),
    type: 'audio',
    profile: stream.profile,
    channels: stream.channels ?? 0,
    channelLayout: stream.channel_layout,
    sampleRate: positive(stream.sample_rate),
    bitrate: bitrateOf(stream),
  };
}

function readAttachment(stream: PrintedStream, at: number): AttachmentStream {
  const tags = lowerCase(stream.tags);
  const mimeType = tags['mimetype'];
  return {
    ...readBase(stream, at),
    type: 'attachment',
    role: roleOf(stream, mimeType),
    fileName: tags['filename'],
    mimeType,
  };
}

function roleOf(stream: PrintedStream, mimeType: string | undefined): AttachmentStream['role'] {
  if (stream.codec_type === 'video' || mimeType?.startsWith('image/')) return 'picture';
  const isFont = /font|truetype|opentype/i.test(mimeType ?? '');
  return isFont || ['ttf', 'otf'].includes(stream.codec_name ?? '') ? 'font' : 'other';
}

function hdrOf(stream: PrintedStream): VideoStream['hdr'] {
  const isDolby =
    hasSideData(stream, /dovi/i) || /^(dvh|dvav|dva1|dav1)/.test(stream.codec_tag_string ?? '');
  if (isDolby) return 'DolbyVision';
  if (stream.color_transfer === 'arib-std-b67') return 'HLG';
  if (stream.color_transfer !== 'smpte2084') return undefined;
  return hasSideData(stream, /dynamic hdr10|2094-40|hdr10\+/i) ? 'HDR10+' : 'HDR10';
}

function dolbyVisionOf(stream: PrintedStream): string | undefined {
  const record = stream.side_data_list?.find((data) => data.dv_profile !== undefined);
  const { dv_profile: profile, dv_bl_signal_compatibility_id: base } = record ?? {};
  if (profile === undefined) return undefined;
  return base === undefined || base === 0 ? String(profile) : `${profile}.${base}`;
}

function hasSideData(stream: PrintedStream, type: RegExp): boolean {
  return stream.side_data_list?.some((data) => type.test(data.side_data_type ?? '')) ?? false;
}

/** ffprobe names a demuxer, which may stand for several containers; the first known one is ours. */
function containerOf(formats: string): string {
  const names = formats.split(',');
  if (names.includes('matroska')) return 'matroska';
  if (names.includes('mp4')) return 'mp4';
  return names[0] ?? '';
}

function bitrateOf(stream: PrintedStream): number | undefined {
  const tags = lowerCase(stream.tags);
  // Matroska carries no bit rate of its own; mkvmerge writes it in the statistics tags.
  return positive(stream.bit_rate) ?? positive(tags['bps']) ?? positive(tags['bps-eng']);
}

function depthOf(pixelFormat: string | undefined): number | undefined {
  if (pixelFormat === undefined) return undefined;
  const named = /p0?(9|10|12|14|16)(le|be)?$/.exec(pixelFormat)?.[1];
  return named === undefined ? 8 : Number(named);
}

function languageOf(tag: string | undefined): string | undefined {
  const language = textOf(tag)?.toLowerCase();
  return language === 'und' || language === '```' ? undefined : language;
}

/** MP4 has handler names where Matroska has titles; muxers fill them with noise. */
function handlerOf(name: string | undefined): string | undefined {
  const isNoise = /handler|^iso media|mainconcept|gpac|^l-smash|core media/i.test(name ?? '');
  return isNoise ? undefined : textOf(name);
}

function textOf(value: string | undefined): string | undefined {
  const text = value?.trim();
  return text === '' ? undefined : text;
}

function rate(fraction: string | undefined): number | undefined {
  const [above = NaN, below = 1] = (fraction ?? '').split('/').map(Number);
  const value = Math.round((above / below) * 1_000) / 1_000;
  return Number.isFinite(value) && value > 0 ? value : undefined;
}

function positive(text: string | undefined): number | undefined {
  const value = Number(text);
  return Number.isFinite(value) && value > 0 ? value : undefined;
}

function milliseconds(seconds: string | undefined): number | undefined {
  const value = Number(seconds);
  return seconds !== undefined && Number.isFinite(value) ? Math.round(value * 1_000) : undefined;
}

function lowerCase(tags: Readonly<Record<string, string>> | undefined): Record<string, string> {
  // Without a prototype, so that a tag may have any name.
  const lower = Object.create(null) as Record<string, string>;
  for (const [name, value] of Object.entries(tags ?? {})) lower[name.toLowerCase()] = String(value);
  return lower;
}
