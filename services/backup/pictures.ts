import type { Queryable } from '#storage/postgres/connect.ts';

/**
 * The pictures that nothing else holds, by SHA-256. What lies beside a film, is embedded in it or
 * is a frame of it is made again from there, and sizes are made of originals. What people brought
 * is in the database.
 */
export async function listOriginals(sql: Queryable): Promise<string[]> {
  const [{ there } = { there: false }] = await sql<{ there: boolean }[]>`
    select to_regclass('public.images') is not null as there`;
  if (!there) return [];
  const rows = await sql<{ sha256: string }[]>`
    select distinct sha256 from public.images where source = 'provider' order by 1`;
  return rows.map(({ sha256 }) => sha256);
}
