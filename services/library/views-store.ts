import type { Queryable, Tx } from '#storage/postgres/connect.ts';

/** A node that has said nothing of a root for so long says nothing any more. */
const freshSeconds = 75;

/** Whether a node sees a root, and if not, why. */
export interface RootView {
  readonly rootId: string;
  readonly isSeen: boolean;
  readonly reason: string | null;
}

/** Records what a node sees now. */
export async function saveViews(tx: Tx, nodeId: string, views: readonly RootView[]): Promise<void> {
  if (views.length === 0) return;
  await tx`
    insert into root_views (root_id, node_id, is_seen, reason, at)
    select r.id, ${nodeId}, v."isSeen", v.reason, now()
    from jsonb_to_recordset(${tx.json(views as never)})
      as v ("rootId" uuid, "isSeen" boolean, reason text)
    join library_roots r on r.id = v."rootId"
    order by r.id
    on conflict (root_id, node_id) do update set is_seen = excluded.is_seen,
      reason = excluded.reason, at = excluded.at`;
}

/** The nodes that have seen a root a moment ago, but for one; none where there is only one. */
export async function seenBy(
  sql: Queryable,
  rootId: string,
  nodeId: string | undefined,
): Promise<string[]> {
  if (nodeId === undefined) return [];
  const rows = await sql<{ nodeId: string }[]>`
    select node_id as "nodeId" from root_views
    where root_id = ${rootId} and node_id <> ${nodeId} and is_seen
      and at > now() - ${freshSeconds} * interval '1 s'
    order by node_id`;
  return rows.map((row) => row.nodeId);
}

/** Takes back all that a node has said. */
export async function forgetViews(tx: Tx, nodeId: string): Promise<void> {
  await tx`delete from root_views where node_id = ${nodeId}`;
}
