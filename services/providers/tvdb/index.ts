import { bareLanguage } from '../../languages.ts';
import {
  languagesOfParts,
  type EpisodeRecord,
  type PartsAsked,
  type SeriesRecord,
  type Translation,
  type WorkProvider,
  type WorkRecord,
} from '../../metadata/provider.ts';
import type { Budget } from '../budget.ts';
import { createProviderHttp, type ProviderHttp, type ProviderHttpDeps } from '../http.ts';
import { createLogin } from '../login.ts';
import { dayOf, minutes, namesOf, said, yearOf } from '../read.ts';
import { candidateOf, recordOf, tvdbLanguage } from './common.ts';
import * as schemas from './schemas.ts';

/** It states no limit; this is what its servers stand from one address. */
export const tvdbAllowance = { points: 20, seconds: 1 };

/** In which its episodes are counted: as shown, as on discs, or through all seasons. */
export type EpisodeOrder = 'aired' | 'dvd' | 'absolute';

export interface TvdbOptions {
  readonly apiKey: string;
  /** Of a subscriber, for keys that need one. */
  readonly pin?: string | undefined;
  readonly baseUrl: string;
  readonly budget: Budget;
  readonly order?: EpisodeOrder;
}

const day = 24 * 3_600_000;
const quarter = 15 * 60_000;
/** Tokens are good for a month. */
const tokenMs = 25 * day;
/** Of 500 episodes each. */
const pagesMax = 20;

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
      // Each episode has people of its own.
      ...{ credits: [], seasons: [], episodes: [] },
    };
  },
  whole: async (record, asked, options) => ({
    ...record,
    episodes: await episodesOf(ask, { record, order, asked }, options),
  }),
  tagOf: (id) => http.tagOf(`/series/${id}/extended`),
});

const orderPaths = { aired: 'official', dvd: 'dvd', absolute: 'absolute' } as const;

type Options = Parameters<WorkProvider['work']>[2];

/**
 * All episodes in an order and the languages asked for; what has no name in the locale's has its
 * English one.
 */
async function episodesOf(
  ask: Ask,
  { record, order, asked }: { record: SeriesRecord; order: EpisodeOrder; asked: PartsAsked },
  options: Options,
): Promise<EpisodeRecord[]> {
  const pages = async (spoken: string): Promise<schemas.Episode[]> => {
    const all: schemas.Episode[] = [];
    for (let page = 0; page < pagesMax; page++) {
      const path = `/series/${record.id}/episodes/${orderPaths[order]}/${spoken}`;
      const found = await ask.episodes(path, { page }, options);
      all.push(...(found?.data.episodes ?? []));
      if (said(found?.links?.next) === undefined) break;
    }
    return all;
  };
  const own = await pages(tvdbLanguage(asked.locale));
  const others: { language: string; known: Map<string, schemas.Episode> }[] = [];
  const isUntold = own.some(({ name }) => said(name) === undefined);
  const wanted = languagesOfParts(record, asked);
  const isEnglish = [asked.locale.language, ...wanted].some((one) => bareLanguage(one) === 'en');
  for (const language of isUntold && !isEnglish ? [...wanted, 'en'] : wanted) {
    const list = await pages(tvdbLanguage({ language }));
    others.push({ language, known: new Map(list.map((one) => [String(one.id), one])) });
  }
  return own.map((one) => {
    const told = others.flatMap(({ language, known }) => textsOf(language, known.get(`${one.id}`)));
    const english = told.find(({ language }) => bareLanguage(language) === 'en');
    return {
      ...{ season: one.seasonNumber, number: one.number },
      absolute:
        one.absoluteNumber != null && one.absoluteNumber > 0 ? one.absoluteNumber : undefined,
      title: said(one.name) ?? english?.title,
      overview: said(one.overview) ?? english?.overview,
      airDate: dayOf(one.aired),
      runtimeMs: minutes(one.runtime),
      translations: told.filter(({ language }) => wanted.includes(language)),
    };
  });
}

function textsOf(language: string, one: schemas.Episode | undefined): Translation[] {
  const [title, overview] = [said(one?.name), said(one?.overview)];
  return title === undefined && overview === undefined ? [] : [{ language, title, overview }];
}
