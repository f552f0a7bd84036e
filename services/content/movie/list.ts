import type { Queryable } from '#storage/postgres/connect.ts';
import { pageOf } from '../../cursor.ts';
import { isOneOf } from '../../visible.ts';
import { letterOf, titleBegins } from '../works.ts';
import { sortColumns, type ListQuery, type Place } from './list-query.ts';
import { sortTitle } from '../../naming/titles.ts';

/** A film as lists show it. */
export interface CardRow {
  readonly id: string;
  readonly libraryId: string;
  readonly title: string;
  readonly year: number | null;
  readonly releaseDate: string | null;
  readonly durationMs: number | null;
  readonly rating: number | null;
  readonly certification: string | null;
  readonly genres: string[];
  readonly resolutions: string[];
  readonly hdrKinds: string[];
  readonly sizeBytes: number;
  readonly isAvailable: boolean;
  readonly addedAt: Date;
}

/** The columns of a card, of the film `m`. */
export const cardColumns = (sql: Queryable) => sql`
  m.id, m.library_id as "libraryId", m.title, m.year, m.release_date as "releaseDate",
  m.duration_ms as "durationMs", m.rating, m.certification, m.genres, m.resolutions,
  m.hdr_kinds as "hdrKinds", m.size_bytes as "sizeBytes", m.is_available as "isAvailable",
  m.added_at as "addedAt"`;

/** A page, and the place its last film stands at when there are more. */
export interface ListRows {
  readonly rows: CardRow[];
  readonly next: Place | undefined;
}

interface Placed {
  readonly row: CardRow;
  readonly place: Place;
}

/**
 * One page of films. Read along the index of its order, from the place after; films without the
 * value come last, as a second walk that only the page on the border needs.
 */
export async function listFilms(sql: Queryable, query: ListQuery): Promise<ListRows> {
  const wanted = query.limit + 1;
  const { isNullable } = sortColumns[query.sort];
  const hasSecond = isNullable || query.sort === 'random';
  const found: Placed[] = [];
  if (query.after?.part !== 'second')
    found.push(...(await walk(sql, query, { part: 'first', wanted })));
  if (hasSecond && found.length < wanted) {
    const rest = wanted - found.length;
    found.push(...(await walk(sql, query, { part: 'second', wanted: rest })));
  }
  const { page, last } = pageOf(found, query.limit);
  return { rows: page.map(({ row }) => row), next: last?.place };
}

async function walk(
  sql: Queryable,
  query: ListQuery,
  { part, wanted }: { part: Place['part']; wanted: number },
): Promise<Placed[]> {
  const { column, isNullable } = sortColumns[query.sort];
  const key = sql`m.${sql(column)}`;
  const isNull = isNullable && part === 'second';
  const direction = query.order === 'desc' ? sql`desc` : sql`asc`;
  const rows = await sql<(CardRow & { sortValue: string | null })[]>`
    select ${cardColumns(sql)}, ${key}::text as "sortValue"
    from movies m
    where ${filterOf(sql, query)}
      and ${partOf(sql, query, part)} and ${afterOf(sql, query, part)}
    order by ${isNull ? sql`` : sql`${key} ${direction}, `} m.id ${direction}
    limit ${wanted}`;
  return rows.map(({ sortValue, ...row }) => ({
    row,
    place: { part, value: isNull ? null : sortValue, id: row.id },
  }));
}

function partOf(sql: Queryable, { sort, start = 0 }: ListQuery, part: Place['part']) {
  if (sort === 'random') {
    return part === 'first' ? sql`m.shuffle >= ${start}` : sql`m.shuffle < ${start}`;
  }
  const { column, isNullable } = sortColumns[sort];
  if (!isNullable) return sql`true`;
  return part === 'first' ? sql`m.${sql(column)} is not null` : sql`m.${sql(column)} is null`;
}

function afterOf(sql: Queryable, { sort, order, after }: ListQuery, part: Place['part']) {
  if (after?.part !== part) return sql`true`;
  const { column, type } = sortColumns[sort];
  const compare = order === 'desc' ? sql`<` : sql`>`;
  if (after.value === null) return sql`m.id ${compare} ${after.id}::uuid`;
  const value = sql`${after.value}::text::${sql.unsafe(type)}`;
  return sql`(m.${sql(column)}, m.id) ${compare} (${value}, ${after.id}::uuid)`;
}

/** How many films there are under a filter. */
export async function countFilms(sql: Queryable, asked: Filtered): Promise<number> {
  const [row] = await sql<{ count: number }[]>`
    select count(*) from movies m where ${filterOf(sql, asked)}`;
  return row?.count ?? 0;
}

/** A page counted from the front: slower the farther it is. */
export function listFilmsAt(sql: Queryable, query: ListQuery): Promise<CardRow[]> {
  const { column } = sortColumns[query.sort];
  const direction = query.order === 'desc' ? sql`desc` : sql`asc`;
  return sql<CardRow[]>`
    select ${cardColumns(sql)} from movies m
    where ${filterOf(sql, query)}
    order by m.${sql(column)} ${direction} nulls last, m.id ${direction}
    limit ${query.limit} offset ${query.offset ?? 0}`;
}

/** Cards of films by id. */
export function cardsOf(sql: Queryable, ids: readonly string[]): Promise<CardRow[]> {
  return sql<CardRow[]>`
    select ${cardColumns(sql)} from movies m where m.id = any (${ids as string[]}::uuid[])`;
}

type Fragment = ReturnType<Queryable>;

/** Which films: those under a filter that the viewer sees. */
type Filtered = Pick<ListQuery, 'filter' | 'userId' | 'limits'>;

function filterOf(sql: Queryable, { filter, userId, limits }: Filtered): Fragment {
  const overlaps = (column: string, values: readonly string[] | undefined) =>
    values === undefined || values.length === 0
      ? undefined
      : sql`m.${sql(column)} && ${values as string[]}::text[]`;
  const has = (wanted: boolean | undefined, column: string) =>
    wanted === undefined ? undefined : stateOf(sql, { wanted, column, userId });
  const conditions = [
    limits && isOneOf(sql, sql`m.library_id`, limits),
    libraryOf(sql, filter.library),
    overlaps('genres', filter.genre),
    collectionOf(sql, filter.collection),
    overlaps('resolutions', filter.resolution),
    overlaps('video_codecs', filter.videoCodec),
    overlaps('hdr_kinds', filter.hdr),
    overlaps('audio_languages', filter.language),
    filter.year === undefined ? undefined : sql`m.year = ${filter.year}`,
    filter.yearFrom === undefined ? undefined : sql`m.year >= ${filter.yearFrom}`,
    filter.yearTo === undefined ? undefined : sql`m.year <= ${filter.yearTo}`,
    has(filter.watched, 'watched_at'),
    has(filter.favourite, 'favourite_at'),
    has(filter.watchlist, 'watchlist_at'),
    filter.available === undefined ? undefined : availability(sql, filter.available),
    filter.addedSince === undefined ? undefined : sql`m.added_at >= ${new Date(filter.addedSince)}`,
    filter.letter === undefined ? undefined : letterOf(sql, sql`m.sort_title`, filter.letter),
    filter.titlePrefix === undefined
      ? undefined
      : titleBegins(sql, sql`m.sort_title`, sortTitle(filter.titlePrefix)),
  ].filter((condition) => condition !== undefined);
  return conditions.reduce<Fragment>((all, one) => sql`${all} and ${one}`, sql`true`);
}

/** One library is written so that the indexes by library keep their order. */
function libraryOf(sql: Queryable, libraries: readonly string[] = []): Fragment | undefined {
  const [first, second] = libraries;
  if (first === undefined) return undefined;
  return second === undefined
    ? sql`m.library_id = ${first}`
    : sql`m.library_id = any (${libraries as string[]}::uuid[])`;
}

const collectionOf = (sql: Queryable, names: readonly string[] = []): Fragment | undefined =>
  names.length === 0 ? undefined : sql`m.collection = any (${names as string[]}::text[])`;

/** What somebody has is looked up whole, it is little; what they have not is asked film by film. */
function stateOf(
  sql: Queryable,
  { wanted, column, userId }: { wanted: boolean; column: string; userId: string },
): Fragment {
  const theirs = sql`u.user_id = ${userId} and u.kind = 'movie' and u.${sql(column)} is not null`;
  return wanted
    ? sql`m.id = any (array(select u.item_id from user_items u where ${theirs}))`
    : sql`not exists (select from user_items u where ${theirs} and u.item_id = m.id)`;
}

/** Written as the partial index has it. */
const availability = (sql: Queryable, isAvailable: boolean) =>
  isAvailable ? sql`m.is_available` : sql`not m.is_available`;
