import type { AttachmentStream } from './media.ts';

/*
 * MediaInfo's words and ffprobe's for the same. What is not here has no certain word, or none that
 * a test has seen both say of one file.
 */

export const containers: Readonly<Record<string, string>> = {
  Matroska: 'matroska',
  WebM: 'matroska',
  'MPEG-4': 'mp4',
  AVI: 'avi',
  'MPEG-TS': 'mpegts',
  BDAV: 'mpegts',
};

export type Codec = Readonly<{ codec: string; level?: (level: string) => number | undefined }>;

export const videoCodecs: Readonly<Record<string, Codec>> = {
  AVC: { codec: 'h264', level: (level) => Math.round(Number(level) * 10) },
  HEVC: { codec: 'hevc', level: (level) => Math.round(Number(level) * 30) },
  AV1: { codec: 'av1', level: av1Level },
  VP8: { codec: 'vp8' },
  VP9: { codec: 'vp9' },
  'MPEG Video 2': { codec: 'mpeg2video', level: (level) => mpeg2Levels[level] ?? NaN },
  'VC-1': { codec: 'vc1', level: (level) => Number(level) },
  'MPEG-4 Visual': { codec: 'mpeg4', level: (level) => Number(level) || undefined },
};

/** Microsoft's own, which have neither profile nor level, by the name the container has for them. */
export const microsoftCodecs: Readonly<Record<string, string>> = {
  MP42: 'msmpeg4v2',
  DIV2: 'msmpeg4v2',
  MP43: 'msmpeg4v3',
  DIV3: 'msmpeg4v3',
  DIV4: 'msmpeg4v3',
};

/** level_identification of ISO/IEC 13818-2, table 8-3. */
const mpeg2Levels: Readonly<Record<string, number>> = {
  High: 4,
  'High 1440': 6,
  Main: 8,
  Low: 10,
};

/** seq_level_idx of AV1's annex A; ffprobe's 0, which is level 2.0, counts as none. */
function av1Level(level: string): number | undefined {
  const [major = NaN, minor = NaN] = level.split('.').map(Number);
  return (major - 2) * 4 + minor || undefined;
}

export const videoProfiles: Readonly<Record<string, Readonly<Record<string, string>>>> = {
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
  'VC-1': same('Advanced'),
  'MPEG Video 2': same('Simple', 'Main', 'High', '4:2:2'),
  'MPEG-4 Visual': {
    Simple: 'Simple Profile',
    'Advanced Simple': 'Advanced Simple Profile',
  },
  VP9: { 0: 'Profile 0', 1: 'Profile 1', 2: 'Profile 2', 3: 'Profile 3' },
};

function same(...names: string[]): Record<string, string> {
  return Object.fromEntries(names.map((name) => [name, name]));
}

/** What a base layer is compatible with, by Dolby's number for it. */
export const dolbyVisionBases: Readonly<Record<string, number>> = {
  HDR10: 1,
  SDR: 2,
  HLG: 4,
  'Blu-ray': 6,
};

/** Dolby Vision's profiles whose base layer nothing else can show. */
export const dolbyVisionAlone: ReadonlySet<number> = new Set([5]);

export const audioCodecs: Readonly<Record<string, { codec: string; profile?: string }>> = {
  'AAC LC': { codec: 'aac', profile: 'LC' },
  'AAC LC SBR': { codec: 'aac', profile: 'HE-AAC' },
  'AC-3': { codec: 'ac3' },
  'E-AC-3': { codec: 'eac3' },
  // ffprobe before 6.1 has no word for objects.
  'E-AC-3 JOC': { codec: 'eac3', profile: 'Dolby Digital Plus + Dolby Atmos' },
  DTS: { codec: 'dts', profile: 'DTS' },
  'DTS XLL': { codec: 'dts', profile: 'DTS-HD MA' },
  'DTS XLL X': { codec: 'dts', profile: 'DTS-HD MA + DTS:X' },
  'MLP FBA': { codec: 'truehd' },
  'MLP FBA 16-ch': { codec: 'truehd', profile: 'Dolby TrueHD + Dolby Atmos' },
  FLAC: { codec: 'flac' },
  Opus: { codec: 'opus' },
  Vorbis: { codec: 'vorbis' },
  'MPEG Audio Layer 3': { codec: 'mp3' },
  'MPEG Audio Layer 2': { codec: 'mp2' },
};

/** Codecs whose channels are told by each frame. */
export const toldByFrames: ReadonlySet<string> = new Set(['ac3', 'eac3', 'dts', 'truehd']);

/** By the order in which a codec stores its channels; what has one name in both comes first. */
export const channelLayouts: Readonly<Record<string, string>> = {
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
  'dts C L R Ls Rs LFE Lb Rb': '7.1',
  'dts C L R LFE Lb Rb Lss Rss': '7.1',
  'dts C L R LFE Lb Rb Lss Rss Objects': '7.1',
  'truehd L R C LFE Ls Rs Lb Rb': '7.1',
};

/** By the container's id of the codec. */
export const textCodecs: Readonly<Record<string, string>> = {
  'S_TEXT/UTF8': 'subrip',
  'S_TEXT/ASS': 'ass',
  'S_TEXT/SSA': 'ass',
  'S_TEXT/WEBVTT': 'webvtt',
  'D_WEBVTT/SUBTITLES': 'webvtt',
  S_VOBSUB: 'dvd_subtitle',
  'S_HDMV/PGS': 'hdmv_pgs_subtitle',
  S_DVBSUB: 'dvb_subtitle',
  tx3g: 'mov_text',
  // The type of a stream in what discs hold.
  144: 'hdmv_pgs_subtitle',
};

export type Attached = Pick<AttachmentStream, 'codec' | 'role' | 'mimeType'>;

/** Matroska's report has the names of attachments, and not their types. */
export const attached: Readonly<Record<string, Attached>> = {
  jpg: { codec: 'mjpeg', role: 'picture', mimeType: 'image/jpeg' },
  jpeg: { codec: 'mjpeg', role: 'picture', mimeType: 'image/jpeg' },
  png: { codec: 'png', role: 'picture', mimeType: 'image/png' },
  ttf: { codec: 'ttf', role: 'font', mimeType: 'font/ttf' },
  otf: { codec: 'otf', role: 'font', mimeType: 'font/otf' },
};
