import type { Queryable } from '#storage/postgres/connect.ts';
import type { SearchSource } from '../search/source.ts';
import type { CreditedKind } from '../people/credited.ts';
import type { ProgressKind } from '../progress/kinds.ts';
import { nameOfWork, type Named } from './edit.ts';
import { isLimited, whereSeen, type Limited } from '../visible.ts';
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

/** The library of a work, or of a part of one, by kind and id. */
const libraries: ReadonlyMap<string, (sql: Queryable, id: string) => ReturnType<Queryable>> =
  new Map([
    ...[films, series].map(({ kind, table }) => {
      const own = (sql: Queryable, id: string): ReturnType<Queryable> =>
        sql`select library_id from ${sql(table)} where id = ${id}`;
      return [kind, own] as const;
    }),
    ...['seasons', 'episodes'].map((table) => {
      const above = (sql: Queryable, id: string): ReturnType<Queryable> => sql`
        select s.library_id from ${sql(table)} p join series s on s.id = p.series_id
        where p.id = ${id}`;
      return [table.slice(0, -1), above] as const;
    }),
  ]);

/** Whether a work, or a part of one, is there for the viewer; of who sees all nothing is asked. */
export async function seesItem(
  sql: Queryable,
  viewer: Limited,
  { kind, itemId }: { readonly kind: string; readonly itemId: string },
): Promise<boolean> {
  const libraryOf = libraries.get(kind);
  if (!isLimited(viewer)) return true;
  if (libraryOf === undefined) return false;
  const rows = await sql`
    select from (${libraryOf(sql, itemId)}) w ${whereSeen(sql, viewer, sql`w.library_id`)}`;
  return rows.length > 0;
}

/** What the kinds need together. */
export type ContentDeps = MovieDeps & SeriesDeps;

/** All kinds of content: the one list that a new kind is added to. */
export function createContent(deps: ContentDeps) {
  const movie = createMovie(deps);
  const shows = createSeries(deps);
  return {
    modules: [movie.module, shows.module] as readonly ContentModule[],
    handlers: { ...movie.handlers, ...shows.handlers, ...createHistory(deps.sql, seesItem) },
    searchSources: [movie.searchSource, ...shows.searchSources] as readonly SearchSource[],
    seesItem,
    enriched: { movie: movie.enriched, series: shows.enriched },
    kinds: [movie.progressKind, ...shows.progressKinds] as readonly ProgressKind[],
    compounds: shows.compounds,
    credited: [movie.credited, shows.credited] as readonly CreditedKind[],
  };
}
