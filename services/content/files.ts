/** What every kind writes of its works' files. */
import type { Tx } from '#storage/postgres/connect.ts';

/** What a scan decided of one file. */
export interface FileDecision {
  readonly id: string;
  readonly itemId: string | null;
  readonly version: string | null;
  readonly part: number | null;
  /** Kept as JSON: what is undefined is left out. */
  readonly facts: Readonly<Record<string, unknown>>;
}

/** A file that belongs to a work, or to none, and is no version of it. */
export const sideDecision = (
  { id }: { readonly id: string },
  itemId: string | null,
  facts: FileDecision['facts'] = {},
): FileDecision => ({ id, itemId, version: null, part: null, facts });

/** The files of one version: one, or the parts of one in order. */
export function versionDecisions({
  itemId,
  version,
  parts,
  facts,
}: Omit<FileDecision, 'id' | 'part'> & {
  readonly parts: readonly { readonly id: string }[];
}): FileDecision[] {
  const isStack = parts.length > 1;
  const stackId = isStack ? parts[0]?.id : undefined;
  return parts.map(({ id }, index) => ({
    ...{ id, itemId, version },
    part: isStack ? index + 1 : null,
    facts: { ...facts, stackId },
  }));
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
