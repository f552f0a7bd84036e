import { decodeCursor, encodeCursor, isMoment, isUuid, pageOf } from '../../cursor.ts';
import { problem } from '../../errors.ts';
import type { Queryable } from '#storage/postgres/connect.ts';
import type { Viewer } from '../../visible.ts';
import { countSeries, filterOf, type SeriesFilter } from './filter.ts';
import type { SeriesCard, SeriesDeps, SeriesPage } from './series.ts';

/** A series as lists show it. */
export interface CardRow {
  readonly id: string;
  readonly libraryId: string;
  readonly title: string;
  readonly year: number | null;
  readonly genres: string[];
  readonly isAvailable: boolean;
  readonly addedAt: Date;
  readonly episodeCount: number;
  readonly watchedCount: number;
  readonly isFavourite: boolean;
  readonly isOnWatchlist: boolean;
}

/** The columns of a card, of the series `s` and what `counts` counted. */
export const cardColumns = (sql: Queryable) => sql`
  s.id, s.library_id as "libraryId", s.title, s.year, s.genres, s.is_available as "isAvailable",
  s.added_at as "addedAt", counted.*, mine.favourite_at is not null as "isFavourite",
  mine.watchlist_at is not null as "isOnWatchlist"`;

/** What `cardColumns` asks of the series `s`: its episodes, and what somebody did with them. */
export const counts = (sql: Queryable, userId: string) => sql`
  cross join lateral (
    select count(*)::int as "episodeCount", count(u.item_id)::int as "watchedCount"
    from episodes e join seasons n on n.id = e.season_id and n.number > 0
    left join user_items u on u.user_id = ${userId} and u.kind = 'episode' and u.item_id = e.id
      and u.watched_at is not null
    where e.series_id = s.id
  ) counted
  left join user_items mine
    on mine.user_id = ${userId} and mine.kind = 'series' and mine.item_id = s.id`;

/** What the API was asked. */
export interface ListAsked extends SeriesFilter {
  readonly sort?: Sort;
  readonly order?: 'asc' | 'desc';
  readonly limit?: number;
  readonly cursor?: string;
  readonly offset?: number;
}

type Sort = 'title' | 'added' | 'episode' | 'year';

const types = { title: 'text', added: 'timestamptz', episode: 'timestamptz', year: 'int' } as const;
const fits: Readonly<Record<Sort, (value: string) => boolean>> = {
  title: () => true,
  added: isMoment,
  episode: isMoment,
  year: (value) => /^-?\d{1,5}$/.test(value),
};

/** What is sorted by; a series without a year counts as of one that comes last. */
function keyOf(sql: Queryable, sort: Sort, order: 'asc' | 'desc') {
  if (sort === 'title') return sql`s.sort_title`;
  if (sort === 'added') return sql`s.added_at`;
  if (sort === 'episode') {
    return sql`coalesce(
      (select max(e.added_at) from episodes e where e.series_id = s.id), s.added_at)`;
  }
  return order === 'asc' ? sql`coalesce(s.year, 32767)` : sql`coalesce(s.year, -1)`;
}

/** One page of series; throws `bad-request` and `invalid-cursor`. */
export async function listSeries(
  { sql, images }: SeriesDeps,
  asked: ListAsked,
  viewer: Viewer,
): Promise<SeriesPage> {
  const { sort = 'title', order: wanted, limit = 50, cursor, offset, ...filter } = asked;
  if (offset !== undefined && cursor !== undefined) {
    throw problem('bad-request', 'Give either cursor or offset');
  }
  const order = wanted ?? (sort === 'title' ? 'asc' : 'desc');
  const scope = `series ${sort} ${order}`;
  const after = cursor === undefined ? undefined : readCursor(scope, sort, cursor);
  const key = keyOf(sql, sort, order);
  const direction = order === 'desc' ? sql`desc` : sql`asc`;
  const beyond = order === 'desc' ? sql`<` : sql`>`;
  const place = after && sql`(${after.value}::text::${sql.unsafe(types[sort])}, ${after.id}::uuid)`;
  const [rows, total] = await Promise.all([
    sql<(CardRow & { sortValue: string })[]>`
      select ${cardColumns(sql)}, s."sortValue"
      from (
        select s.*, ${key}::text as "sortValue" from series s
        where ${filterOf(sql, filter, viewer)}
          and ${place === undefined ? sql`true` : sql`(${key}, s.id) ${beyond} ${place}`}
        order by ${key} ${direction}, s.id ${direction}
        limit ${offset === undefined ? limit + 1 : limit} offset ${offset ?? 0}
      ) s ${counts(sql, viewer.userId)}
      order by ${key} ${direction}, s.id ${direction}`,
    offset === undefined ? undefined : countSeries(sql, filter, viewer),
  ]);
  const { page, last } = pageOf(rows, limit);
  const ids = page.map(({ id }) => id);
  const pictures = await images.forItems(sql, 'series', ids);
  return {
    items: page.map((row) => presentCard(row, pictures.get(row.id) ?? {})),
    nextCursor: last === undefined ? null : encodeCursor(scope, [last.sortValue, last.id]),
    ...(total === undefined ? {} : { total }),
  };
}

/** A series for lists. */
export const presentCard = (row: CardRow, images: SeriesCard['images']): SeriesCard => ({
  id: row.id,
  libraryId: row.libraryId,
  title: row.title,
  year: row.year,
  genres: row.genres,
  isAvailable: row.isAvailable,
  addedAt: row.addedAt.toISOString(),
  images: { ...images },
  episodeCount: row.episodeCount,
  watchedCount: row.watchedCount,
  isFavourite: row.isFavourite,
  isOnWatchlist: row.isOnWatchlist,
});

function readCursor(scope: string, sort: Sort, cursor: string): { value: string; id: string } {
  const [value, id] = decodeCursor(scope, cursor);
  if (typeof value !== 'string' || !fits[sort](value) || !isUuid(id)) {
    throw problem('invalid-cursor', 'The cursor does not belong to this list');
  }
  return { value, id };
}
