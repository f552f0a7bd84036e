import type { Queryable } from './connect.ts';

/**
 * What time the database has, in milliseconds since 1970. All nodes have this one, whatever the
 * clocks of their machines say; within a transaction it goes on.
 */
export async function timeOf(sql: Queryable): Promise<number> {
  const [row] = await sql<{ ms: number }[]>`
    select (extract(epoch from clock_timestamp()) * 1000)::float8 as ms`;
  if (row === undefined) throw new Error('the database does not say what time it is');
  return row.ms;
}
