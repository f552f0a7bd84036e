import type { components } from '#api/types.ts';
import type { Queryable } from '#storage/postgres/connect.ts';
import type { Limited } from '../visible.ts';
import type { CreditedKind } from './credited.ts';

type Schemas = components['schemas'];
type Fragment = ReturnType<Queryable>;

/** A work that somebody takes part in. */
export interface CreditedWork {
  readonly kind: CreditedKind['kind'];
  readonly itemId: string;
  /** YYYY-MM-DD; of works of no known day the first of all days, so that they come last. */
  readonly released: string;
  readonly credits: Schemas['PersonCredit'][];
}

/** Where a page begins: after this work. */
export type WorkPlace = Pick<CreditedWork, 'released' | 'itemId'>;

/** Of which works a person's page is: of these kinds, as far as the viewer sees them. */
export interface Shown {
  readonly kinds: readonly CreditedKind[];
  readonly viewer: Limited;
}

function worksOf(sql: Queryable, { kinds, viewer }: Shown): Fragment {
  return kinds.reduce<Fragment>(
    (all, one, index) => sql`
      ${all} ${index === 0 ? sql`` : sql`union all`}
      select ${one.kind}::text as kind, w.id, coalesce(w.released, date '0001-01-01') as released
      from (${one.released(sql, viewer)}) w`,
    sql``,
  );
}

/** Somebody, and how many works there are for the viewer; undefined: nobody, or none. */
export async function readPerson(
  sql: Queryable,
  shown: Shown,
  id: string,
): Promise<Schemas['Person'] | undefined> {
  if (shown.kinds.length === 0) return undefined;
  const [row] = await sql<Schemas['Person'][]>`
    select p.id, p.name, count(distinct (c.kind, c.item_id)) as "workCount"
    from people p
    join credits c on c.person_id = p.id
    join (${worksOf(sql, shown)}) w on w.kind = c.kind and w.id = c.item_id
    where p.id = ${id} group by p.id`;
  return row;
}

/** Works that somebody takes part in, the newest first. */
export function listCredited(
  sql: Queryable,
  shown: Shown,
  page: { readonly id: string; readonly after: WorkPlace | undefined; readonly limit: number },
): Promise<CreditedWork[]> {
  const { id, after, limit } = page;
  return sql<CreditedWork[]>`
    select c.kind, c.item_id as "itemId", w.released::text,
      jsonb_agg(jsonb_build_object('role', c.role, 'character', c."character")
        order by c.role <> 'actor', c.position, c.role, c."character") as credits
    from credits c
    join (${worksOf(sql, shown)}) w on w.kind = c.kind and w.id = c.item_id
    where c.person_id = ${id} and ${
      after === undefined
        ? sql`true`
        : sql`(w.released, c.item_id) < (${after.released}::date, ${after.itemId}::uuid)`
    }
    group by c.kind, c.item_id, w.released
    order by w.released desc, c.item_id desc
    limit ${limit}`;
}

/** Ids of people by their names, of those that there are. */
export async function peopleNamed(
  sql: Queryable,
  names: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  const rows = await sql<{ id: string; name: string }[]>`
    select id, name from people where name = any (${names as string[]}::text[])`;
  return new Map(rows.map(({ id, name }) => [name, id]));
}
