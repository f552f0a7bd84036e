import { decodeCursor, encodeCursor, isMoment, isUuid, pageOf } from '../../cursor.ts';
import { problem } from '../../errors.ts';
import { sortTitle } from '../../naming/titles.ts';
import type { Queryable } from '#storage/postgres/connect.ts';
import { titleBegins } from '../works.ts';
import type { SeriesCard, SeriesDeps } from './series.ts';

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
}

/** The columns of a card, of the series `s` and what `counts` counted. */
export const cardColumns = (sql: Queryable) => sql`
  s.id, s.library_id as "libraryId", s.title, s.year, s.genres, s.is_available as "isAvailable",
  s.added_at as "addedAt", counted.*`;

/** How many episodes the series `s` has, and how many of them somebody has watched. */
export const counts = (sql: Queryable, userId: string) => sql`
  cross join lateral (
    select count(*)::int as "episodeCount", count(u.item_id)::int as "watchedCount"
    from episodes e join seasons n on n.id = e.season_id and n.number > 0
    left join user_items u on u.user_id = ${userId} and u.kind = 'episode' and u.item_id = e.id
      and u.watched_at is not null
    where e.series_id = s.id
  ) counted`;

const columns = { title: 'sort_title', added: 'added_at' } as const;
const types = { title: 'text', added: 'timestamptz' } as const;

/** What the API was asked. */
export interface ListAsked {
  readonly sort?: 'title' | 'added';
  readonly order?: 'asc' | 'desc';
  readonly library?: string;
  readonly titlePrefix?: string;
  readonly limit?: number;
  readonly cursor?: string;
}

/** One page of series. */
export async function listSeries(
  { sql, images }: SeriesDeps,
  asked: ListAsked,
  userId: string,
): Promise<{ items: SeriesCard[]; nextCursor: string | null }> {
  const { sort = 'title', limit = 50 } = asked;
  const order = asked.order ?? (sort === 'title' ? 'asc' : 'desc');
  const scope = `series ${sort} ${order}`;
  const after = asked.cursor === undefined ? undefined : readCursor(scope, sort, asked.cursor);
  const key = sql`s.${sql(columns[sort])}`;
  const direction = order === 'desc' ? sql`desc` : sql`asc`;
  const beyond = order === 'desc' ? sql`<` : sql`>`;
  const prefix = asked.titlePrefix === undefined ? undefined : sortTitle(asked.titlePrefix);
  const place = after && sql`(${after.value}::text::${sql.unsafe(types[sort])}, ${after.id}::uuid)`;
  const rows = await sql<(CardRow & { sortValue: string })[]>`
    select ${cardColumns(sql)}, s."sortValue"
    from (
      select s.*, ${key}::text as "sortValue" from series s
      where ${asked.library === undefined ? sql`true` : sql`s.library_id = ${asked.library}`}
        and ${prefix === undefined ? sql`true` : titleBegins(sql, sql`s.sort_title`, prefix)}
        and ${place === undefined ? sql`true` : sql`(${key}, s.id) ${beyond} ${place}`}
      order by ${key} ${direction}, s.id ${direction}
      limit ${limit + 1}
    ) s ${counts(sql, userId)}
    order by ${key} ${direction}, s.id ${direction}`;
  const { page, last } = pageOf(rows, limit);
  const pictures = await images.forItems(
    sql,
    'series',
    page.map(({ id }) => id),
  );
  return {
    items: page.map((row) => presentCard(row, pictures.get(row.id) ?? {})),
    nextCursor: last === undefined ? null : encodeCursor(scope, [last.sortValue, last.id]),
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
});

function readCursor(
  scope: string,
  sort: 'title' | 'added',
  cursor: string,
): { value: string; id: string } {
  const [value, id] = decodeCursor(scope, cursor);
  const isText = typeof value === 'string';
  const isValue = isText && (sort === 'title' || isMoment(value));
  if (!isValue || !isUuid(id)) {
    throw problem('invalid-cursor', 'The cursor does not belong to this list');
  }
  return { value, id };
}
