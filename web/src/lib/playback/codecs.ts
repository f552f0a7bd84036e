/** A stream as the server describes it; only what a browser's answer depends on. */
export interface Stream {
  readonly type: string;
  readonly codec: string;
  readonly profile?: string | undefined;
  readonly level?: number | undefined;
  readonly bitDepth?: number | undefined;
  readonly isDefault?: boolean | undefined;
}

/** A file as far as it matters for whether a browser plays it. */
export interface Playable {
  readonly container?: string | undefined;
  readonly streams: readonly Stream[];
}

/** Why a browser will not play a file: what it cannot read, by name. */
export interface Obstacle {
  readonly what: 'container' | 'video' | 'audio';
  readonly name: string;
}

/** `maybe`: the browser promises nothing, and trying costs nothing. */
export interface Verdict {
  readonly answer: 'yes' | 'maybe' | 'no';
  readonly obstacles: readonly Obstacle[];
  /** Plays, but without sound. */
  readonly isMute: boolean;
}

/** What a browser says of a type; `HTMLMediaElement.canPlayType`. */
export type CanPlay = (type: string) => '' | 'maybe' | 'probably';

const avcProfiles: Readonly<Record<string, string>> = {
  'constrained baseline': '42e0',
  baseline: '4200',
  main: '4d00',
  high: '6400',
  'high 10': '6e00',
  'high 4:2:2': '7a00',
  'high 4:4:4 predictive': 'f400',
};
const hex = (value: number) => Math.round(value).toString(16).padStart(2, '0');
const two = (value: number) => String(Math.round(value)).padStart(2, '0');

/** What browsers call a codec, by its lower-case name here (RFC 6381). */
const codecStrings: Readonly<Record<string, (stream: Required<Named>) => string>> = {
  // A level that is not known is taken for 4.0, which nearly all films keep to.
  h264: ({ profile, level }) =>
    `avc1.${avcProfiles[profile.toLowerCase()] ?? '6400'}${hex(level > 0 ? level : 40)}`,
  hevc: ({ profile, level }) =>
    `hvc1.${/10/.test(profile) ? '2.4' : '1.6'}.L${level > 0 ? level : 120}.B0`,
  vp8: () => 'vp8',
  vp9: ({ profile, level, bitDepth }) =>
    `vp09.${/2/.test(profile) ? '02' : '00'}.${level > 0 ? level : 41}.${two(bitDepth)}`,
  av1: ({ bitDepth }) => `av01.0.08M.${two(bitDepth)}`,
  theora: () => 'theora',
  aac: ({ profile }) => (/^he/i.test(profile) ? 'mp4a.40.5' : 'mp4a.40.2'),
  mp3: () => 'mp4a.6B',
  ac3: () => 'ac-3',
  eac3: () => 'ec-3',
  opus: () => 'opus',
  vorbis: () => 'vorbis',
  flac: () => 'flac',
};

type Named = Pick<Stream, 'profile' | 'level' | 'bitDepth'>;

/** A codec's name for a MIME type (RFC 6381); undefined for what no browser has a name for. */
export function codecString({ codec, profile = '', level = 0, bitDepth = 8 }: Stream) {
  const name = codec.toLowerCase();
  if (!Object.hasOwn(codecStrings, name)) return undefined;
  return codecStrings[name]?.({ profile, level, bitDepth });
}

/** As ffprobe names containers. */
function containerTypes(container: string): readonly string[] {
  const names = container.toLowerCase();
  if (/\b(mp4|mov|m4v|m4a|3gp)\b/.test(names)) return ['video/mp4'];
  if (/\bwebm\b/.test(names) && !/\bmatroska\b/.test(names)) return ['video/webm'];
  // Browsers that read WebM read its elder brother too, though they do not say so.
  if (/\b(matroska|mkv|webm)\b/.test(names)) return ['video/webm', 'video/mp4'];
  if (/\bogg\b/.test(names)) return ['video/ogg'];
  return [];
}

/** Whether this browser plays a file as it is, and if not, why. Pure. */
export function judge(file: Playable, canPlay: CanPlay): Verdict {
  const video = pick(file.streams, 'video');
  const audio = pick(file.streams, 'audio');
  const types = containerTypes(file.container ?? '');
  const obstacles: Obstacle[] = [];
  if (types.length === 0) obstacles.push({ what: 'container', name: file.container ?? '?' });
  const isKnown = (stream: Stream) => plays(stream, types, canPlay);
  if (video && !isKnown(video)) obstacles.push({ what: 'video', name: nameOf(video) });
  const isMute = audio !== undefined && !isKnown(audio);
  if (isMute) obstacles.push({ what: 'audio', name: nameOf(audio) });
  const blocks = obstacles.some(({ what }) => what !== 'audio');
  if (blocks) return { answer: 'no', obstacles, isMute };
  const isPromised =
    /\b(mp4|mov|webm)\b/.test(file.container ?? '') && !/matroska/.test(file.container ?? '');
  return { answer: isPromised && !isMute ? 'yes' : 'maybe', obstacles, isMute };
}

const pick = (streams: readonly Stream[], type: string): Stream | undefined =>
  streams.find((stream) => stream.type === type && stream.isDefault) ??
  streams.find((stream) => stream.type === type);

function plays(stream: Stream, types: readonly string[], canPlay: CanPlay): boolean {
  const codec = codecString(stream);
  if (codec === undefined) return false;
  // In any of its containers: a browser has one decoder, whatever the bytes came in.
  const all = [...new Set([...types, 'video/mp4', 'video/webm'])];
  return all.some((type) => canPlay(`${type}; codecs="${codec}"`) !== '');
}

const names: Readonly<Record<string, string>> = {
  h264: 'H.264',
  hevc: 'H.265 (HEVC)',
  mpeg4: 'MPEG-4 ASP',
  mpeg2video: 'MPEG-2',
  vc1: 'VC-1',
  av1: 'AV1',
  vp9: 'VP9',
  aac: 'AAC',
  ac3: 'Dolby Digital',
  eac3: 'Dolby Digital Plus',
  truehd: 'Dolby TrueHD',
  dts: 'DTS',
  flac: 'FLAC',
  opus: 'Opus',
  mp3: 'MP3',
  vorbis: 'Vorbis',
};

/** A codec as people know it. */
export const codecName = (codec: string): string =>
  names[codec.toLowerCase()] ?? codec.toUpperCase();

const containerNames: readonly (readonly [RegExp, string])[] = [
  [/\b(mp4|m4v|m4a|3gp)\b/, 'MP4'],
  [/\bmov\b/, 'QuickTime'],
  [/\b(matroska|mkv)\b/, 'Matroska'],
  [/\bwebm\b/, 'WebM'],
  [/\bmpegts\b/, 'MPEG-TS'],
  [/\bmpeg\b/, 'MPEG-PS'],
  [/\basf\b/, 'Windows Media'],
];

/** A container as people know it, by the names ffprobe gives it. */
export const containerName = (container: string): string =>
  containerNames.find(([names]) => names.test(container.toLowerCase()))?.[1] ??
  container.toUpperCase();

const nameOf = ({ codec, bitDepth }: Stream): string =>
  bitDepth !== undefined && bitDepth > 8
    ? `${codecName(codec)}, ${bitDepth} bit`
    : codecName(codec);
