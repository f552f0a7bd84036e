import { normaliseLanguage } from '../../languages.ts';
import { versionKey } from '../files-view.ts';

/** A video file of a film with what is known of its streams. */
export interface FileFacts {
  readonly id: string;
  /** The first part's id, when the file is one part of several. */
  readonly stackId: string | null;
  readonly sizeBytes: number;
  readonly isAuxiliary: boolean;
  /** From the name, while the file has not been probed. */
  readonly nameResolution: string | null;
  readonly durationMs: number | null;
  /** Null while it has not been probed. */
  readonly streams:
    | readonly {
        readonly type: 'video' | 'audio';
        readonly codec: string | null;
        readonly width: number | null;
        readonly height: number | null;
        readonly hdr: string | null;
        readonly language: string | null;
      }[]
    | null;
}

/** What lists filter and sort by, out of a film's files. */
export interface Derived {
  readonly resolutions: string[];
  readonly videoCodecs: string[];
  readonly hdrKinds: string[];
  readonly audioLanguages: string[];
  readonly durationMs: number | null;
  readonly sizeBytes: number;
}

/** The classes of resolution, best first. */
export const resolutionClasses = ['2160p', '1080p', '720p', '480p', 'SD'] as const;
export type ResolutionClass = (typeof resolutionClasses)[number];

/** The class of a picture: by width or height, so that wide and cropped films keep theirs. */
export function resolutionClass(width: number, height: number): ResolutionClass {
  if (width >= 3_200 || height >= 1_800) return '2160p';
  if (width >= 1_800 || height >= 1_000) return '1080p';
  if (width >= 1_200 || height >= 700) return '720p';
  if (width >= 640 || height >= 460) return '480p';
  return 'SD';
}

const nameClass: Readonly<Record<string, ResolutionClass>> = {
  '4320p': '2160p',
  '2160p': '2160p',
  '1440p': '1080p',
  '1080p': '1080p',
  '720p': '720p',
  '576p': '480p',
  '540p': '480p',
  '480p': '480p',
  '360p': 'SD',
};

const unique = (values: Iterable<string | null | undefined>): string[] =>
  [...new Set([...values].filter((value) => typeof value === 'string'))].sort();

/** Derives a film's facets from the files that are there. Pure. */
export function derive(files: readonly FileFacts[]): Derived {
  const main = files.filter(({ isAuxiliary }) => !isAuxiliary);
  const streams = main.flatMap((file) => file.streams ?? []);
  const pictures = streams.filter(({ type }) => type === 'video');
  const probed = pictures.map(({ width, height }) => resolutionClass(width ?? 0, height ?? 0));
  const named = main
    .filter((file) => file.streams === null)
    .map(({ nameResolution }) => nameClass[nameResolution ?? '']);
  const sounds = streams.filter(({ type }) => type === 'audio');
  return {
    resolutions: unique([...probed, ...named]),
    videoCodecs: unique(pictures.map(({ codec }) => codec)),
    hdrKinds: unique(pictures.map(({ hdr }) => hdr ?? 'SDR')),
    audioLanguages: unique(sounds.map(({ language }) => normaliseLanguage(language ?? undefined))),
    durationMs: longest(main),
    sizeBytes: files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
  };
}

/** Of a version only one part of which was looked into nobody knows how long it is. */
function longest(files: readonly FileFacts[]): number | null {
  const totals = [...Map.groupBy(files, versionKey).values()].flatMap((parts) => {
    const known = parts.flatMap(({ durationMs }) => durationMs ?? []);
    return known.length < parts.length ? [] : known.reduce((sum, ms) => sum + ms, 0);
  });
  return totals.length === 0 ? null : Math.max(...totals);
}
