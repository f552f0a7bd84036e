import type { Queryable, Tx } from '#storage/postgres/connect.ts';

/** How changes of a root are noticed: by a node that hears of them, or by scans alone. */
export interface WatchState {
  readonly rootId: string;
  readonly isWatched: boolean;
  /** Why nobody hears of them. */
  readonly reason: string | null;
}

/** How changes of some roots are noticed now; a root of which no node has said anything is left out. */
export async function watchesOf(
  sql: Queryable,
  rootIds: readonly string[],
): Promise<Map<string, WatchState>> {
  const rows = await sql<WatchState[]>`
    select root_id as "rootId", bool_or(is_watching) as "isWatched", min(reason) as reason
    from library_watches where root_id = any (${rootIds}::uuid[]) and until > now()
    group by root_id`;
  return new Map(rows.map((row) => [row.rootId, row]));
}

/**
 * Makes a node the one that hears of changes of a root, for some time, or lets it be that for
 * longer. `taken`: another is; `anew`: one was that fell silent, be it this node before it died.
 */
export async function claimWatch(
  tx: Tx,
  claim: { rootId: string; nodeId: string; lastsMs: number; isWatching: boolean },
): Promise<'mine' | 'anew' | 'taken'> {
  const { rootId, nodeId, lastsMs, isWatching } = claim;
  await tx`select pg_advisory_xact_lock(hashtextextended(${`library-watch:${rootId}`}, 0))`;
  const [owner] = await tx<{ nodeId: string; isOver: boolean }[]>`
    select node_id as "nodeId", until <= now() as "isOver" from library_watches
    where root_id = ${rootId} and is_watching`;
  if (owner !== undefined && owner.nodeId !== nodeId && !owner.isOver) return 'taken';
  const isAnew = owner !== undefined && !(owner.nodeId === nodeId && isWatching);
  await tx`delete from library_watches where root_id = ${rootId} and is_watching`;
  await tx`
    insert into library_watches (root_id, node_id, is_watching, until)
    values (${rootId}, ${nodeId}, true, now() + ${lastsMs} * interval '1 ms')
    on conflict (root_id, node_id) do update set
      is_watching = true, reason = null, until = excluded.until`;
  return isAnew ? 'anew' : 'mine';
}

/** Records that a node does not hear of a root's changes, and why; it is not asked to, until then. */
export async function giveUpWatch(
  tx: Tx,
  watch: { rootId: string; nodeId: string; reason: string; lastsMs: number },
): Promise<void> {
  const { rootId, nodeId, reason, lastsMs } = watch;
  await tx`
    insert into library_watches (root_id, node_id, is_watching, reason, until)
    select r.id, ${nodeId}, false, ${reason}, now() + ${lastsMs} * interval '1 ms'
    from library_roots r where r.id = ${rootId}
    on conflict (root_id, node_id) do update set
      is_watching = false, reason = excluded.reason, until = excluded.until`;
}

/** Forgets what a node has said of roots. */
export async function forgetWatches(
  tx: Tx,
  nodeId: string,
  rootIds: readonly string[],
): Promise<void> {
  await tx`
    delete from library_watches where node_id = ${nodeId} and root_id = any (${rootIds}::uuid[])`;
}
