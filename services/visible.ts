/**
 * What a caller may see: works of some libraries, or of all. What is of another library is answered
 * as if it were not there, so each read asks here, and each cached answer that depends on it has
 * `limitsOf` in its key. For who may see all, nothing is added to a query.
 */
import type { Queryable } from '#storage/postgres/connect.ts';
import type { Principal } from './principal.ts';

type Fragment = ReturnType<Queryable>;

/** Who looks: whose states are shown, and of which libraries. */
export type Viewer = Pick<Principal, 'userId' | 'libraries'>;

/** The libraries that somebody is limited to; undefined: all. */
export type Limited = Pick<Principal, 'libraries'>;

/** Whether somebody sees what is of a library. */
export const sees = ({ libraries }: Limited, libraryId: string): boolean =>
  libraries === undefined || libraries.has(libraryId);

/** Whether there may be anything that the caller does not see. */
export const isLimited = ({ libraries }: Limited): boolean => libraries !== undefined;

/** The libraries that somebody is limited to, in one order; undefined: all. */
export const limitsOf = ({ libraries }: Limited): string[] | undefined =>
  libraries && [...libraries].sort();

/** A condition: the library in this column is one of these; of none, nothing is. */
export const isOneOf = (sql: Queryable, column: Fragment, ids: readonly string[]): Fragment =>
  sql`${column} = any (${ids as string[]}::uuid[])`;

/** A condition: the library in this column is one that the caller sees; undefined: all are. */
export function seenIn(sql: Queryable, limited: Limited, column: Fragment): Fragment | undefined {
  const limits = limitsOf(limited);
  return limits && isOneOf(sql, column, limits);
}

/** That condition after others. */
export function andSeen(sql: Queryable, limited: Limited, column: Fragment): Fragment {
  const isSeen = seenIn(sql, limited, column);
  return isSeen === undefined ? sql`` : sql`and ${isSeen}`;
}

/** That condition alone. */
export function whereSeen(sql: Queryable, limited: Limited, column: Fragment): Fragment {
  const isSeen = seenIn(sql, limited, column);
  return isSeen === undefined ? sql`` : sql`where ${isSeen}`;
}

/** Whether a work, or a part of one, is there for somebody; of who sees all nothing is asked. */
export type SeesItem = (
  sql: Queryable,
  limited: Limited,
  item: { readonly kind: string; readonly itemId: string },
) => Promise<boolean>;
