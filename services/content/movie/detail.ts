import type { components } from '#api/types.ts';
import { displayName } from '#storage/media/path.ts';
import type { Queryable } from '#storage/postgres/connect.ts';
import { creditsOf, type StoredCredit } from '../../people/index.ts';
import {
  optional,
  presentExtra,
  presentSubtitle,
  presentVersions,
  type ItemFile,
} from '../files-view.ts';
import { readFiles, readFilm, type FilmDetail } from './detail-store.ts';
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
    files: readonly ItemFile[];
    credits: readonly StoredCredit[];
    pictures: Awaited<ReturnType<ImageLookup['forItems']>>;
  },
): SharedView {
  // A version that is away is shown while nothing else could be played.
  const hasPresent = found.files.some(({ role, isMissing }) => role === 'video' && !isMissing);
  const files = found.files.filter(({ isMissing }) => !isMissing || !hasPresent);
  const byRole = (role: ItemFile['role']) => files.filter((file) => file.role === role);
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
    versions: presentVersions(byRole('video')),
    subtitles: byRole('subtitle').map(presentSubtitle),
    extras: byRole('extra').map(presentExtra),
    match: presentMatch(film.match),
    sources: film.sources,
    lockedFields: film.lockedFields,
    updatedAt: film.updatedAt.toISOString(),
  };
}

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
