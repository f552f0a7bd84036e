import type { Candidate, EpisodeRecord, Locale, SeriesRecord } from '../../metadata/provider.ts';
import * as read from '../read.ts';
import * as common from './common.ts';
import type { Season, Series, SeriesHit } from './schemas.ts';

type UrlOf = ReturnType<typeof common.pictureUrls>;

/** A hit of a search. Pure. */
export const seriesCandidate = (hit: SeriesHit, urlOf: UrlOf): Candidate => {
  const { id, name: title, original_name, first_air_date } = hit;
  const rest = { ...hit, id, title, original_title: original_name, release_date: first_air_date };
  return { ...common.candidateOf(rest, urlOf), countries: hit.origin_country ?? undefined };
};

/** As NFO files say it. */
const statuses: Readonly<Record<string, string>> = {
  'Returning Series': 'Continuing',
  Canceled: 'Ended',
};

/** A series' record with all its episodes. Pure. */
export function seriesRecord(
  series: Series,
  seasons: readonly Season[],
  { locale, urlOf }: { locale: Locale; urlOf: UrlOf },
): SeriesRecord {
  const { name: title } = series;
  const originalTitle = read.said(series.original_name);
  const translations = series.translations?.translations ?? [];
  const english = translations.find(({ iso_639_1 }) => iso_639_1 === 'en')?.data;
  const ids = series.external_ids;
  const imdb = read.imdbOf(ids?.imdb_id);
  const rating = common.ratingOf(series);
  return {
    id: String(series.id),
    ids: {
      tmdb: String(series.id),
      ...(imdb === undefined ? {} : { imdb }),
      ...(ids?.tvdb_id == null ? {} : { tvdb: String(ids.tvdb_id) }),
    },
    ...{ title, originalTitle },
    otherTitles: read.otherTitles(
      [
        ...translations.map(({ data }) => data?.name),
        ...(series.alternative_titles?.results ?? []).map((one) => one.title),
      ],
      [title, originalTitle],
    ),
    translations: common.translationsOf(translations, {
      ...{ language: series.original_language, title: originalTitle },
    }),
    year: read.yearOf(series.first_air_date),
    countries: series.origin_country ?? undefined,
    date: read.dayOf(series.first_air_date),
    overview: read.said(series.overview) ?? read.said(english?.overview),
    status: statusOf(series),
    certifications: certificationsOf(series),
    studios: read.namesOf([...(series.networks ?? []), ...(series.production_companies ?? [])]),
    genres: read.namesOf(series.genres),
    tags: read.namesOf(series.keywords?.results).slice(0, 30),
    ...(rating === undefined ? {} : { rating }),
    credits: [],
    trailers: common.trailersOf(series.videos?.results),
    images: common.offersOf(series, locale, urlOf),
    episodes: seasons.flatMap(episodesOf),
  };
}

function statusOf({ status: text }: Series): string | undefined {
  const status = read.said(text);
  return status === undefined ? undefined : (statuses[status] ?? status);
}

function certificationsOf({ content_ratings }: Series): Record<string, string> {
  const found = (content_ratings?.results ?? []).flatMap(({ iso_3166_1, rating }) => {
    const certification = read.said(rating);
    return certification === undefined ? [] : [[iso_3166_1, certification] as const];
  });
  return Object.fromEntries(found);
}

const episodesOf = ({ season_number: season, episodes }: Season): EpisodeRecord[] =>
  (episodes ?? []).map((one) => ({
    ...{ season, number: one.episode_number, title: read.said(one.name) },
    overview: read.said(one.overview),
    airDate: read.dayOf(one.air_date),
    runtimeMs: read.minutes(one.runtime),
  }));
