import type { Queryable } from '#storage/postgres/connect.ts';
import { creditsOf, presentCredits, type StoredCredit } from '../../people/index.ts';
import { presentExtra, presentSubtitle, presentVersions } from '../files-view.ts';
import type { ImageLookup } from '../images.ts';
import { shownFiles, type ItemFile } from '../item-files.ts';
import { presentMatch } from '../match.ts';
import { readFiles, readFilm, type FilmDetail } from './detail-store.ts';
import type { Match } from './fields.ts';
import type { MovieView } from './movie.ts';
import { presentCard } from './present.ts';

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
  const files = shownFiles(found.files);
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
    people: presentCredits(found.credits),
    externalIds: film.externalIds,
    ratings: film.ratings,
    versions: presentVersions(byRole('video')),
    subtitles: byRole('subtitle').map(presentSubtitle),
    extras: byRole('extra').map(presentExtra),
    match: presentMatch(film.match, (film.match as Partial<Match>).nfo?.path),
    sources: film.sources,
    lockedFields: film.lockedFields,
    updatedAt: film.updatedAt.toISOString(),
  };
}
