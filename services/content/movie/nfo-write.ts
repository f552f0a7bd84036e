/** What the catalogue knows of films, as NFO files tell it. */
import type { Queryable } from '#storage/postgres/connect.ts';
import { peopleElements, peopleToTell } from '../../nfo/people.ts';
import { element, listed, minutesOf, uniqueIds } from '../../nfo/write.ts';
import { creditsOf, type StoredCredit } from '../../people/index.ts';
import { readFilm, type FilmDetail } from './detail-store.ts';
import type { NfoFilm } from './nfo.ts';

/** A film as an NFO: what `readNfo` reads again. Pure. */
export const filmNfo = (film: NfoFilm): string =>
  element('movie', {
    title: film.title,
    originaltitle: film.originalTitle,
    sorttitle: film.sortTitle,
    ...(film.ratings.length === 0 ? {} : { ratings: { rating: film.ratings.map(ratingOf) } }),
    plot: film.overview,
    tagline: film.tagline,
    runtime: minutesOf(film.runtimeMs),
    mpaa: film.certification,
    uniqueid: uniqueIds(film.ids, 'tmdb'),
    genre: film.genres.map(listed),
    tag: film.tags.map(listed),
    ...(film.collection === undefined ? {} : { set: { name: film.collection } }),
    year: film.year,
    premiered: film.releaseDate,
    studio: film.studios.map(listed),
    ...peopleElements(film),
  });

const ratingOf = ({ source, score, votes }: NfoFilm['ratings'][number]) => ({
  ...{ '@name': source, '@max': 10, value: score, votes },
});

/** What an NFO is to say of a film; undefined: there is no such film. */
export async function filmToTell(sql: Queryable, id: string): Promise<string | undefined> {
  const [film, credits] = await Promise.all([readFilm(sql, id), creditsOf(sql, 'movie', [id])]);
  return film === undefined ? undefined : filmNfo(toNfo(film, credits));
}

function toNfo(film: FilmDetail, credits: readonly StoredCredit[]): NfoFilm {
  return {
    title: film.title,
    originalTitle: film.originalTitle ?? undefined,
    sortTitle: 'sortTitle' in film.sources ? givenSort(film) : undefined,
    year: film.year ?? undefined,
    releaseDate: film.releaseDate ?? undefined,
    overview: film.overview ?? undefined,
    tagline: film.tagline ?? undefined,
    runtimeMs: film.runtimeMs ?? undefined,
    certification: film.certification ?? undefined,
    collection: film.collection ?? undefined,
    genres: film.genres,
    tags: film.tags,
    studios: film.studio === null ? [] : [film.studio],
    ids: film.externalIds,
    ratings: film.ratings.map(({ votes, ...rating }) => ({ ...rating, votes: votes ?? undefined })),
    ...peopleToTell(credits),
  };
}

/** Only one that somebody gave: others make their own of the title. */
const givenSort = ({ sources, sortTitle }: FilmDetail): string | undefined =>
  ['user', 'nfo'].includes(sources['sortTitle'] ?? '') ? sortTitle : undefined;
