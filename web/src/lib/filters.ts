import type { paths } from '$api/types';

type MovieQuery = NonNullable<paths['/api/v1/movies']['get']['parameters']['query']>;
type SeriesQuery = NonNullable<paths['/api/v1/series']['get']['parameters']['query']>;

/** What films can be sorted by, as the menu shows it. */
export const movieSorts = ['title', 'added', 'released', 'rating', 'duration', 'size'] as const;
/** What they can be sorted by besides, where an address says so. */
const otherSorts = ['year'] as const;
/** What series can be sorted by. */
export const seriesSorts = ['title', 'added', 'episode', 'year'] as const;

/** The question an address asks of films; what it does not know it leaves out. Pure. */
export function readMovieFilter(params: URLSearchParams): MovieQuery {
  const query: MovieQuery = readCommon(params, [...movieSorts, ...otherSorts]);
  for (const name of ['library', 'genre', 'collection', 'resolution', 'language'] as const) {
    const value = params.get(name);
    if (value) query[name] = [value];
  }
  return query;
}

/** The question an address asks of series. Pure. */
export function readSeriesFilter(params: URLSearchParams): SeriesQuery {
  const query: SeriesQuery = readCommon(params, seriesSorts);
  const library = params.get('library');
  if (library) query.library = library;
  const genre = params.get('genre');
  if (genre) query.genre = [genre];
  return query;
}

interface Common<Sort> {
  sort?: Sort;
  order?: 'asc' | 'desc';
  yearFrom?: number;
  yearTo?: number;
  letter?: string;
  watched?: boolean;
  favourite?: boolean;
}

function readCommon<Sort extends string>(
  params: URLSearchParams,
  sorts: readonly Sort[],
): Common<Sort> {
  const query: Common<Sort> = {};
  const sort = sorts.find((one) => one === params.get('sort'));
  if (sort !== undefined) query.sort = sort;
  const order = params.get('order');
  if (order === 'asc' || order === 'desc') query.order = order;
  const decade = Number.parseInt(params.get('decade') ?? '', 10);
  if (decade >= 1800 && decade <= 2190) {
    query.yearFrom = decade;
    query.yearTo = decade + 9;
  }
  const letter = readLetter(params);
  if (letter !== '') query.letter = letter;
  const show = params.get('show');
  if (show === 'watched' || show === 'unwatched') query.watched = show === 'watched';
  if (show === 'favourites') query.favourite = true;
  return query;
}

/** Decades by their years, the newest first, however many works each has. Pure. */
export const newestFirst = <Decade extends { readonly value: string }>(
  decades: readonly Decade[],
): Decade[] =>
  [...decades].sort((a, b) => Number.parseInt(b.value, 10) - Number.parseInt(a.value, 10));

/** The letter that works are narrowed to, as people type it in an address; empty: none. Pure. */
export function readLetter(params: URLSearchParams): string {
  const letter = (params.get('letter') ?? '').toLowerCase();
  return /^[a-z#]$/.test(letter) ? letter : '';
}
