import type { components } from '#api/types.ts';
import { displayName } from '#storage/media/path.ts';
import type { Queryable } from '#storage/postgres/connect.ts';
import { normaliseLanguage } from '../../languages.ts';
import { creditsOf, type StoredCredit } from '../../people/index.ts';
import { versionKey } from './derive.ts';
import { readFiles, readFilm, type FilmDetail, type FilmFile } from './detail-store.ts';
import type { Match } from './fields.ts';
import type { ImageLookup, MovieView } from './movie.ts';
import { presentCard } from './present.ts';

type Schemas = components['schemas'];

/** A film as everybody sees it, without the viewer's own state. */
export type SharedView = Omit<MovieView, 'userState'>;

/** A film with its revision, for If-Match. */
export interface Detail {
  readonly view: SharedView;
  readonly revision: number;
}

/** Reads a film whole; undefined: there is none. */
export async function readDetail(
  sql: Queryable,
  images: ImageLookup,
  id: string,
): Promise<Detail | undefined> {
  const [film, files, credits, pictures] = await Promise.all([
    readFilm(sql, id),
    readFiles(sql, id),
    creditsOf(sql, 'movie', [id]),
    images.forItems(sql, 'movie', [id]),
  ]);
  if (film === undefined) return undefined;
  return { revision: film.revision, view: present(film, { files, credits, pictures }) };
}

function present(
  film: FilmDetail,
  found: {
    files: readonly FilmFile[];
    credits: readonly StoredCredit[];
    pictures: Awaited<ReturnType<ImageLookup['forItems']>>;
  },
): SharedView {
  // A version that is away is shown while nothing else could be played.
  const hasPresent = found.files.some(({ role, isMissing }) => role === 'video' && !isMissing);
  const files = found.files.filter(({ isMissing }) => !isMissing || !hasPresent);
  const byRole = (role: FilmFile['role']) => files.filter((file) => file.role === role);
  return {
    ...presentCard(film, found.pictures.get(film.id) ?? {}),
    sortTitle: film.sortTitle,
    originalTitle: film.originalTitle,
    overview: film.overview,
    tagline: film.tagline,
    studio: film.studio,
    collection: film.collection,
    runtimeMs: film.runtimeMs,
    tags: film.tags,
    people: found.credits.map(({ personId, name, role, character }) => ({
      personId,
      name,
      role,
      character,
    })),
    externalIds: film.externalIds,
    ratings: film.ratings,
    versions: versionsOf(byRole('video')),
    subtitles: byRole('subtitle').map(presentSubtitle),
    extras: byRole('extra').map(presentExtra),
    match: presentMatch(film.match),
    sources: film.sources,
    lockedFields: film.lockedFields,
    updatedAt: film.updatedAt.toISOString(),
  };
}

const rank = (file: FilmFile): number => {
  const video = file.probe?.streams.find((stream) => stream.type === 'video');
  return video === undefined ? 0 : video.width * video.height;
};

/** Versions by picture, best first; parts in order within one. */
function versionsOf(files: readonly FilmFile[]): Schemas['MovieVersion'][] {
  const stackOf = ({ facts }: FilmFile) =>
    typeof facts['stackId'] === 'string' ? facts['stackId'] : null;
  const groups = Map.groupBy(files, (file) => versionKey({ id: file.id, stackId: stackOf(file) }));
  return [...groups.values()]
    .map((parts) => parts.toSorted((a, b) => (a.part ?? 0) - (b.part ?? 0)))
    .sort((a, b) => rank(b[0] as FilmFile) - rank(a[0] as FilmFile))
    .flatMap((parts) => {
      const [first] = parts;
      return first === undefined ? [] : [presentVersion(first, parts)];
    });
}

function presentVersion(first: FilmFile, parts: readonly FilmFile[]): Schemas['MovieVersion'] {
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

const optional = <Name extends string, Value>(
  name: Name,
  value: Value | null | undefined,
): { [Key in Name]?: Value } =>
  (value === null || value === undefined ? {} : { [name]: value }) as { [Key in Name]?: Value };

const round = (value: number | null | undefined): number | null =>
  value === null || value === undefined ? null : Math.round(value);

function presentFile(file: FilmFile): Schemas['MediaFile'] {
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
    streams: (probe?.streams ?? []).map(presentStream),
    chapters: (probe?.chapters ?? []).map(({ startMs, endMs, title }) => ({
      startMs: Math.round(startMs),
      endMs: Math.round(endMs),
      ...optional('title', title),
    })),
  };
}

/** A stream as probed; its language in our codes, absent values left out. */
function presentStream(
  stream: NonNullable<FilmFile['probe']>['streams'][number],
): Schemas['MediaStream'] {
  const { language, ...facts } = stream;
  const known = Object.entries(facts).filter(([, value]) => value !== null && value !== undefined);
  const code = normaliseLanguage(language ?? undefined);
  return {
    ...(Object.fromEntries(known) as Omit<Schemas['MediaStream'], 'language'>),
    ...optional('language', code),
  };
}

function presentSubtitle(file: FilmFile): Schemas['ExternalSubtitle'] {
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

const presentExtra = (file: FilmFile): Schemas['MovieExtra'] => ({
  fileId: file.id,
  type: typeof file.facts['extraType'] === 'string' ? file.facts['extraType'] : 'extra',
  name: displayName(file.name),
  sizeBytes: file.sizeBytes,
  durationMs: round(file.probe?.durationMs),
  isAvailable: file.isAvailable,
});

function presentMatch(match: Match | Record<never, never>): Schemas['MovieMatch'] {
  if (!('path' in match)) return {};
  const { from, title, year, score, path, nfo, runnerUp, problems } = match;
  return {
    chosen: { from, title, year, score },
    ...optional('runnerUp', runnerUp),
    path: displayName(path),
    ...optional('nfoPath', nfo && displayName(nfo.path)),
    ...(problems === undefined
      ? {}
      : { problems: problems.map((one) => ({ ...one, path: displayName(one.path) })) }),
  };
}
