import type { Queryable, Tx } from '#storage/postgres/connect.ts';

/** What a person did for a work. */
export type CreditRole = 'actor' | 'director' | 'writer' | 'producer' | 'composer' | 'other';

/** One person's part in a work. */
export interface Credit {
  readonly name: string;
  readonly role: CreditRole;
  /** The part played, for actors; the job, for `other`; else ''. */
  readonly character: string;
  readonly position: number;
}

/** A credit as it is read: with the person's id. */
export interface StoredCredit extends Credit {
  readonly itemId: string;
  readonly personId: string;
}

/** 'Uma Thurman' → 'thurman uma': how lists of people are ordered. */
export function sortName(name: string): string {
  const folded = name
    .normalize('NFKD')
    .replace(/\p{M}+/gu, '')
    .toLowerCase()
    .trim();
  const [last, ...first] = folded.split(/\s+/).reverse();
  return [last, ...first.reverse()].join(' ');
}

/** Makes sure these people exist; in one order, so that writers do not wait for each other crosswise. */
async function ensurePeople(tx: Tx, names: readonly string[]): Promise<void> {
  const rows = [...names].sort().map((name) => ({ name, sortName: sortName(name) }));
  await tx`
    insert into people (name, sort_name)
    select name, "sortName" from jsonb_to_recordset(${tx.json(rows)})
      as r (name text, "sortName" text)
    on conflict (name) do nothing`;
}

/** Replaces the credits of works with those given, people being made as needed; two or three statements. */
export async function replaceCredits(
  tx: Tx,
  kind: string,
  items: readonly { readonly itemId: string; readonly credits: readonly Credit[] }[],
): Promise<void> {
  if (items.length === 0) return;
  const rows = items.flatMap(({ itemId, credits }) =>
    credits.map((credit) => ({ itemId, ...credit })),
  );
  await deleteCredits(
    tx,
    kind,
    items.map(({ itemId }) => itemId),
  );
  if (rows.length === 0) return;
  await ensurePeople(tx, [...new Set(rows.map(({ name }) => name))]);
  await tx`
    insert into credits (kind, item_id, person_id, role, "character", position)
    select ${kind}, r."itemId", p.id, r.role, r."character", r.position
    from jsonb_to_recordset(${tx.json(rows)}) as r (
      "itemId" uuid, name text, role text, "character" text, position smallint
    )
    join people p on p.name = r.name
    on conflict do nothing`;
}

/** Forgets the credits of works that are gone. */
export async function deleteCredits(
  tx: Tx,
  kind: string,
  itemIds: readonly string[],
): Promise<void> {
  await tx`delete from credits where kind = ${kind} and item_id = any (${itemIds as string[]}::uuid[])`;
}

/** The credits of works: directors, writers and others first named, actors in the cast's order. */
export function creditsOf(
  sql: Queryable,
  kind: string,
  itemIds: readonly string[],
): Promise<StoredCredit[]> {
  return sql<StoredCredit[]>`
    select c.item_id as "itemId", c.person_id as "personId", p.name, c.role, c."character",
      c.position
    from credits c join people p on p.id = c.person_id
    where c.kind = ${kind} and c.item_id = any (${itemIds as string[]}::uuid[])
    order by c.item_id, c.role, c.position, p.sort_name, c.person_id`;
}
