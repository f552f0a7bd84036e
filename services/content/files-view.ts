/** Files of works as the API shows them, of all kinds alike. */
import type { components } from '#api/types.ts';
import { displayName } from '#storage/media/path.ts';
import { normaliseLanguage } from '../languages.ts';
import type { ItemFile } from './item-files.ts';

type Schemas = components['schemas'];

/** The key of the version a file is of: its own, or that of the first part of a stack. */
export const versionKey = (file: {
  readonly id: string;
  readonly stackId: string | null;
}): string => file.stackId ?? file.id;

const rank = (file: ItemFile): number => {
  const video = file.probe?.streams.find((stream) => stream.type === 'video');
  return video === undefined ? 0 : video.width * video.height;
};

/** Versions by picture, best first; parts in order within one. */
export function presentVersions(files: readonly ItemFile[]): Schemas['MovieVersion'][] {
  const stackOf = ({ facts }: ItemFile) =>
    typeof facts['stackId'] === 'string' ? facts['stackId'] : null;
  const groups = Map.groupBy(files, (file) => versionKey({ id: file.id, stackId: stackOf(file) }));
  return [...groups.values()]
    .map((parts) => parts.toSorted((a, b) => (a.part ?? 0) - (b.part ?? 0)))
    .sort((a, b) => rank(b[0] as ItemFile) - rank(a[0] as ItemFile))
    .flatMap((parts) => {
      const [first] = parts;
      return first === undefined ? [] : [presentVersion(first, parts)];
    });
}

function presentVersion(first: ItemFile, parts: readonly ItemFile[]): Schemas['MovieVersion'] {
  const { edition, resolution } = first.facts;
  const durations = parts.map(({ probe }) => probe?.durationMs);
  const known = durations.filter((duration) => duration !== undefined);
  return {
    id: first.id,
    label: first.version,
    ...(typeof edition === 'string' ? { edition } : {}),
    ...(typeof resolution === 'string' ? { resolution } : {}),
    durationMs:
      known.length === parts.length ? Math.round(known.reduce((sum, one) => sum + one, 0)) : null,
    sizeBytes: parts.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
    isAvailable: parts.every(({ isAvailable }) => isAvailable),
    files: parts.map(presentFile),
  };
}

/** A property that is left out where there is no value. */
export const optional = <Name extends string, Value>(
  name: Name,
  value: Value | null | undefined,
): { [Key in Name]?: Value } =>
  (value === null || value === undefined ? {} : { [name]: value }) as { [Key in Name]?: Value };

const round = (value: number | null | undefined): number | null =>
  value === null || value === undefined ? null : Math.round(value);

function presentFile(file: ItemFile): Schemas['MediaFile'] {
  const { probe } = file;
  return {
    id: file.id,
    name: displayName(file.name),
    ...optional('part', file.part),
    sizeBytes: file.sizeBytes,
    durationMs: round(probe?.durationMs),
    ...optional('container', probe?.container),
    ...optional('bitrate', round(probe?.bitrate)),
    isAvailable: file.isAvailable,
    probeState: file.probeState,
    ...optional('probeError', file.probeError),
    streams: (probe?.streams ?? []).map((stream) => presentStream(stream, file.loudness)),
    chapters: (probe?.chapters ?? []).map(({ startMs, endMs, title }) => ({
      startMs: Math.round(startMs),
      endMs: Math.round(endMs),
      ...optional('title', title),
    })),
  };
}

/** A stream as probed; its language in our codes, absent values left out. */
function presentStream(
  stream: NonNullable<ItemFile['probe']>['streams'][number],
  loudness: ItemFile['loudness'],
): Schemas['MediaStream'] {
  const { language, ...facts } = stream;
  const known = Object.entries(facts).filter(([, value]) => value !== null && value !== undefined);
  const code = normaliseLanguage(language ?? undefined);
  return {
    ...(Object.fromEntries(known) as Omit<Schemas['MediaStream'], 'language' | 'loudness'>),
    ...optional('language', code),
    ...optional('loudness', presentLoudness(loudness?.find(({ index }) => index === stream.index))),
  };
}

/** Undefined for what was not measured, or is silent. */
function presentLoudness(
  measured: NonNullable<ItemFile['loudness']>[number] | undefined,
): Schemas['MediaLoudness'] | undefined {
  if (measured?.integrated === undefined) return undefined;
  return {
    integratedLufs: measured.integrated,
    ...optional('rangeLu', measured.range),
    ...optional('truePeakDbtp', measured.truePeak),
  };
}

/** A subtitle file. */
export function presentSubtitle(file: ItemFile): Schemas['ExternalSubtitle'] {
  const { facts } = file;
  const text = (name: string) => (typeof facts[name] === 'string' ? facts[name] : undefined);
  return {
    fileId: file.id,
    ...optional('forFileId', text('forFileId')),
    name: displayName(file.name),
    format: file.name.slice(file.name.lastIndexOf('.') + 1).toLowerCase(),
    ...optional('language', text('language')),
    ...optional('title', text('title')),
    isForced: facts['forced'] === true,
    isDefault: facts['default'] === true,
    isHearingImpaired: facts['hearingImpaired'] === true,
  };
}

/** A trailer, an interview and the like. */
export const presentExtra = (file: ItemFile): Schemas['MovieExtra'] => ({
  fileId: file.id,
  type: typeof file.facts['extraType'] === 'string' ? file.facts['extraType'] : 'extra',
  name: displayName(file.name),
  sizeBytes: file.sizeBytes,
  durationMs: round(file.probe?.durationMs),
  isAvailable: file.isAvailable,
});
