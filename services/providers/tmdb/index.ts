import { bareLanguage } from '../../languages.ts';
import type { ProviderIds } from '../../naming/ids.ts';
import {
  languagesOfParts,
  type EpisodeOrder,
  type Locale,
  type SeriesRecord,
  type WorkProvider,
} from '../../metadata/provider.ts';
import type { Budget } from '../budget.ts';
import {
  createProviderHttp,
  type AskOptions,
  type ProviderHttp,
  type ProviderHttpDeps,
} from '../http.ts';
import { candidateOf, languageTag, pictureUrls } from './common.ts';
import { filmRecord } from './film.ts';
import { groupingFor, withOrder } from './orders.ts';
import * as schemas from './schemas.ts';
import { seasonsOf, type AskSeasons } from './seasons.ts';
import { seriesCandidate, seriesRecord, withSeasons } from './series.ts';

/** Requests TMDb lets one address make: about fifty a second. */
export const tmdbAllowance = { points: 50, seconds: 1 };

export interface TmdbOptions {
  /** A key of version 3, or a read access token of version 4. */
  readonly apiKey: string;
  readonly baseUrl: string;
  readonly budget: Budget;
}

const day = 24 * 3_600_000;
const quarter = 15 * 60_000;

const shared = 'external_ids,videos,images,alternative_titles,translations,keywords';
const ofFilms = `${shared},credits,release_dates`;
const ofSeries = `${shared},content_ratings,aggregate_credits`;

/** Films and series as TMDb knows them (https://developer.themoviedb.org/docs). */
export function createTmdb(
  deps: ProviderHttpDeps,
  { apiKey, baseUrl, budget }: TmdbOptions,
): { film: WorkProvider; series: WorkProvider<SeriesRecord> } {
  const isToken = apiKey.startsWith('eyJ');
  const http = createProviderHttp(deps, {
    ...{ name: 'tmdb', baseUrl, budget },
    headers: isToken ? { authorization: `Bearer ${apiKey}` } : {},
    ...(isToken ? {} : { secretQuery: { api_key: apiKey } }),
  });
  const ask = define(http);
  return { film: filmsOf(http, ask), series: seriesOf(http, ask) };
}

type Ask = ReturnType<typeof define>;

function define(http: ProviderHttp) {
  const { configuration, filmSearch, seriesSearch, findings } = schemas;
  const asked = {
    configuration: http.define({ name: 'configuration', schema: configuration, ttlMs: day }),
    search: http.define({ name: 'search', schema: filmSearch, ttlMs: quarter }),
    searchSeries: http.define({ name: 'search.series', schema: seriesSearch, ttlMs: quarter }),
    find: http.define({ name: 'find', schema: findings, ttlMs: day }),
    film: http.define({ name: 'film', schema: schemas.film, ttlMs: day }),
    series: http.define({ name: 'series', schema: schemas.series, ttlMs: day }),
    season: http.define({ name: 'season', schema: schemas.season, ttlMs: day }),
    groupings: http.define({ name: 'groupings', schema: schemas.groupings, ttlMs: day }),
    grouping: http.define({ name: 'grouping', schema: schemas.grouping, ttlMs: day }),
    seasons: http.define({ name: 'seasons', schema: schemas.appended, ttlMs: day }),
  };
  const urls = async () => pictureUrls(await asked.configuration('/configuration'));
  return { ...asked, urls };
}

const named = { name: 'tmdb', label: 'TMDb' } as const;
const isId = (id: string): boolean => /^\d{1,9}$/.test(id);

/** All in one answer, with pictures and trailers that people can read. */
const wholeQuery = (locale: Locale, append: string) => ({
  language: languageTag(locale),
  append_to_response: append,
  include_image_language: [...new Set([bareLanguage(locale.language), 'en', 'null'])].join(','),
  include_video_language: [...new Set([bareLanguage(locale.language), 'en'])].join(','),
});

const filmsOf = (http: ProviderHttp, ask: Ask): WorkProvider => ({
  ...named,
  async search({ title, year }, locale) {
    const query = { query: title, year, language: languageTag(locale), include_adult: 'false' };
    const found = await ask.search('/search/movie', query);
    const urlOf = await ask.urls();
    return (found?.results ?? []).map((hit) => candidateOf(hit, urlOf));
  },
  async idOf({ imdb }) {
    const found = imdb === undefined ? undefined : await find(ask, imdb, 'imdb_id');
    return firstId(found?.movie_results);
  },
  async work(id, locale, options) {
    if (!isId(id)) return undefined;
    const found = await ask.film(`/movie/${id}`, wholeQuery(locale, ofFilms), options);
    return found === undefined ? undefined : filmRecord(found, locale, await ask.urls());
  },
  tagOf: (id) => http.tagOf(`/movie/${id}`),
});

const find = (ask: Ask, id: string, source: 'imdb_id' | 'tvdb_id') =>
  ask.find(`/find/${encodeURIComponent(id)}`, { external_source: source });

const firstId = (
  results: readonly { readonly id: string | number }[] | null | undefined,
): string | undefined => {
  const id = results?.[0]?.id;
  return id === undefined ? undefined : String(id);
};

/** In the order that is wanted, where somebody has grouped its episodes so. */
async function inOrder(
  ask: Ask,
  { record, order }: { record: SeriesRecord; order: EpisodeOrder | undefined },
  options: AskOptions | undefined,
): Promise<SeriesRecord> {
  if (order === undefined || order === 'aired') return record;
  const groupings = await ask.groupings(`/tv/${record.id}/episode_groups`, {}, options);
  const id = groupings && groupingFor(order, groupings);
  if (id === undefined) return record;
  const path = `/tv/episode_group/${encodeURIComponent(id)}`;
  const grouping = await ask.grouping(path, {}, options);
  return grouping === undefined ? record : withOrder(record, order, grouping);
}

const seriesOf = (http: ProviderHttp, ask: Ask): WorkProvider<SeriesRecord> => ({
  ...named,
  async search({ title, year }, locale) {
    const language = languageTag(locale);
    const query = { query: title, first_air_date_year: year, language, include_adult: 'false' };
    const found = await ask.searchSeries('/search/tv', query);
    const urlOf = await ask.urls();
    return (found?.results ?? []).map((hit) => seriesCandidate(hit, urlOf));
  },
  async idOf({ tvdb, imdb }: ProviderIds) {
    const byTvdb = tvdb === undefined ? undefined : await find(ask, tvdb, 'tvdb_id');
    const id = firstId(byTvdb?.tv_results);
    if (id !== undefined || imdb === undefined) return id;
    return firstId((await find(ask, imdb, 'imdb_id'))?.tv_results);
  },
  async work(id, locale, options) {
    if (!isId(id)) return undefined;
    const series = await ask.series(`/tv/${id}`, wholeQuery(locale, ofSeries), options);
    if (series === undefined) return undefined;
    return seriesRecord(series, { locale, urlOf: await ask.urls() });
  },
  async whole(record, asked, options) {
    const path = `/tv/${record.id}`;
    const seasons: AskSeasons = {
      async some(numbers, language) {
        const append = numbers.map((number) => `season/${number}`).join(',');
        const query = { language, append_to_response: append };
        return (await ask.seasons(path, query, options)) ?? {};
      },
      one: (number, language) => ask.season(`${path}/season/${number}`, { language }, options),
    };
    const { locale } = asked;
    const languages = languagesOfParts(record, asked);
    const listed = await seasonsOf(seasons, record.seasons, { locale, languages });
    const whole = withSeasons(record, listed, { locale, urlOf: await ask.urls() });
    return inOrder(ask, { record: whole, order: asked.order }, options);
  },
  tagOf: (id) => http.tagOf(`/tv/${id}`),
});
