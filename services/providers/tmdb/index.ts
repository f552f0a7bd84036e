import type { ProviderIds } from '../../naming/ids.ts';
import type { Locale, TitleQuery, WorkProvider } from '../../metadata/provider.ts';
import type { Budget } from '../budget.ts';
import { createProviderHttp, type ProviderHttpDeps } from '../http.ts';
import { bareLanguage, languageTag, pictureUrls } from './common.ts';
import { filmCandidate, filmRecord } from './film.ts';
import * as schemas from './schemas.ts';

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

const appended =
  'credits,external_ids,release_dates,videos,images,alternative_titles,translations,keywords';

/** Films as TMDb knows them (https://developer.themoviedb.org/docs). */
export function createTmdb(
  deps: ProviderHttpDeps,
  { apiKey, baseUrl, budget }: TmdbOptions,
): { film: WorkProvider } {
  const isToken = apiKey.startsWith('eyJ');
  const http = createProviderHttp(deps, {
    ...{ name: 'tmdb', baseUrl, budget },
    headers: isToken ? { authorization: `Bearer ${apiKey}` } : {},
    ...(isToken ? {} : { secretQuery: { api_key: apiKey } }),
  });
  const ask = {
    configuration: http.define({
      ...{ name: 'configuration', schema: schemas.configuration, ttlMs: day },
    }),
    search: http.define({ name: 'search', schema: schemas.filmSearch, ttlMs: quarter }),
    find: http.define({ name: 'find', schema: schemas.findings, ttlMs: day }),
    film: http.define({ name: 'film', schema: schemas.film, ttlMs: day }),
  };
  const urls = async () => pictureUrls(await ask.configuration('/configuration'));
  const film: WorkProvider = {
    ...{ name: 'tmdb', label: 'TMDb' },
    async search({ title, year }: TitleQuery, locale: Locale) {
      const query = { query: title, year, language: languageTag(locale), include_adult: 'false' };
      const found = await ask.search('/search/movie', query);
      const urlOf = await urls();
      return (found?.results ?? []).map((hit) => filmCandidate(hit, urlOf));
    },
    async idOf({ imdb }: ProviderIds) {
      if (imdb === undefined) return undefined;
      const found = await ask.find(`/find/${imdb}`, { external_source: 'imdb_id' });
      const id = found?.movie_results?.[0]?.id;
      return id === undefined ? undefined : String(id);
    },
    async work(id, locale, options) {
      if (!/^\d{1,9}$/.test(id)) return undefined;
      const query = {
        language: languageTag(locale),
        append_to_response: appended,
        include_image_language: [...new Set([bareLanguage(locale), 'en', 'null'])].join(','),
        include_video_language: [...new Set([bareLanguage(locale), 'en'])].join(','),
      };
      const found = await ask.film(`/movie/${id}`, query, options);
      return found === undefined ? undefined : filmRecord(found, locale, await urls());
    },
    tagOf: (id) => http.tagOf(`/movie/${id}`),
  };
  return { film };
}
