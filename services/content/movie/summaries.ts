import type { Queryable } from '#storage/postgres/connect.ts';
import type { ItemSummary } from '../../progress/kinds.ts';
import type { ImageLookup } from '../images.ts';
import { andSeen, type Limited } from '../../visible.ts';
import { externalIdsOf } from '../works.ts';

/** Films as lists of all kinds show them. */
export async function summariesOfFilms(
  sql: Queryable,
  images: ImageLookup,
  { ids, viewer }: { readonly ids: readonly string[]; readonly viewer: Limited },
): Promise<ItemSummary[]> {
  const [rows, pictures] = await Promise.all([
    sql<Omit<ItemSummary, 'images'>[]>`
      select m.id, m.title, m.year, m.duration_ms as "durationMs", m.is_available as "isAvailable",
        ${externalIdsOf(sql, 'movie', sql`m.id`)} as "externalIds"
      from movies m where m.id = any (${ids as string[]}::uuid[])
        ${andSeen(sql, viewer, sql`m.library_id`)}`,
    images.forItems(sql, 'movie', ids),
  ]);
  return rows.map((row) => ({ ...row, images: pictures.get(row.id) ?? {} }));
}
