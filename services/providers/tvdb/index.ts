import type {
  EpisodeOrder,
  SeriesRecord,
  WorkProvider,
  WorkRecord,
} from '../../metadata/provider.ts';
import type { Budget } from '../budget.ts';
import { createProviderHttp, type ProviderHttp, type ProviderHttpDeps } from '../http.ts';
import { createLogin } from '../login.ts';
import { dayOf, minutes, namesOf, said, yearOf } from '../read.ts';
import { candidateOf, recordOf, tvdbLanguage } from './common.ts';
import { episodeOf, inOrder, othersOf, pagesOf, seasonsOf } from './episodes.ts';
import * as schemas from './schemas.ts';

/** It states no limit; this is what its servers stand from one address. */
export const tvdbAllowance = { points: 20, seconds: 1 };

export interface TvdbOptions {
  readonly apiKey: string;
  /** Of a subscriber, for keys that need one. */
  readonly pin?: string | undefined;
  readonly baseUrl: string;
  readonly budget: Budget;
  /** In which episodes count where nobody has said otherwise; as shown, unless stated. */
  readonly order?: EpisodeOrder;
}

const day = 24 * 3_600_000;
const quarter = 15 * 60_000;
/** Tokens are good for a month. */
const tokenMs = 25 * day;

/** Series and films as TheTVDB knows them, version 4 (https://thetvdb.github.io/v4-api). */
export function createTvdb(
  deps: ProviderHttpDeps,
  { apiKey, pin, baseUrl, budget, order = 'aired' }: TvdbOptions,
): { film: WorkProvider; series: WorkProvider<SeriesRecord> } {
  const body = { apikey: apiKey, ...(pin === undefined ? {} : { pin }) };
  const url = `${baseUrl}/login`;
  const token = createLogin(deps, { name: 'tvdb', url, body, lifeMs: tokenMs });
  const http = createProviderHttp(deps, { name: 'tvdb', baseUrl, budget, headers: {}, token });
  const ask = define(http);
  return { film: filmsOf(http, ask), series: seriesOf(http, ask, order) };
}

type Ask = ReturnType<typeof define>;

function define(http: ProviderHttp) {
  const { search, findings, series, film, episodes } = schemas;
  return {
    search: http.define({ name: 'search', schema: search, ttlMs: quarter }),
    find: http.define({ name: 'find', schema: findings, ttlMs: day }),
    series: http.define({ name: 'series', schema: series, ttlMs: day }),
    film: http.define({ name: 'film', schema: film, ttlMs: day }),
    episodes: http.define({ name: 'episodes', schema: episodes, ttlMs: day }),
  };
}

const named = { name: 'tvdb', label: 'TheTVDB' } as const;
const isId = (id: string): boolean => /^\d{1,9}$/.test(id);
const translated = { meta: 'translations', short: 'false' } as const;

/** What differs between the two kinds. */
const searchFor =
  (ask: Ask, type: 'series' | 'movie'): WorkProvider['search'] =>
  async ({ title, year }, locale) => {
    const found = await ask.search('/search', { query: title, type, year, limit: 20 });
    return (found?.data ?? []).map((hit) => candidateOf(hit, locale));
  };

const idBy =
  (ask: Ask, type: 'series' | 'movie'): WorkProvider['idOf'] =>
  async ({ imdb }) => {
    const found = imdb === undefined ? undefined : await ask.find(`/search/remoteid/${imdb}`);
    const id = found?.data.flatMap((one) => one[type]?.id ?? [])[0];
    return id === undefined ? undefined : String(id);
  };

const filmsOf = (http: ProviderHttp, ask: Ask): WorkProvider => ({
  ...{ ...named, search: searchFor(ask, 'movie'), idOf: idBy(ask, 'movie') },
  async work(id, locale, options): Promise<WorkRecord | undefined> {
    if (!isId(id)) return undefined;
    const found = await ask.film(`/movies/${id}/extended`, translated, options);
    if (found === undefined) return undefined;
    const { data } = found;
    return {
      ...recordOf(data, locale),
      date: dayOf(data.first_release?.date),
      runtimeMs: minutes(data.runtime),
      studios: namesOf(data.studios),
    };
  },
  tagOf: (id) => http.tagOf(`/movies/${id}/extended`),
});

const seriesOf = (
  http: ProviderHttp,
  ask: Ask,
  order: EpisodeOrder,
): WorkProvider<SeriesRecord> => ({
  ...{ ...named, search: searchFor(ask, 'series'), idOf: idBy(ask, 'series') },
  async work(id, locale, options): Promise<SeriesRecord | undefined> {
    if (!isId(id)) return undefined;
    const found = await ask.series(`/series/${id}/extended`, translated, options);
    if (found === undefined) return undefined;
    const { data } = found;
    const record = recordOf(data, locale);
    return {
      ...record,
      year: record.year ?? yearOf(data.firstAired),
      date: dayOf(data.firstAired),
      overview: record.overview ?? said(data.overview),
      studios: namesOf([data.originalNetwork, data.latestNetwork].filter((one) => one != null)),
      ...{ seasons: seasonsOf(data.seasons, order), episodes: [] },
    };
  },
  async whole(record, asked, options) {
    const pages = pagesOf(ask, record.id, options);
    const listed = await pages(order, tvdbLanguage(asked.locale));
    const others = await othersOf(listed, { record, asked, pages: (one) => pages(order, one) });
    const whole = { ...record, episodes: listed.map((one) => episodeOf(one, others)) };
    if (asked.order === undefined) return whole;
    if (asked.order === order) {
      if (order === 'absolute') return inOrder(whole, order, { listed, wanted: listed });
      // What was an order beside the usual one may be the usual one now: no places but the known.
      return { ...whole, ordered: { order, places: [] } };
    }
    const wanted = await pages(asked.order, tvdbLanguage(asked.locale));
    return inOrder(whole, asked.order, { listed, wanted });
  },
  tagOf: (id) => http.tagOf(`/series/${id}/extended`),
});
