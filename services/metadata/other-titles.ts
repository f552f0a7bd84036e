import type { Queryable } from '#storage/postgres/connect.ts';
import type { Kind } from '../content/module.ts';

const titlesMax = 30;

/**
 * A column: titles in other languages and countries that a record gives the work with this id. Its
 * own tables have names that no query around it gives to another.
 */
export const otherTitles = (
  sql: Queryable,
  kind: Kind,
  id: ReturnType<Queryable>,
): ReturnType<Queryable> => sql`
  array(
    select o.title from metadata_states recorded
      cross join lateral jsonb_array_elements_text(coalesce(recorded.extras -> 'otherTitles', '[]'))
        with ordinality as o (title, place)
    where recorded.kind = ${kind} and recorded.item_id = ${id} order by o.place limit ${titlesMax})`;
