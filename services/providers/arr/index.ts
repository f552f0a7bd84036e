import * as z from 'zod';
import type { ArrServer, ArrWork } from '../../metadata/arr-server.ts';
import { createProviderHttp, type ProviderHttpDeps } from '../http.ts';
import { imdbOf, otherTitles, said } from '../read.ts';

export interface ArrOptions {
  /** With the base of its addresses, where it has one: `http://nas:7878/radarr`. */
  readonly url: string;
  readonly apiKey: string;
  /** Which of several of its kind it is, from 1. */
  readonly place: number;
}

const text = z.string().nullish();
const number = z.int32().nullish();

const common = {
  title: z.string(),
  /** Of the work's own folder, as that server sees it. */
  path: z.string().min(1),
  year: number,
  imdbId: text,
  tmdbId: number,
  alternateTitles: z.array(z.object({ title: z.string() })).nullish(),
};
const movies = z.array(z.object({ ...common, originalTitle: text }));
const series = z.array(z.object({ ...common, tvdbId: number, tvMazeId: number }));

/** A library of thousands is one answer of several megabytes, which may take it a while. */
const bytesMax = 256 * 1_024 * 1_024;
const timeoutMs = 60_000;

/** It is in the home, asked for one list now and then. */
const budget = { take: async () => 0, rest: async () => undefined };

/** Films as Radarr has them, API version 3 (https://radarr.video/docs/api). */
export function createRadarr(deps: ProviderHttpDeps, options: ArrOptions): ArrServer {
  const ask = connect(deps, 'radarr', options).define({ name: 'movie', schema: movies, ttlMs: 1 });
  return {
    ...{ source: 'radarr', kind: 'movie', server: addressOf(options.url) },
    async works() {
      const query = { excludeLocalCovers: 'true' };
      const found = await ask('/movie', query, { isFresh: true, patienceMs: timeoutMs });
      return (found ?? []).map(({ originalTitle, ...one }) =>
        workOf(one, [originalTitle], { ...tmdbId(one), ...imdbId(one) }),
      );
    },
  };
}

/** Series as Sonarr has them, API version 3 (https://sonarr.tv/docs/api). */
export function createSonarr(deps: ProviderHttpDeps, options: ArrOptions): ArrServer {
  const ask = connect(deps, 'sonarr', options).define({ name: 'series', schema: series, ttlMs: 1 });
  return {
    ...{ source: 'sonarr', kind: 'series', server: addressOf(options.url) },
    async works() {
      const found = await ask('/series', {}, { isFresh: true, patienceMs: timeoutMs });
      return (found ?? []).map((one) => {
        const [tvdb, tvmaze] = [idOf(one.tvdbId), idOf(one.tvMazeId)];
        return workOf(one, [], {
          ...(tvdb === undefined ? {} : { tvdb }),
          ...{ ...tmdbId(one), ...imdbId(one) },
          ...(tvmaze === undefined ? {} : { tvmaze }),
        });
      });
    },
  };
}

/** An address as it names a server: without what may be secret in it. */
function addressOf(url: string): string {
  const { origin, pathname } = new URL(url);
  return `${origin}${pathname.replace(/\/+$/, '')}`;
}

const connect = (deps: ProviderHttpDeps, kind: string, { url, apiKey, place }: ArrOptions) =>
  createProviderHttp(deps, {
    // What one of them answers is no other's.
    name: place === 1 ? kind : `${kind}-${place}`,
    ...{ baseUrl: `${url.replace(/\/+$/, '')}/api/v3`, budget, timeoutMs, bytesMax },
    headers: { 'x-api-key': apiKey },
  });

type Row = z.output<typeof movies>[number];

/** Zero is what they write for none. */
const idOf = (id: number | null | undefined): string | undefined =>
  id == null || id <= 0 ? undefined : String(id);

function tmdbId(row: Pick<Row, 'tmdbId'>): ArrWork['ids'] {
  const tmdb = idOf(row.tmdbId);
  return tmdb === undefined ? {} : { tmdb };
}

function imdbId(row: Pick<Row, 'imdbId'>): ArrWork['ids'] {
  const imdb = imdbOf(row.imdbId);
  return imdb === undefined ? {} : { imdb };
}

const workOf = (
  { title, path, year, alternateTitles }: Omit<Row, 'originalTitle'>,
  more: readonly (string | null | undefined)[],
  ids: ArrWork['ids'],
): ArrWork => ({
  ...{ path, title: said(title) ?? path, ids },
  titles: otherTitles([...more, ...(alternateTitles ?? []).map((one) => one.title)], [title]),
  year: year != null && year > 0 ? year : undefined,
});
