import type { Queryable } from '#storage/postgres/connect.ts';
import type { Kind } from '../content/module.ts';

/**
 * From-clause: ids `e` of the work with this id that did not come from a provider's record. What
 * a provider told must not decide again which record a work is.
 */
export const ownIds = (
  sql: Queryable,
  kind: Kind,
  id: ReturnType<Queryable>,
): ReturnType<Queryable> => sql`
  external_ids e where e.kind = ${kind} and e.item_id = ${id} and not exists (
    select from metadata_states s
    where s.kind = e.kind and s.item_id = e.item_id
      and s.given_ids @> jsonb_build_object(e.source, e.value))`;

/** A column: such ids as one object. */
export const ownIdsObject = (
  sql: Queryable,
  kind: Kind,
  id: ReturnType<Queryable>,
): ReturnType<Queryable> => sql`
  coalesce((select jsonb_object_agg(e.source, e.value) from ${ownIds(sql, kind, id)}), '{}')`;

/** A column: such ids as one text, in one order. */
export const ownIdsText = (
  sql: Queryable,
  kind: Kind,
  id: ReturnType<Queryable>,
): ReturnType<Queryable> => sql`
  (select string_agg(e.source || ':' || e.value, ',' order by e.source)
    from ${ownIds(sql, kind, id)})`;
