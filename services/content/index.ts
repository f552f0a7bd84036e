import type { Queryable } from '#storage/postgres/connect.ts';
import type { SearchSource } from '../search/source.ts';
import type { CreditedKind } from '../people/credited.ts';
import type { ProgressKind } from '../progress/kinds.ts';
import { nameOfWork, type Named } from './edit.ts';
import { createHistory } from './history.ts';
import type { ContentModule } from './module.ts';
import { createMovie, type MovieDeps } from './movie/index.ts';
import { works as films } from './movie/movie.ts';
import { createSeries, nameOfPart, pictureParts, type SeriesDeps } from './series/index.ts';
import { works as series } from './series/series.ts';

/** Parts of works, of all kinds, that have pictures of their own. */
export { pictureParts };

const tables = new Map<string, string>([
  ...[films, series].map(({ kind, table }) => [kind, table] as const),
  ...[['season', 'seasons'] as const, ['episode', 'episodes'] as const],
]);

/**
 * Whether there is a work, or a part of one, of a kind that has pictures. Until the transaction
 * ends it is not deleted.
 */
export async function hasItem(sql: Queryable, kind: string, id: string): Promise<boolean> {
  const table = tables.get(kind);
  if (table === undefined) return false;
  const rows = await sql`select from ${sql(table)} where id = ${id} for key share`;
  return rows.length > 0;
}

/** What people call a work, or a part of one; undefined: there is none. */
export async function nameOf(
  sql: Queryable,
  kind: string,
  id: string,
): Promise<string | undefined> {
  if (kind === 'season' || kind === 'episode') return nameOfPart(sql, kind, id);
  const table = tables.get(kind);
  if (table === undefined) return undefined;
  const [work] = await sql<Named[]>`select title, year from ${sql(table)} where id = ${id}`;
  return work && nameOfWork(work);
}

/** What the kinds need together. */
export type ContentDeps = MovieDeps & SeriesDeps;

/** All kinds of content: the one list that a new kind is added to. */
export function createContent(deps: ContentDeps) {
  const movie = createMovie(deps);
  const shows = createSeries(deps);
  return {
    modules: [movie.module, shows.module] as readonly ContentModule[],
    handlers: { ...movie.handlers, ...shows.handlers, ...createHistory(deps.sql) },
    searchSources: [movie.searchSource, ...shows.searchSources] as readonly SearchSource[],
    enriched: { movie: movie.enriched, series: shows.enriched },
    kinds: [movie.progressKind, ...shows.progressKinds] as readonly ProgressKind[],
    compounds: shows.compounds,
    credited: [movie.credited, shows.credited] as readonly CreditedKind[],
  };
}
