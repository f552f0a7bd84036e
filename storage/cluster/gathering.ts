import type { Sql } from '../postgres/connect.ts';

/** How a newcomer is let in by the cluster that owns a database. */
export interface Invitation {
  readonly clusterId: string;
  readonly token: string;
  /** `host:port` of a member's RPC. */
  readonly addresses: readonly string[];
}

/** Where empty nodes that share a database see each other before there is a cluster. */
export interface Gathering {
  /** Says that this node is there; resolves to those that are, and expect as many, by their ids. */
  attend(nodeId: string, expected: number): Promise<string[]>;
  /** Whether this node has attended and not left, however long ago. */
  isThere(nodeId: string): Promise<boolean>;
  leave(nodeId: string): Promise<void>;
  /** Kept for as long as it may be used. */
  invite(invitation: Invitation, ttlMs: number): Promise<void>;
  /** Of this cluster, if it can still be used. */
  invitation(clusterId: string): Promise<Invitation | undefined>;
}

/** Who has not been heard for so long has gone away again. */
const there = '10 seconds';

export function createGathering(sql: Sql): Gathering {
  return {
    async attend(nodeId, expected) {
      await sql`
        insert into shared.gathering (node_id, expected) values (${nodeId}, ${expected})
        on conflict (node_id) do update
        set expected = excluded.expected, seen_at = clock_timestamp()`;
      const rows = await sql<{ id: string }[]>`
        select node_id as id from shared.gathering
        where expected = ${expected} and seen_at > clock_timestamp() - ${there}::interval
        order by node_id`;
      return rows.map(({ id }) => id);
    },
    isThere: async (nodeId) =>
      (await sql`select from shared.gathering where node_id = ${nodeId}`).count > 0,
    async leave(nodeId) {
      await sql`delete from shared.gathering where node_id = ${nodeId}`;
    },
    async invite({ clusterId, token, addresses }, ttlMs) {
      await sql`
        insert into shared.invitation (cluster_id, token, addresses, expires_at)
        values (${clusterId}, ${token}, ${addresses as string[]}::text[],
                now() + ${ttlMs} * interval '1 millisecond')
        on conflict (cluster_id) do nothing`;
    },
    async invitation(clusterId) {
      const [found] = await sql<Invitation[]>`
        select cluster_id as "clusterId", token, addresses from shared.invitation
        where cluster_id = ${clusterId} and expires_at > now()`;
      return found;
    },
  };
}
