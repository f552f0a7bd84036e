import type { Queryable } from '#storage/postgres/connect.ts';
import type { Permission } from '../principal.ts';
import type { Limited } from '../visible.ts';

/** A kind of work that people take part in; their pages know kinds by this alone. */
export interface CreditedKind {
  readonly kind: 'movie' | 'series';
  /** What a caller must hold to see works of this kind. */
  readonly permission: Permission;
  /**
   * A query for the `id` of all works that are there for the viewer, and the day each was `released`,
   * if that is known.
   */
  released(sql: Queryable, viewer: Limited): ReturnType<Queryable>;
}

/** A column: a day, or the first of a year where only that is known. */
export const dayOr = (
  sql: Queryable,
  day: ReturnType<Queryable>,
  year: ReturnType<Queryable>,
): ReturnType<Queryable> =>
  sql`coalesce(${day}, case when ${year} between 1 and 9999 then make_date(${year}, 1, 1) end)`;
