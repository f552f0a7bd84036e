import { bareLanguage } from '../../languages.ts';
import type {
  Candidate,
  EpisodeRecord,
  ImageOffer,
  Locale,
  SeriesRecord,
  Translation,
} from '../../metadata/provider.ts';
import { isCountOnly } from '../../naming/count-only.ts';
import * as read from '../read.ts';
import * as common from './common.ts';
import { seriesCredits } from './series-credits.ts';
import type { Season, Series, SeriesHit } from './schemas.ts';
import type { SeasonsIn } from './seasons.ts';

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

/** A series' record, without its episodes. Pure. */
export function seriesRecord(
  series: Series,
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
    credits: seriesCredits(series),
    trailers: common.trailersOf(series.videos?.results),
    images: common.offersOf(series, locale, urlOf),
    seasons: (series.seasons ?? []).map((season) => ({
      ...{ number: season.season_number, episodeCount: season.episode_count ?? undefined },
      ...seasonTexts(season),
    })),
    episodes: [],
  };
}

/** The record with its seasons and episodes, in all languages that were asked for. Pure. */
export function withSeasons(
  record: SeriesRecord,
  { own, others }: { own: readonly Season[]; others: readonly SeasonsIn[] },
  { locale, urlOf }: { locale: Locale; urlOf: UrlOf },
): SeriesRecord {
  const languages = others.map(({ language, seasons }) => ({
    language,
    seasons: new Map(seasons.map((one) => [one.season_number, one])),
    episodes: new Map(
      seasons.flatMap((one) => (one.episodes ?? []).map((e) => [keyOf(one, e), e])),
    ),
  }));
  const asked = new Map(own.map((one) => [one.season_number, one]));
  return {
    ...record,
    seasons: record.seasons.map((season) => {
      const texts = asked.get(season.number);
      const translations = languages.flatMap(({ language, seasons }) =>
        translation(language, textsOf(seasons.get(season.number), seasonTexts)),
      );
      const posters = [
        { language: locale.language, poster: texts?.poster_path },
        ...languages.map(({ language, seasons }) => ({
          ...{ language, poster: seasons.get(season.number)?.poster_path },
        })),
      ];
      const images = postersOf(posters, urlOf);
      return { ...season, ...textsOf(texts, seasonTexts), translations, images };
    }),
    episodes: own.flatMap((season) =>
      (season.episodes ?? []).map((one) => {
        const translations = languages.flatMap(({ language, episodes }) =>
          translation(language, textsOf(episodes.get(keyOf(season, one)), episodeTexts)),
        );
        const still = read.said(one.still_path);
        const images: ImageOffer[] =
          still === undefined ? [] : [{ type: 'thumb', url: urlOf('thumb', still) }];
        return { ...episodeOf(season, one, translations), images };
      }),
    ),
  };
}

/** That of a language is another's where nobody has added one: then it is the other's. */
function postersOf(
  posters: readonly { readonly language: string; readonly poster: string | null | undefined }[],
  urlOf: UrlOf,
): ImageOffer[] {
  const offers = new Map<string, ImageOffer>();
  for (const { language, poster } of posters) {
    const path = read.said(poster);
    if (path === undefined || offers.has(path)) continue;
    const offer = { type: 'poster', url: urlOf('poster', path) } as const;
    offers.set(path, { ...offer, language: bareLanguage(language) });
  }
  return [...offers.values()];
}

type Episode = NonNullable<Season['episodes']>[number];
type Texts = Pick<EpisodeRecord, 'title' | 'overview'>;

const keyOf = ({ season_number }: Season, { episode_number }: Episode): string =>
  `${season_number} ${episode_number}`;

const textsOf = <Part>(part: Part | undefined, read: (part: Part) => Texts): Texts =>
  part === undefined ? {} : read(part);

const translation = (language: string, { title, overview }: Texts): Translation[] =>
  title === undefined && overview === undefined ? [] : [{ language, title, overview }];

/** A part that nobody has named in a language is called by its number in it. */
const named = (what: 'season' | 'episode', name: string | undefined, number: number) =>
  name === undefined || isCountOnly(what, name, number) ? undefined : name;

function seasonTexts(one: { season_number: number } & SeasonTexts): Texts {
  const title = named('season', read.said(one.name), one.season_number);
  return { title, overview: read.said(one.overview) };
}

type SeasonTexts = Pick<Season, 'name' | 'overview'>;

const episodeTexts = (one: Episode): Texts => ({
  title: named('episode', read.said(one.name), one.episode_number),
  overview: read.said(one.overview),
});

/** What has no text in the language asked for has its English one. */
function episodeOf(
  { season_number: season }: Season,
  one: Episode,
  translations: readonly Translation[],
): EpisodeRecord {
  const own = episodeTexts(one);
  const english = translations.find(({ language }) => bareLanguage(language) === 'en');
  return {
    ...{ season, number: one.episode_number },
    title: own.title ?? english?.title ?? read.said(one.name),
    overview: own.overview ?? english?.overview,
    airDate: read.dayOf(one.air_date),
    runtimeMs: read.minutes(one.runtime),
    translations,
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
