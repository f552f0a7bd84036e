import type { Sql } from '../postgres/connect.ts';

/** A node of a cluster, as it wrote itself down. */
export interface NodeRow {
  readonly id: string;
  readonly name: string;
  /** By purpose, `host:port` each; as JSON, to be checked by who reads it. */
  readonly addresses: unknown;
  readonly bootEpoch: number;
  readonly version: string;
  /** Milliseconds since 1970, by its own clock. */
  readonly saidAt: number;
}

/** Where the nodes of a cluster say where they are, so that they find each other by the database. */
export interface NodeRegistry {
  /** A word of an earlier start, or an earlier one of this start, changes nothing. */
  tell(clusterId: string, row: NodeRow): Promise<void>;
  /** All that wrote themselves down and were not forgotten. */
  read(clusterId: string): Promise<NodeRow[]>;
  /** Keeps only these: the others are no members any more, or of another cluster. */
  keep(clusterId: string, ids: readonly string[]): Promise<void>;
}

export function createNodeRegistry(sql: Sql): NodeRegistry {
  return {
    async tell(clusterId, { id, name, addresses, bootEpoch, version, saidAt }) {
      await sql`
        insert into shared.cluster_nodes as known
          (node_id, cluster_id, name, kind, addresses, boot_epoch, version, announced_at)
        values (${id}, ${clusterId}, ${name}, 'node', ${sql.json(addresses as never)},
                ${bootEpoch}, ${version}, ${new Date(saidAt)})
        on conflict (node_id) do update
        set (cluster_id, name, addresses, boot_epoch, version, announced_at) =
          (excluded.cluster_id, excluded.name, excluded.addresses, excluded.boot_epoch,
           excluded.version, excluded.announced_at)
        where known.cluster_id <> excluded.cluster_id
          or (known.boot_epoch, known.announced_at)
            <= (excluded.boot_epoch, excluded.announced_at)`;
    },
    read: async (clusterId) => [
      ...(await sql<NodeRow[]>`
        select node_id as id, name, addresses, boot_epoch as "bootEpoch", version,
               round(extract(epoch from announced_at) * 1000)::int8 as "saidAt"
        from shared.cluster_nodes
        where cluster_id = ${clusterId} order by node_id limit 256`),
    ],
    async keep(clusterId, ids) {
      await sql`
        delete from shared.cluster_nodes
        where cluster_id <> ${clusterId} or node_id <> all(${ids as string[]}::text[])`;
    },
  };
}
