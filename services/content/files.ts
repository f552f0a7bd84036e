/** What every kind writes of its works' files. */
import type { Tx } from '#storage/postgres/connect.ts';
import type { Kind } from './module.ts';

/** As many ids as asked for, in rising order. */
export async function newIds(tx: Tx, count: number): Promise<string[]> {
  if (count === 0) return [];
  const rows = await tx<{ id: string }[]>`select uuidv7() as id from generate_series(1, ${count})`;
  return rows.map(({ id }) => id);
}

/** What a scan decided of one file. */
export interface FileDecision {
  readonly id: string;
  readonly itemId: string | null;
  readonly version: string | null;
  readonly part: number | null;
  readonly facts: Readonly<Record<string, unknown>>;
}

/** Records decisions; resolves to the works whose files changed, before and after. */
export async function saveFiles(tx: Tx, decisions: readonly FileDecision[]): Promise<string[]> {
  if (decisions.length === 0) return [];
  const rows = await tx<{ itemId: string | null; oldItemId: string | null }[]>`
    update files f
    set item_id = v."itemId", version = v.version, part = v.part,
      facts = case when f.role = 'image' then f.facts else v.facts end, updated_at = now()
    from jsonb_to_recordset(${tx.json(decisions as never)}) as v (
      id uuid, "itemId" uuid, version text, part smallint, facts jsonb
    )
    where f.id = v.id and (
      f.item_id is distinct from v."itemId" or f.version is distinct from v.version
      or f.part is distinct from v.part or (f.role <> 'image' and f.facts <> v.facts)
    )
    returning old.item_id as "oldItemId", new.item_id as "itemId"`;
  const ids = rows.flatMap(({ itemId, oldItemId }) => [itemId, oldItemId]);
  return [...new Set(ids.filter((id) => id !== null))];
}

/** Ids of works elsewhere; a source that a work already has gets the new value. */
export async function saveExternalIds(
  tx: Tx,
  kind: Kind,
  ids: readonly { itemId: string; source: string; value: string }[],
): Promise<string[]> {
  if (ids.length === 0) return [];
  const rows = await tx<{ itemId: string }[]>`
    insert into external_ids (kind, item_id, source, value)
    select ${kind}, "itemId", source, value
    from jsonb_to_recordset(${tx.json(ids)}) as r ("itemId" uuid, source text, value text)
    on conflict (kind, item_id, source) do update set value = excluded.value
      where external_ids.value <> excluded.value
    returning item_id as "itemId"`;
  return rows.map(({ itemId }) => itemId);
}
