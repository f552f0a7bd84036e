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

/**
 * Replaces the credits of works with those given, people being made as needed: one to four
 * statements. Writes nothing of works that have these; resolves to the others.
 */
export async function replaceCredits(
  tx: Tx,
  kind: string,
  items: readonly { readonly itemId: string; readonly credits: readonly Credit[] }[],
): Promise<string[]> {
  if (items.length === 0) return [];
  const ids = items.map(({ itemId }) => itemId);
  const stored = Map.groupBy(await creditsOf(tx, kind, ids), ({ itemId }) => itemId);
  const wanted = items.map(({ itemId, credits }) => ({ itemId, credits: distinct(credits) }));
  const others = wanted.filter(
    ({ itemId, credits }) => !areSame(stored.get(itemId) ?? [], credits),
  );
  const changed = others.map(({ itemId }) => itemId);
  const before = changed.filter((id) => stored.has(id));
  if (before.length > 0) await deleteCredits(tx, kind, before);
  await insertCredits(
    tx,
    kind,
    others.flatMap(({ itemId, credits }) => credits.map((credit) => ({ itemId, ...credit }))),
  );
  return changed;
}

const partOf = ({ role, name, character }: Credit): string =>
  JSON.stringify([role, name, character]);

/** Who is named twice for one part is so by the first. */
function distinct(credits: readonly Credit[]): Credit[] {
  const seen = new Map<string, Credit>();
  for (const credit of credits) {
    const part = partOf(credit);
    if (!seen.has(part)) seen.set(part, credit);
  }
  return [...seen.values()];
}

function areSame(stored: readonly Credit[], wanted: readonly Credit[]): boolean {
  const positions = new Map(stored.map((credit) => [partOf(credit), credit.position]));
  return (
    stored.length === wanted.length &&
    wanted.every((credit) => positions.get(partOf(credit)) === credit.position)
  );
}

async function insertCredits(
  tx: Tx,
  kind: string,
  rows: readonly (Credit & { readonly itemId: string })[],
): Promise<void> {
  if (rows.length === 0) return;
  await ensurePeople(tx, [...new Set(rows.map(({ name }) => name))]);
  await tx`
    insert into credits (kind, item_id, person_id, role, "character", position)
    select ${kind}, r."itemId", p.id, r.role, r."character", r.position
    from jsonb_to_recordset(${tx.json(rows as never)}) as r (
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

/** Credits as a work's page shows them. Pure. */
export const presentCredits = (credits: readonly StoredCredit[]) =>
  credits.map(({ personId, name, role, character }) => ({ personId, name, role, character }));
