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
import {
  attached,
  audioCodecs,
  channelLayouts,
  containers,
  dolbyVisionAlone,
  dolbyVisionBases,
  microsoftCodecs,
  textCodecs,
  toldByFrames,
  videoCodecs,
  videoProfiles,
  type Attached,
  type Codec,
} from './mediainfo-words.ts';

/** The file a report is about. */
export interface Reported {
  readonly sizeBytes: number;
  /** That so little of its pictures was read that there may not have been a whole one. */
  readonly isBrief: boolean;
}

/**
 * MediaInfo's report in our words, which are ffprobe's; pure. Undefined where any part of it is not
 * in the tables: then ffprobe has the say, and nobody is told half of what a file holds.
 */
export function readMediaInfo(report: MediaInfoResult, file: Reported): Probe | undefined {
  try {
    return readReport(report.media?.track ?? [], file);
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

/** What the words of a track depend on. */
interface About {
  readonly container: string;
  readonly isBrief: boolean;
}

function readReport(tracks: readonly Track[], { sizeBytes, isBrief }: Reported): Probe {
  const general = sure(of(tracks, 'General')[0]);
  const container = sure(containers[general.Format ?? '']);
  const about: About = { container, isBrief };
  const seconds = sure(general.Duration);
  // Cut off, or of kinds that ffprobe would number and MediaInfo only counts.
  if (general.extra?.['IsTruncated'] !== undefined || general.OtherCount) throw new Unknown();
  const streams = [
    ...of(tracks, 'Video').map((track) => readVideo(track, about)),
    ...of(tracks, 'Audio').map((track) => readAudio(track, about)),
    ...of(tracks, 'Text').map((track) => readText(track, about)),
  ].sort((a, b) => a.index - b.index);
  const menus = container === 'mpegts' ? oneProgramme(of(tracks, 'Menu')) : of(tracks, 'Menu');
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

/**
 * A transport stream's menus are its programmes, of which one alone is left out where it has no
 * name, as on discs. Of several, each numbers its streams anew.
 */
function oneProgramme(menus: readonly MenuTrack[]): readonly [] {
  if (menus.length > 1) throw new Unknown();
  return [];
}

/** What was said more than once, by the container and by the stream, is joined by slashes. */
const first = (value: string | undefined): string | undefined => value?.split(' / ')[0];

type Stream = VideoTrack | AudioTrack | TextTrack;

function readBase(track: Stream, { container }: About) {
  const hasFlags = container === 'matroska' || container === 'mp4';
  return {
    index: indexOf(track),
    language: languageOf(track.Language),
    title: track.Title,
    // Matroska's report always says so, MP4's only where a track is switched off or one of several.
    isDefault: hasFlags && first(track.Default) !== 'No',
    isForced: first(track.Forced) === 'Yes',
  };
}

function indexOf({ StreamOrder: order }: Track): number {
  // In a transport stream the programme stands before it.
  return Number(sure(/^(0-)?(\d+)$/.exec(order ?? '')?.[2]));
}

/** Chapters that are a track of their own take up a number too. */
const indexOfMenu = (menu: MenuTrack): number[] =>
  menu.StreamOrder === undefined ? [] : [indexOf(menu)];

function languageOf(tag: string | undefined): string | undefined {
  if (tag === undefined) return undefined;
  return sure(/^([a-z]{2,3})(-[\w-]+)?$/.exec(tag)?.[1]);
}

function readVideo(track: VideoTrack, about: About): VideoStream {
  const isTransport = about.container === 'mpegts';
  const bitDepth = track.BitDepth ?? 8;
  // Full range changes what the pixels are called; film in lines has two rates.
  if (first(track.colour_range) === 'Full') throw new Unknown();
  if (track.ScanOrder?.includes('Pulldown') === true) throw new Unknown();
  const named = nameVideo(track);
  return {
    ...readBase(track, about),
    type: 'video',
    ...named,
    width: sure(track.Width),
    height: sure(track.Height),
    frameRate: isTransport ? sure(track.FrameRate) : track.FrameRate,
    variableFrameRate: about.container !== 'avi' && first(track.FrameRate_Mode) === 'VFR',
    bitDepth,
    pixelFormat: pixelFormatOf(track.ChromaSubsampling, bitDepth),
    ...hdrOf(track, about),
    interlaced: isInterlaced(track, named.codec),
    // Of a transport stream only the ends were read.
    bitrate: isTransport ? undefined : whole(track.BitRate),
  };
}

function nameVideo(track: VideoTrack): Pick<VideoStream, 'codec' | 'profile' | 'level'> {
  const microsoft = microsoftCodecs[track.CodecID ?? ''];
  if (microsoft !== undefined) return { codec: microsoft, profile: undefined, level: undefined };
  const format = nameOf(track.Format, track.Format === 'MPEG Video' && track.Format_Version);
  const { codec, level } = sure(videoCodecs[format]);
  const profile = sure(videoProfiles[format]?.[track.Format_Profile ?? '']);
  return { codec, profile, level: levelOf(track.Format_Level, level) };
}

const nameOf = (...parts: (string | false | undefined)[]): string =>
  parts.filter(Boolean).join(' ');

type Hdr = Pick<VideoStream, 'hdr' | 'dolbyVisionProfile'>;

/** Which kind of PQ it is stands in every picture, so that a whole one must have been read. */
function hdrOf(track: VideoTrack, { container, isBrief }: About): Hdr {
  const [kind, transfer] = [first(track.HDR_Format), first(track.transfer_characteristics)];
  // That it is Dolby's is told by the container, which is enough for ffprobe too.
  if (kind === 'Dolby Vision') return dolbyVision(track);
  const plain = { dolbyVisionProfile: undefined };
  if (transfer === 'PQ') {
    const hasPicture = container !== 'matroska' || track.Delay !== undefined;
    const isPlain = (track.HDR_Format ?? 'SMPTE ST 2086') === 'SMPTE ST 2086';
    if (isBrief || !hasPicture || !isPlain) throw new Unknown();
    return { ...plain, hdr: 'HDR10' };
  }
  if (kind !== undefined) throw new Unknown();
  return { ...plain, hdr: transfer === 'HLG' ? 'HLG' : undefined };
}

function dolbyVision(track: VideoTrack): Hdr {
  const profile = Number(sure(/\.(\d\d)$/.exec(first(track.HDR_Format_Profile) ?? '')?.[1]));
  const base = first(track.HDR_Format_Compatibility) ?? '';
  const isAlone = dolbyVisionAlone.has(profile) && base === '';
  // Elsewhere MediaInfo leaves out both that it is compatible with none and, now and then, HDR10.
  const name = isAlone ? `${profile}` : `${profile}.${sure(dolbyVisionBases[base])}`;
  return { hdr: 'DolbyVision', dolbyVisionProfile: name };
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
  // The others of what we trust are whole pictures unless they say so.
  if (scan === undefined && ['h264', 'mpeg2video', 'vc1'].includes(codec)) throw new Unknown();
  const isLines = scan !== undefined && first(scan) !== 'Progressive';
  // Nothing at hand writes it, so that nobody knows what ffprobe says of it.
  if (isLines && codec === 'vc1') throw new Unknown();
  return isLines;
}

const discTrueHd = '131';

function readAudio(track: AudioTrack, about: About): AudioStream {
  const { codec, profile } = sure(track.Format === 'PCM' ? nameOfPcm(track) : nameAudio(track));
  const channels = sure(track.Channels);
  // MP4 tells all of it but objects without a frame, which are there all the same.
  if (codec === 'eac3' && track.extra?.['bsid'] === undefined) throw new Unknown();
  if (profile?.startsWith('DTS-HD') === true && track.SamplingRate !== 48_000) throw new Unknown();
  // On discs, ffprobe counts the AC-3 within as a stream of its own, whether there is any or not.
  if (about.container === 'mpegts' && track.CodecID === discTrueHd) throw new Unknown();
  if (codec === 'aac') doubtAac(track, about);
  return {
    ...readBase(track, about),
    type: 'audio',
    codec,
    profile,
    channels,
    channelLayout: layoutOf(track, { codec, channels, ...about }),
    sampleRate: whole(track.SamplingRate),
    bitrate: whole(track.BitRate),
  };
}

/** The highest rate at which LC may be half of HE-AAC without a word of it. */
const halfRateMax = 24_000;

function doubtAac(track: AudioTrack, { container }: About): void {
  const isReplicated = track.Format_AdditionalFeatures === 'LC SBR';
  // Without a header of its own it is another codec to ffprobe.
  const isOther = container === 'mpegts' && track.MuxingMode !== 'ADTS';
  // ffprobe takes one channel for two that are coded as one, whether they are or not.
  const isMono = isReplicated && ['M', undefined].includes(track.ChannelLayout);
  // Only frames tell, and not whether there was one.
  const isHalf = !isReplicated && !(sure(track.SamplingRate) > halfRateMax);
  if (isOther || isMono || isHalf) throw new Unknown();
}

const nameAudio = (track: AudioTrack) =>
  audioCodecs[nameOf(track.Format, track.Format_Profile, track.Format_AdditionalFeatures)];

function nameOfPcm(track: AudioTrack): { codec: string; profile?: undefined } {
  const { BitDepth: bits, Format_Settings_Sign: sign, Format_Settings_Endianness: order } = track;
  if (bits === 8 && sign === 'Unsigned') return { codec: 'pcm_u8' };
  const isKnown = bits === 16 || bits === 24;
  if (!isKnown || sign !== 'Signed' || order !== 'Little') throw new Unknown();
  return { codec: `pcm_s${bits}le` };
}

interface Sound extends About {
  readonly codec: string;
  readonly channels: number;
}

function layoutOf(track: AudioTrack, sound: Sound): string | undefined {
  const { codec, channels } = sound;
  const places = track.ChannelLayout;
  // Who wrote no order down meant none, and ffprobe makes none up.
  if (codec.startsWith('pcm_') && places === undefined) {
    return sound.container === 'mp4' ? sure(undefined) : undefined;
  }
  // Where the frames tell it, and it is not told, none was read.
  if (toldByFrames.has(codec)) sure(places);
  const order = places ?? { 1: 'M', 2: 'L R' }[channels] ?? '';
  return sure(channelLayouts[order] ?? channelLayouts[`${codec} ${order}`]);
}

const readText = (track: TextTrack, about: About): SubtitleStream => ({
  ...readBase(track, about),
  type: 'subtitle',
  codec: sure(textCodecs[track.CodecID ?? '']),
  isHearingImpaired: track.ServiceKind?.split(' / ').includes('HI') ?? false,
});

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
