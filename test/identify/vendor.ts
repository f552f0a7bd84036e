/** A server that answers as TMDb does (version 3), of the catalogue beside it. */
import { startVendor, type Vendor, type VendorAnswer } from '../vendor.ts';
import {
  episodeTitle,
  films,
  series,
  shownOn,
  type Film,
  type Series,
  type Work,
} from './catalogue.ts';
import type { createTrouble } from './trouble.ts';

/** Starts it; what `trouble` says goes wrong. */
export async function startCatalogue(trouble: ReturnType<typeof createTrouble>): Promise<Vendor> {
  return startVendor((url): VendorAnswer => {
    const usual = answer(url);
    if (usual === undefined) return { status: 404, json: missing };
    url.searchParams.delete('api_key');
    return trouble.disturb(url.pathname + url.search, usual);
  });
}

const missing = {
  ...{ success: false, status_code: 34 },
  status_message: 'The resource you requested could not be found.',
};

function answer({ pathname, searchParams }: URL): object | undefined {
  const [, , what = '', id = '', , season = ''] = pathname.split('/');
  switch (what) {
    case 'configuration':
      return { images: { secure_base_url: 'https://image.tmdb.org/t/p/', poster_sizes: ['w780'] } };
    case 'search':
      return id === 'tv'
        ? pageOf(hitsOf(series, searchParams).map(seriesHit))
        : pageOf(hitsOf(films, searchParams).map(filmHit));
    case 'find': {
      const named = (work: Work) => work.imdb === id;
      return {
        movie_results: films.filter(named).map(filmHit),
        tv_results: series.filter((one) => named(one) || `${one.tvdb}` === id).map(seriesHit),
      };
    }
    case 'movie': {
      const film = films.find((one) => `${one.id}` === id);
      return film && filmDetail(film);
    }
    case 'tv': {
      const one = series.find((some) => `${some.id}` === id);
      if (one === undefined) return undefined;
      if (season !== '') return seasonOf(one, Number(season));
      return { ...seriesDetail(one), ...appendedTo(one, searchParams) };
    }
    default:
      return undefined;
  }
}

const perPage = 20;

const pageOf = (results: readonly object[]) => ({
  ...{ page: 1, total_pages: 1, total_results: results.length },
  results: results.slice(0, perPage),
});

/** Words without case, accents and apostrophes. */
const wordsOf = (text: string): string[] =>
  text
    .normalize('NFKD')
    .replace(/[\p{M}'’]/gu, '')
    .toLowerCase()
    .match(/[\p{L}\p{N}]+/gu) ?? [];

/** All words asked for have to be in one title, in any order; the year has to be the very one. */
function hitsOf<Kind extends Work>(works: readonly Kind[], query: URLSearchParams): Kind[] {
  const words = wordsOf(query.get('query') ?? '');
  const year = query.get('year') ?? query.get('first_air_date_year');
  const isNamed = (title: string) => {
    const known = wordsOf(title);
    return words.every((word) => known.includes(word)) || words.join('') === known.join('');
  };
  return works
    .filter((work) => year === null || `${work.year}` === year)
    .filter(({ title, original, others }) => [title, original, ...others].some(isNamed))
    .filter(() => words.length > 0)
    .toSorted((a, b) => b.votes - a.votes);
}

const common = ({ id, votes, title }: Work) => ({
  ...{ id, adult: false, backdrop_path: null, poster_path: null, genre_ids: [18] },
  ...{ original_language: 'en', overview: `What happens in ${title}.`, popularity: votes / 100 },
  ...{ vote_average: 6.9, vote_count: votes },
});

const filmHit = (film: Film) => ({
  ...common(film),
  ...{ title: film.title, original_title: film.original, video: false },
  release_date: `${film.year}-05-20`,
});

const seriesHit = (one: Series) => ({
  ...common(one),
  ...{ name: one.title, original_name: one.original, origin_country: [one.country] },
  first_air_date: shownOn(one, one.seasons.find(({ number }) => number > 0)?.number ?? 1, 1),
});

const filmDetail = (film: Film) => ({
  ...filmHit(film),
  ...{ runtime: film.minutes, imdb_id: film.imdb, status: 'Released', tagline: '' },
  belongs_to_collection: null,
  ...{ genres: [{ id: 18, name: 'Drama' }], production_companies: [], keywords: { keywords: [] } },
  credits: { cast: [{ name: 'Somebody', character: 'One', order: 0 }], crew: [] },
  external_ids: { imdb_id: film.imdb, wikidata_id: null },
  alternative_titles: {
    titles: film.others.map((title) => ({ iso_3166_1: 'US', title, type: '' })),
  },
  translations: { translations: [] },
  ...{ release_dates: { results: [] }, videos: { results: [] } },
  images: { posters: [], backdrops: [], logos: [] },
});

const seriesDetail = (one: Series) => ({
  ...seriesHit(one),
  ...{ genres: [], networks: [], production_companies: [], status: 'Ended', tagline: '' },
  seasons: one.seasons.map(({ number, count }) => ({
    ...{ season_number: number, episode_count: count, poster_path: null },
  })),
  external_ids: { imdb_id: one.imdb, tvdb_id: one.tvdb },
  alternative_titles: { results: one.others.map((title) => ({ iso_3166_1: 'US', title })) },
  ...{ content_ratings: { results: [] }, keywords: { results: [] } },
  ...{ translations: { translations: [] }, videos: { results: [] } },
  images: { posters: [], backdrops: [], logos: [] },
});

/** Seasons that are asked for with their series. */
function appendedTo(one: Series, query: URLSearchParams): object {
  const names = (query.get('append_to_response') ?? '').split(',').slice(0, 20);
  const numbers = names.flatMap((name) => /^season\/(\d+)$/.exec(name)?.[1] ?? []);
  return Object.fromEntries(
    numbers.map((number) => [`season/${number}`, seasonOf(one, Number(number))]),
  );
}

function seasonOf(one: Series, number: number): object | undefined {
  const season = one.seasons.find((some) => some.number === number);
  if (season === undefined) return undefined;
  const episodes = Array.from({ length: season.count }, (_, index) => ({
    ...{ episode_number: index + 1, season_number: number, still_path: null, runtime: 45 },
    ...{ name: episodeTitle(number, index + 1), overview: '' },
    air_date: shownOn(one, number, index + 1),
  }));
  return { season_number: number, episodes };
}
