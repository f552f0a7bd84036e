import type { Tx } from '#storage/postgres/connect.ts';
import { mergeStates } from './store.ts';

/** Works that a person says are others. */
type Moves = readonly { readonly from: string; readonly to: string }[];

/**
 * Makes works one by a person's word: nobody loses anything by it. What anybody watched of either
 * is watched, and what was begun goes on where it got furthest.
 */
export async function mergeFurthest(tx: Tx, kind: string, moves: Moves): Promise<void> {
  if (moves.length === 0) return;
  const further = await tx<object[]>`
    with joined as (
      select "from" as id, "to" from jsonb_to_recordset(${tx.json(moves)})
        as m ("from" uuid, "to" uuid)
      union select "to", "to" from jsonb_to_recordset(${tx.json(moves)})
        as m ("from" uuid, "to" uuid)
    )
    select distinct on (o.user_id, b."to") o.user_id as "userId", b."to" as "itemId",
      o.position_ms as "positionMs", o.duration_ms as "durationMs", o.file_id as "fileId",
      max(o.watched_at) over (partition by o.user_id, b."to") as "watchedAt"
    from joined b join user_items o on o.kind = ${kind} and o.item_id = b.id
    order by o.user_id, b."to", o.position_ms desc, o.progress_event_at desc`;
  await mergeStates(tx, kind, moves);
  await tx`
    update user_items t set position_ms = k."positionMs", duration_ms = k."durationMs",
      file_id = k."fileId", watched_at = coalesce(t.watched_at, k."watchedAt")
    from jsonb_to_recordset(${tx.json(further as never)}) as k (
      "userId" uuid, "itemId" uuid, "positionMs" bigint, "durationMs" bigint, "fileId" uuid,
      "watchedAt" timestamptz
    )
    where t.user_id = k."userId" and t.kind = ${kind} and t.item_id = k."itemId"`;
}

/** Whose states of some works there are. */
export async function usersOf(
  tx: Tx,
  kind: string,
  itemIds: readonly string[],
): Promise<readonly string[]> {
  const rows = await tx<{ id: string }[]>`
    select distinct user_id as id from user_items
    where kind = ${kind} and item_id = any (${itemIds as string[]}::uuid[])`;
  return rows.map(({ id }) => id);
}
