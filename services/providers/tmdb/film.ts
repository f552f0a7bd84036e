import type { Locale, WorkRecord } from '../../metadata/provider.ts';
import * as read from '../read.ts';
import * as common from './common.ts';
import type { Film } from './schemas.ts';

type UrlOf = ReturnType<typeof common.pictureUrls>;

/** A film's record, in the language asked for as far as there is one. Pure. */
export function filmRecord(film: Film, locale: Locale, urlOf: UrlOf): WorkRecord {
  const { title } = film;
  const originalTitle = read.said(film.original_title);
  const translations = film.translations?.translations ?? [];
  const english = translations.find(({ iso_639_1 }) => iso_639_1 === 'en')?.data;
  const imdb = read.imdbOf(film.external_ids?.imdb_id) ?? read.imdbOf(film.imdb_id);
  const collection = film.belongs_to_collection;
  const rating = common.ratingOf(film);
  return {
    id: String(film.id),
    ids: { tmdb: String(film.id), ...(imdb === undefined ? {} : { imdb }) },
    ...{ title, originalTitle },
    otherTitles: read.otherTitles(
      [
        ...translations.map(({ data }) => data?.title),
        ...(film.alternative_titles?.titles ?? []).map((one) => one.title),
      ],
      [title, originalTitle],
    ),
    translations: common.translationsOf(translations, {
      ...{ language: film.original_language, title: originalTitle },
    }),
    year: read.yearOf(film.release_date),
    date: read.dayOf(film.release_date),
    runtimeMs: read.minutes(film.runtime),
    overview: read.said(film.overview) ?? read.said(english?.overview),
    tagline: read.said(film.tagline),
    status: read.said(film.status),
    certifications: certificationsOf(film),
    studios: read.namesOf(film.production_companies),
    collection: collection == null ? undefined : { ...collection, id: String(collection.id) },
    genres: read.namesOf(film.genres),
    tags: read.namesOf(film.keywords?.keywords).slice(0, 30),
    ...(rating === undefined ? {} : { rating }),
    credits: common.creditsOf(film.credits?.cast, film.credits?.crew),
    trailers: common.trailersOf(film.videos?.results),
    images: common.offersOf(film, locale, urlOf),
  };
}

/** Of a country's releases the cinema's counts (type 3), then any. */
function certificationsOf({ release_dates }: Film): Record<string, string> {
  const found = (release_dates?.results ?? []).flatMap(({ iso_3166_1, release_dates: dates }) => {
    const ordered = (dates ?? []).toSorted((a, b) => Number(b.type === 3) - Number(a.type === 3));
    const certification = ordered.flatMap((one) => read.said(one.certification) ?? [])[0];
    return certification === undefined ? [] : [[iso_3166_1, certification] as const];
  });
  return Object.fromEntries(found);
}
