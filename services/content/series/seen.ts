import type { Queryable } from '#storage/postgres/connect.ts';
import { andSeen, isLimited, type Limited } from '../../visible.ts';

type Fragment = ReturnType<Queryable>;

/** One more condition: the series in this column is one that the viewer sees. */
export const andOfSeen = (sql: Queryable, viewer: Limited, seriesId: Fragment): Fragment =>
  isLimited(viewer)
    ? sql`and exists (
        select from series seen
        where seen.id = ${seriesId} ${andSeen(sql, viewer, sql`seen.library_id`)})`
    : sql``;

/** Whether there is a series, for a viewer. */
export async function seriesExists(sql: Queryable, id: string, viewer: Limited): Promise<boolean> {
  const rows = await sql`
    select from series where id = ${id} ${andSeen(sql, viewer, sql`library_id`)}`;
  return rows.length > 0;
}
