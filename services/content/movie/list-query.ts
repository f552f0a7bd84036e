import { problem } from '../../errors.ts';
import { decodeCursor, encodeCursor, isDay, isMoment, isUuid } from '../../cursor.ts';
import { limitsOf, type Viewer } from '../../visible.ts';

/** What films can be sorted by. */
export type MovieSort =
  'title' | 'added' | 'year' | 'released' | 'duration' | 'size' | 'rating' | 'random';
export type Order = 'asc' | 'desc';

/** What a list is limited to; values of one filter are alternatives. */
export interface MovieFilter {
  readonly library?: readonly string[];
  readonly genre?: readonly string[];
  readonly collection?: readonly string[];
  readonly resolution?: readonly string[];
  readonly videoCodec?: readonly string[];
  readonly hdr?: readonly string[];
  readonly language?: readonly string[];
  readonly year?: number;
  readonly yearFrom?: number;
  readonly yearTo?: number;
  readonly watched?: boolean;
  readonly favourite?: boolean;
  readonly watchlist?: boolean;
  readonly available?: boolean;
  readonly addedSince?: string;
  readonly letter?: string;
  readonly titlePrefix?: string;
}

/** Where a page begins: after this value and id, in this part of the list. */
export interface Place {
  /** `first`: films that have the value; `second`: those without, or shuffled past the start. */
  readonly part: 'first' | 'second';
  /** Null within the films that have no value. */
  readonly value: string | null;
  readonly id: string;
}

/** One page of one list. */
export interface ListQuery {
  readonly sort: MovieSort;
  readonly order: Order;
  readonly filter: MovieFilter;
  readonly limit: number;
  readonly after?: Place;
  readonly offset?: number;
  /** Where a shuffled list begins. */
  readonly start?: number;
  /** Whose watched, favourites and watchlist are meant. */
  readonly userId: string;
  /** The libraries that this one is limited to; absent: all. */
  readonly limits?: readonly string[];
}

const like =
  (pattern: RegExp) =>
  (value: string): boolean =>
    pattern.test(value);

/** The column of a sort, its type, whether films may lack it, and what its values are like. */
export const sortColumns = {
  title: { column: 'sort_title', type: 'text', isNullable: false, fits: like(/^[^\0]{0,2000}$/s) },
  added: { column: 'added_at', type: 'timestamptz', isNullable: false, fits: isMoment },
  year: { column: 'year', type: 'int', isNullable: true, fits: like(/^\d{1,4}$/) },
  released: { column: 'release_date', type: 'date', isNullable: true, fits: isDay },
  duration: { column: 'duration_ms', type: 'int8', isNullable: true, fits: like(/^\d{1,15}$/) },
  size: { column: 'size_bytes', type: 'int8', isNullable: false, fits: like(/^\d{1,18}$/) },
  rating: {
    column: 'rating',
    type: 'float4',
    isNullable: true,
    fits: like(/^\d{1,2}(?:\.\d{1,9})?$/),
  },
  random: {
    column: 'shuffle',
    type: 'float8',
    isNullable: false,
    fits: like(/^\d(?:\.\d{1,20})?(?:e-\d{1,2})?$/),
  },
} as const satisfies Record<
  MovieSort,
  { column: string; type: string; isNullable: boolean; fits: (value: string) => boolean }
>;

/** What the API was asked. */
export interface ListAsked extends MovieFilter {
  readonly sort?: MovieSort;
  readonly order?: Order;
  readonly limit?: number;
  readonly cursor?: string;
  readonly offset?: number;
}

/** The question of a request; throws `invalid-cursor` and `bad-request`. */
export function readListQuery(
  asked: ListAsked,
  caller: Viewer & { readonly random: () => number },
): ListQuery {
  const { sort = 'title', order: wanted, limit = 50, cursor, offset, ...filter } = asked;
  const order = sort === 'random' ? 'asc' : (wanted ?? (sort === 'title' ? 'asc' : 'desc'));
  const limits = limitsOf(caller);
  const base = {
    ...{ sort, order, filter, limit, userId: caller.userId },
    ...(limits === undefined ? {} : { limits }),
  };
  if (offset !== undefined && cursor !== undefined) {
    throw problem('bad-request', 'Give either cursor or offset');
  }
  if (offset !== undefined) {
    if (sort === 'random') throw problem('bad-request', 'A shuffled list has no offset');
    return { ...base, offset };
  }
  const place = cursor === undefined ? undefined : readPlace(sort, order, cursor);
  if (sort === 'random') {
    return { ...base, ...place, start: place?.start ?? Math.round(caller.random() * 1e6) / 1e6 };
  }
  return { ...base, ...(place === undefined ? {} : { after: place.after }) };
}

function readPlace(
  sort: MovieSort,
  order: Order,
  cursor: string,
): { after: Place; start?: number } {
  const [part, value, id, start] = decodeCursor(`movies ${sort} ${order}`, cursor);
  const { fits, isNullable } = sortColumns[sort];
  const isText = typeof value === 'string';
  const isPart = part === 'first' || (part === 'second' && (isNullable || sort === 'random'));
  const isNull = value === null && isNullable && part === 'second';
  const isValue = isNull || (isText && fits(value));
  const isStart = sort !== 'random' || (typeof start === 'number' && start >= 0 && start <= 1);
  if (!isPart || !isValue || !isStart || !isUuid(id)) {
    throw problem('invalid-cursor', 'The cursor does not belong to this list');
  }
  return {
    after: { part, value: isText ? value : null, id },
    ...(typeof start === 'number' ? { start } : {}),
  };
}

/** The cursor of the page after `last`. */
export const cursorAfter = (query: ListQuery, last: Place): string =>
  encodeCursor(`movies ${query.sort} ${query.order}`, [
    last.part,
    last.value,
    last.id,
    ...(query.start === undefined ? [] : [query.start]),
  ]);
