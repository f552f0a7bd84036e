import { presentState } from '../../progress/present.ts';
import { noState, statesOf } from '../../progress/store.ts';
import { countFilms, listFilms, listFilmsAt, type ListRows } from './list.ts';
import { cursorAfter, type ListQuery } from './list-query.ts';
import { userTag } from '../works.ts';
import { listTag, type MovieDeps, type MoviePage } from './movie.ts';
import { presentCard } from './present.ts';

/** Pages of films. */
export interface Pages {
  get(query: ListQuery): Promise<MoviePage>;
}

/** Pages as one viewer sees them, kept for a minute. */
export function definePages(deps: MovieDeps): Pages {
  const pages = deps.cache.define<string, MoviePage>({
    name: 'movie.page',
    ttlMs: 60_000,
    load: (key) => readPage(deps, JSON.parse(key) as ListQuery),
    tags: (_page, key) => [listTag, userTag((JSON.parse(key) as ListQuery).userId)],
  });
  return {
    get: (query) => pages.get(JSON.stringify(query)),
  };
}

async function readPage(deps: MovieDeps, query: ListQuery): Promise<MoviePage> {
  const { sql } = deps;
  const [{ rows, next }, total] =
    query.offset === undefined
      ? [await listFilms(sql, query), undefined]
      : await Promise.all([pageAt(deps, query), countFilms(sql, query)]);
  const ids = rows.map(({ id }) => id);
  const [states, images] = await Promise.all([
    statesOf(sql, query.userId, { kind: 'movie', itemIds: ids }),
    deps.images.forItems(sql, 'movie', ids),
  ]);
  return {
    items: rows.map((row) => ({
      ...presentCard(row, images.get(row.id) ?? {}),
      userState: presentState(states.get(row.id) ?? noState),
    })),
    nextCursor: next === undefined ? null : cursorAfter(query, next),
    ...(total === undefined ? {} : { total }),
  };
}

const pageAt = async ({ sql }: MovieDeps, query: ListQuery): Promise<ListRows> => ({
  rows: await listFilmsAt(sql, query),
  next: undefined,
});
