import type { IncomingMessage } from 'node:http';
import { startVendor, type Vendor, type VendorAnswer } from '../vendor.ts';

/** A series or a film as a fake TheTVDB knows it; what is not given, it does not know. */
export interface FakeTvdbWork {
  readonly id: number;
  readonly name: string;
  readonly type?: 'series' | 'movie';
  readonly date?: string;
  readonly imdb?: string;
  readonly tmdb?: string;
  readonly country?: string;
  /** Names by language, three letters. */
  readonly translations?: Readonly<Record<string, string>>;
  /** As it sends them. */
  readonly seasons?: readonly object[];
  readonly characters?: readonly object[];
  /** By order, then language. */
  readonly episodes?: Readonly<
    Record<string, Readonly<Record<string, readonly FakeTvdbEpisode[]>>>
  >;
}

/** Season, number, absolute number, name, and an id where that does not follow from these. */
type FakeTvdbEpisode = readonly [number, number, number, string | null, number?];

/** A server that answers as TheTVDB does (version 4), of a few works. */
export interface FakeTvdb extends Vendor {
  readonly works: FakeTvdbWork[];
  /** Instead of what it knows; undefined: as usual. */
  trouble: VendorAnswer | undefined;
  /** How often somebody has logged in. */
  readonly logins: () => number;
  /** Takes back every token it has given. */
  forget(): void;
}

const pageSize = 500;

/** Starts one that takes the key `key`. */
export async function startTvdb(works: readonly FakeTvdbWork[] = []): Promise<FakeTvdb> {
  const vendor = await startVendor();
  const tokens = new Set<string>();
  let logins = 0;
  const fake: FakeTvdb = Object.assign(vendor, {
    works: [...works],
    trouble: undefined,
    logins: () => logins,
    forget: () => tokens.clear(),
  });
  vendor.respond = (url, request) => {
    if (fake.trouble !== undefined) return fake.trouble;
    if (url.pathname === '/v4/login') {
      if (!isJson(request)) return { status: 400, json: failure('bad request') };
      const token = `token-${++logins}`;
      tokens.add(token);
      return { json: { status: 'success', data: { token } } };
    }
    const given = /^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1] ?? '';
    if (!tokens.has(given)) return { status: 401, json: failure('Unauthorized') };
    const json = answer(fake, url);
    return json === undefined ? { status: 404, json: failure('Resource not found') } : { json };
  };
  return fake;
}

const isJson = ({ method, headers }: IncomingMessage): boolean =>
  method === 'POST' && headers['content-type'] === 'application/json';

const failure = (message: string) => ({ status: 'failure', message, data: null });

function answer({ works }: FakeTvdb, url: URL): object | undefined {
  const [, , what = '', id = '', more = '', order = '', language = ''] = url.pathname.split('/');
  const work = works.find((one) => String(one.id) === id);
  switch (what) {
    case 'search':
      return id === 'remoteid'
        ? { status: 'success', data: works.filter(({ imdb }) => imdb === more).map(finding) }
        : { status: 'success', data: works.filter((one) => isHit(one, url.searchParams)).map(hit) };
    case 'series':
    case 'movies': {
      const isIt = what === 'series' ? work?.type !== 'movie' : work?.type === 'movie';
      if (work === undefined || !isIt) return undefined;
      return more === 'episodes'
        ? episodes(work, { order, language, page: Number(url.searchParams.get('page')) })
        : { status: 'success', data: extended(work) };
    }
    default:
      return undefined;
  }
}

const finding = ({ id, name, type = 'series' }: FakeTvdbWork) => ({ [type]: { id, name } });

/** In any of its names, by all words; the year has to be the very one. */
function isHit({ name, translations = {}, type, date }: FakeTvdbWork, query: URLSearchParams) {
  const words = (query.get('query') ?? '').toLowerCase().split(/\W+/u).filter(Boolean);
  const names = [name, ...Object.values(translations)].map((one) => one.toLowerCase());
  const isNamed = names.some((one) => words.every((word) => one.includes(word)));
  const isOfType = (type ?? 'series') === query.get('type');
  const year = query.get('year');
  return isNamed && isOfType && (year === null || date?.startsWith(year) === true);
}

const hit = ({ id, name, type = 'series', date, translations, country }: FakeTvdbWork) => ({
  ...{ objectID: `${type}-${id}`, id: `${type}-${id}`, tvdb_id: String(id), name, type },
  ...{ name_translated: null, overview: `What happens in ${name}.`, primary_language: 'eng' },
  ...{ first_air_time: date ?? '', year: date?.slice(0, 4) ?? '', country, translations },
  ...{ aliases: [], image_url: `https://artworks.thetvdb.com/banners/posters/${id}-1.jpg` },
});

const extended = (work: FakeTvdbWork) => ({
  ...told(work),
  seasons: work.seasons ?? [],
  ...(work.characters === undefined ? {} : { characters: work.characters }),
});

const told = ({ id, name, date, imdb, tmdb, country, translations = {} }: FakeTvdbWork) => ({
  ...{ id, name, slug: name.toLowerCase(), firstAired: date, year: date?.slice(0, 4) },
  ...{ image: `/banners/posters/${id}-1.jpg`, averageRuntime: 48, runtime: 101 },
  ...{ originalCountry: country, originalLanguage: 'eng', score: 12.5 },
  ...{ status: { id: 2, name: 'Ended' }, genres: [{ id: 12, name: 'Drama', slug: 'drama' }] },
  aliases: [{ language: 'ita', name: `${name} (alias)` }],
  first_release: { country: 'global', date },
  studios: [{ id: 1, name: 'A Studio' }],
  originalNetwork: { id: 1, name: 'A Network' },
  overview: `What happens in ${name}.`,
  remoteIds: [
    ...(imdb === undefined ? [] : [{ id: imdb, type: 2, sourceName: 'IMDB' }]),
    ...(tmdb === undefined ? [] : [{ id: tmdb, type: 12, sourceName: 'TheMovieDB.com' }]),
    { id: 'https://example.org', type: 4, sourceName: 'Official Website' },
  ],
  contentRatings: [{ id: 1, name: 'TV-MA', country: 'usa', fullName: '' }],
  trailers: [{ id: 1, name: '', url: 'https://www.youtube.com/watch?v=abcdefghijk' }],
  characters: [
    { id: 2, personName: 'Second', name: 'Two', peopleType: 'Actor', sort: 2 },
    { id: 1, personName: 'First', name: 'One', peopleType: 'Actor', sort: 1 },
    { id: 3, personName: 'Maker', name: null, peopleType: 'Director', sort: 0 },
  ],
  artworks: [
    { id: 1, type: 2, image: `/banners/posters/${id}-fra.jpg`, language: 'fra', score: 9 },
    {
      id: 2,
      type: 2,
      image: `https://artworks.thetvdb.com/p/${id}.jpg`,
      language: 'eng',
      score: 5,
    },
    { id: 3, type: 3, image: `https://artworks.thetvdb.com/b/${id}.jpg`, language: null, score: 1 },
    { id: 4, type: 1, image: `https://artworks.thetvdb.com/banner/${id}.jpg`, language: null },
  ],
  translations: {
    nameTranslations: Object.entries(translations).map(([language, one]) => ({
      ...{ language, name: one, isPrimary: language === 'eng' },
    })),
    overviewTranslations: Object.entries(translations).map(([language, one]) => ({
      ...{ language, overview: `${one}, in ${language}.` },
    })),
  },
});

function episodes(
  work: FakeTvdbWork,
  { order, language, page }: { order: string; language: string; page: number },
): object {
  const all = work.episodes?.[order]?.[language] ?? [];
  const next = (page + 1) * pageSize < all.length ? `?page=${page + 1}` : null;
  return {
    status: 'success',
    data: {
      ...{ id: work.id, name: work.name },
      episodes: all
        .slice(page * pageSize, (page + 1) * pageSize)
        .map(([seasonNumber, number, absoluteNumber, name, id]) => ({
          ...{ id: id ?? seasonNumber * 10_000 + number, seriesId: work.id, seasonNumber, number },
          ...{ absoluteNumber, name, overview: null, aired: '2008-01-20', runtime: 48 },
          image: id === undefined ? null : `/banners/e${id}.jpg`,
        })),
    },
    links: { prev: null, self: '', next, total_items: all.length, page_size: pageSize },
  };
}
