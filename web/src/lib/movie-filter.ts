import type { paths } from '$api/types';

type Query = NonNullable<paths['/api/v1/movies']['get']['parameters']['query']>;

/** What the grid can be sorted by, as the menu shows it. */
export const sorts = [
  'title',
  'added',
  'released',
  'rating',
  'duration',
  'size',
  'random',
] as const;
export type Sort = (typeof sorts)[number];

const isSort = (text: string | null): text is Sort =>
  text !== null && (sorts as readonly string[]).includes(text);

/** The question an address asks; what it does not know it leaves out. Pure. */
export function readFilter(params: URLSearchParams): Query {
  const query: Query = {};
  const sort = params.get('sort');
  if (isSort(sort)) query.sort = sort;
  const order = params.get('order');
  if (order === 'asc' || order === 'desc') query.order = order;
  for (const name of ['library', 'genre', 'resolution', 'language'] as const) {
    const value = params.get(name);
    if (value) query[name] = [value];
  }
  const decade = Number.parseInt(params.get('decade') ?? '', 10);
  if (decade >= 1800 && decade <= 2190) {
    query.yearFrom = decade;
    query.yearTo = decade + 9;
  }
  const show = params.get('show');
  if (show === 'watched' || show === 'unwatched') query.watched = show === 'watched';
  if (show === 'favourites') query.favourite = true;
  return query;
}
