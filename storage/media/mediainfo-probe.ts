import type {
  AudioTrack,
  GeneralTrack,
  MediaInfoResult,
  MenuTrack,
  TextTrack,
  Track,
  VideoTrack,
} from 'mediainfo.js';
import type { AttachmentStream, AudioStream, Probe, SubtitleStream, VideoStream } from './media.ts';

/**
 * MediaInfo's report in our words, which are ffprobe's; pure. Undefined where any part of it is not
 * in the tables below: then ffprobe has the say, and nobody is told half of what a file holds.
 */
export function readMediaInfo(report: MediaInfoResult, sizeBytes: number): Probe | undefined {
  try {
    return readReport(report.media?.track ?? [], sizeBytes);
  } catch (error) {
    if (error instanceof Unknown) return undefined;
    throw error;
  }
}

/** Thrown at the first thing that has no certain word. */
class Unknown extends Error {}

/** A value that must be there, or nothing about the file is certain. */
function sure<Value>(value: Value | undefined): Value {
  if (value === undefined) throw new Unknown();
  return value;
}

const of = <Kind extends Track['@type']>(tracks: readonly Track[], kind: Kind) =>
  tracks.filter((track) => track['@type'] === kind) as Extract<Track, { '@type': Kind }>[];

const containers: Readonly<Record<string, string>> = {
  Matroska: 'matroska',
  WebM: 'matroska',
  'MPEG-4': 'mp4',
};

function readReport(tracks: readonly Track[], sizeBytes: number): Probe {
  const general = sure(of(tracks, 'General')[0]);
  const container = sure(containers[general.Format ?? '']);
  const seconds = sure(general.Duration);
  // Cut off, or of kinds that ffprobe would number and MediaInfo only counts.
  if (general.extra?.['IsTruncated'] !== undefined || general.OtherCount) throw new Unknown();
  const streams = [
    ...of(tracks, 'Video').map(readVideo),
    ...of(tracks, 'Audio').map(readAudio),
    ...of(tracks, 'Text').map(readText),
  ].sort((a, b) => a.index - b.index);
  const menus = of(tracks, 'Menu');
  const numbered = [...streams.map(({ index }) => index), ...menus.flatMap(indexOfMenu)];
  const count = numbered.length;
  if (
    streams.length === 0 ||
    new Set(numbered).size !== count ||
    Math.max(...numbered) !== count - 1
  )
    throw new Unknown();
  const durationMs = Math.round(seconds * 1_000);
  return {
    container,
    durationMs,
    bitrate: durationMs > 0 ? Math.round((sizeBytes * 8_000) / durationMs) : undefined,
    tags: general.Title === undefined ? {} : { title: general.Title },
    streams: [...streams, ...readAttachments(tracks, general, count)],
    chapters: readChapters(menus, durationMs),
  };
}

/** What was said more than once, by the container and by the stream, is joined by slashes. */
const first = (value: string | undefined): string | undefined => value?.split(' / ')[0];

type Stream = VideoTrack | AudioTrack | TextTrack;

function readBase(track: Stream) {
  return {
    index: indexOf(track),
    language: languageOf(track.Language),
    title: track.Title,
    // Matroska's report always says so, MP4's only where a track is switched off or one of several.
    isDefault: first(track.Default) !== 'No',
    isForced: first(track.Forced) === 'Yes',
  };
}

function indexOf({ StreamOrder: order }: Track): number {
  if (order === undefined || !/^\d+$/.test(order)) throw new Unknown();
  return Number(order);
}

/** Chapters that are a track of their own take up a number too. */
const indexOfMenu = (menu: MenuTrack): number[] =>
  menu.StreamOrder === undefined ? [] : [indexOf(menu)];

function languageOf(tag: string | undefined): string | undefined {
  if (tag === undefined) return undefined;
  return sure(/^([a-z]{2,3})(-[\w-]+)?$/.exec(tag)?.[1]);
}

type Codec = Readonly<{ codec: string; level?: (level: string) => number | undefined }>;

const videoCodecs: Readonly<Record<string, Codec>> = {
  AVC: { codec: 'h264', level: (level) => Math.round(Number(level) * 10) },
  HEVC: { codec: 'hevc', level: (level) => Math.round(Number(level) * 30) },
  AV1: { codec: 'av1', level: av1Level },
  VP8: { codec: 'vp8' },
  VP9: { codec: 'vp9' },
};

/** seq_level_idx of AV1's annex A; ffprobe's 0, which is level 2.0, counts as none. */
function av1Level(level: string): number | undefined {
  const [major = NaN, minor = NaN] = level.split('.').map(Number);
  return (major - 2) * 4 + minor || undefined;
}

const videoProfiles: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  AVC: same(
    'Baseline',
    'Constrained Baseline',
    'Main',
    'High',
    'High 10',
    'High 4:2:2',
    'High 4:4:4 Predictive',
  ),
  HEVC: {
    ...same('Main', 'Main 10'),
    'Main 4:2:0 12': 'Rext',
    'Main 4:2:2 10': 'Rext',
    'Main 4:4:4': 'Rext',
  },
  AV1: same('Main', 'High', 'Professional'),
  VP8: { '': '0' },
  VP9: { 0: 'Profile 0', 1: 'Profile 1', 2: 'Profile 2', 3: 'Profile 3' },
};

function same(...names: string[]): Record<string, string> {
  return Object.fromEntries(names.map((name) => [name, name]));
}

function readVideo(track: VideoTrack): VideoStream {
  const format = track.Format ?? '';
  const { codec, level } = sure(videoCodecs[format]);
  const bitDepth = track.BitDepth ?? 8;
  // Which kind of HDR it is stands in frames, and full range changes what the pixels are called.
  const transfer = first(track.transfer_characteristics);
  if (track.HDR_Format !== undefined || transfer === 'PQ') throw new Unknown();
  if (first(track.colour_range) === 'Full') throw new Unknown();
  return {
    ...readBase(track),
    type: 'video',
    codec,
    profile: sure(videoProfiles[format]?.[track.Format_Profile ?? '']),
    level: levelOf(track.Format_Level, level),
    width: sure(track.Width),
    height: sure(track.Height),
    frameRate: track.FrameRate,
    variableFrameRate: first(track.FrameRate_Mode) === 'VFR',
    bitDepth,
    pixelFormat: pixelFormatOf(track.ChromaSubsampling, bitDepth),
    hdr: transfer === 'HLG' ? 'HLG' : undefined,
    dolbyVisionProfile: undefined,
    interlaced: isInterlaced(track, codec),
    bitrate: whole(track.BitRate),
  };
}

function levelOf(text: string | undefined, read: Codec['level']): number | undefined {
  const level = text === undefined ? undefined : read?.(text);
  if (Number.isNaN(level)) throw new Unknown();
  return level;
}

function pixelFormatOf(chroma = '4:2:0', bitDepth: number): string {
  const name = sure({ '4:2:0': '420', '4:2:2': '422', '4:4:4': '444' }[chroma]);
  return `yuv${name}p${bitDepth > 8 ? `${bitDepth}le` : ''}`;
}

function isInterlaced({ ScanType: scan }: VideoTrack, codec: string): boolean {
  // Only H.264 leaves it open in what we trust: all others are whole pictures unless they say so.
  if (scan === undefined && codec === 'h264') throw new Unknown();
  return scan !== undefined && first(scan) !== 'Progressive';
}

const audioCodecs: Readonly<Record<string, { codec: string; profile?: string }>> = {
  'AAC LC': { codec: 'aac', profile: 'LC' },
  'AC-3': { codec: 'ac3' },
  'E-AC-3': { codec: 'eac3' },
  DTS: { codec: 'dts', profile: 'DTS' },
  'MLP FBA': { codec: 'truehd' },
  FLAC: { codec: 'flac' },
  Opus: { codec: 'opus' },
  Vorbis: { codec: 'vorbis' },
  'MPEG Audio Layer 3': { codec: 'mp3' },
  'MPEG Audio Layer 2': { codec: 'mp2' },
};

/** By the order in which a codec stores its channels; what has one name in both comes first. */
const channelLayouts: Readonly<Record<string, string>> = {
  M: 'mono',
  C: 'mono',
  'L R': 'stereo',
  'L R C LFE Ls Rs': '5.1(side)',
  'dts C L R Ls Rs LFE': '5.1(side)',
  'aac C L R Ls Rs LFE': '5.1',
  'L R C LFE Lb Rb': '5.1',
  'L R C Lb Rb LFE': '5.1',
  'L R LFE': '2.1',
  'L R C Ls Rs': '5.0(side)',
  'dts C L R Ls Rs': '5.0(side)',
  'L R C LFE Lb Rb Ls Rs': '7.1',
  'L R C Ls Rs Lb Rb LFE': '7.1',
};

function readAudio(track: AudioTrack): AudioStream {
  const name = [track.Format, track.Format_Profile, track.Format_AdditionalFeatures];
  const { codec, profile } = sure(audioCodecs[name.filter(Boolean).join(' ')]);
  const channels = sure(track.Channels);
  return {
    ...readBase(track),
    type: 'audio',
    codec,
    profile,
    channels,
    channelLayout: layoutOf(track.ChannelLayout, { codec, channels }),
    sampleRate: whole(track.SamplingRate),
    bitrate: whole(track.BitRate),
  };
}

function layoutOf(
  places: string | undefined,
  { codec, channels }: { codec: string; channels: number },
): string {
  const order = places ?? { 1: 'M', 2: 'L R' }[channels] ?? '';
  return sure(channelLayouts[order] ?? channelLayouts[`${codec} ${order}`]);
}

/** By the container's id of the codec. */
const textCodecs: Readonly<Record<string, string>> = {
  'S_TEXT/UTF8': 'subrip',
  'S_TEXT/ASS': 'ass',
  'S_TEXT/SSA': 'ass',
  'S_TEXT/WEBVTT': 'webvtt',
  'D_WEBVTT/SUBTITLES': 'webvtt',
  S_VOBSUB: 'dvd_subtitle',
  'S_HDMV/PGS': 'hdmv_pgs_subtitle',
  S_DVBSUB: 'dvb_subtitle',
  tx3g: 'mov_text',
};

const readText = (track: TextTrack): SubtitleStream => ({
  ...readBase(track),
  type: 'subtitle',
  codec: sure(textCodecs[track.CodecID ?? '']),
  isHearingImpaired: track.ServiceKind?.split(' / ').includes('HI') ?? false,
});

type Attached = Pick<AttachmentStream, 'codec' | 'role' | 'mimeType'>;

/** Matroska's report has the names of attachments, and not their types. */
const attached: Readonly<Record<string, Attached>> = {
  jpg: { codec: 'mjpeg', role: 'picture', mimeType: 'image/jpeg' },
  jpeg: { codec: 'mjpeg', role: 'picture', mimeType: 'image/jpeg' },
  png: { codec: 'png', role: 'picture', mimeType: 'image/png' },
  ttf: { codec: 'ttf', role: 'font', mimeType: 'font/ttf' },
  otf: { codec: 'otf', role: 'font', mimeType: 'font/otf' },
};

/** Attachments and covers, numbered after the tracks as ffprobe numbers them. */
function readAttachments(
  tracks: readonly Track[],
  { extra }: GeneralTrack,
  count: number,
): AttachmentStream[] {
  const names = extra?.['Attachments'];
  const found: (Attached & { fileName?: string })[] =
    typeof names === 'string'
      ? names.split(' / ').map((fileName) => {
          const ending = fileName.slice(fileName.lastIndexOf('.') + 1).toLowerCase();
          return { ...sure(attached[ending]), fileName };
        })
      : of(tracks, 'Image').map(({ Format }) => ({
          ...sure({ JPEG: attached['jpg'], PNG: attached['png'] }[Format ?? '']),
          mimeType: undefined,
        }));
  return found.map(({ fileName, ...facts }, nth) => ({
    index: count + nth,
    type: 'attachment',
    ...facts,
    fileName,
    ...{ language: undefined, title: undefined, isDefault: false, isForced: false },
  }));
}

const chapterKey = /^_(\d+)_(\d\d)_(\d\d)_(\d{3})$/;
const languagePrefix = /^[a-z]{2,3}(-[\w-]+)?:/;
const secondLanguage = / - [a-z]{2,3}(-[\w-]+)?:/;

/** One list of chapters; of several editions, or names in several languages, ffprobe chooses. */
function readChapters(menus: readonly MenuTrack[], durationMs: number): Probe['chapters'] {
  const lists = menus.filter(({ extra }) => Object.keys(extra ?? {}).some(isChapter));
  if (lists.length > 1) throw new Unknown();
  const entries = Object.entries(lists[0]?.extra ?? {}).filter(([key]) => isChapter(key));
  const titles = entries.map(([, title]) => String(title));
  if (titles.some((title) => secondLanguage.test(title))) throw new Unknown();
  const isPrefixed = titles.every((title) => languagePrefix.test(title));
  const starts = entries.map(([key]) => startOf(key));
  return titles.map((title, nth) => ({
    startMs: starts[nth] ?? 0,
    endMs: starts[nth + 1] ?? durationMs,
    title: (isPrefixed ? title.replace(languagePrefix, '') : title).trim() || undefined,
  }));
}

const isChapter = (key: string): boolean => chapterKey.test(key);

function startOf(key: string): number {
  const [hours = 0, minutes = 0, seconds = 0, ms = 0] =
    chapterKey.exec(key)?.slice(1).map(Number) ?? [];
  return ((hours * 60 + minutes) * 60 + seconds) * 1_000 + ms;
}

const whole = (value: number | undefined): number | undefined =>
  value === undefined || !(value > 0) ? undefined : Math.round(value);
