import type { Sql } from '../postgres/connect.ts';

/** The database is another cluster's: driving it from here too would lose what either writes. */
export class ForeignDatabaseError extends Error {
  readonly clusterId: string;
  constructor({ clusterId, foundedAt }: Owner, since: string) {
    super(
      `this database belongs to the cluster ${clusterId} of ${foundedAt.toISOString()}, whose last ` +
        `leader was ${since}; join it (revenge cluster join), give this node a database of its ` +
        'own, or, if that cluster is gone for good, release it (revenge cluster release)',
    );
    this.name = 'ForeignDatabaseError';
    this.clusterId = clusterId;
  }
}

export interface Owner {
  readonly clusterId: string;
  readonly epoch: number;
  readonly foundedAt: Date;
}

/** Which cluster drives a database: one, or none yet. */
export interface Ownership {
  read(): Promise<Owner | undefined>;
  /** @throws ForeignDatabaseError unless the database is this cluster's or nobody's */
  check(clusterId: string | undefined): Promise<void>;
  /**
   * Makes it this cluster's, under an epoch greater than any before and than `after`, also where it
   * was this cluster's already: whoever asks has no log, or it would know.
   * @throws ForeignDatabaseError when it is another's
   */
  claim(clusterId: string, after?: number): Promise<Owner>;
  /** Makes it nobody's; false: it was nobody's. */
  release(): Promise<boolean>;
}

export function createOwnership(sql: Sql): Ownership {
  const read = async () => {
    const [row] = await sql<Owner[]>`
      select cluster_id as "clusterId", epoch, founded_at as "foundedAt" from shared.cluster`;
    return row;
  };
  const check = async (clusterId: string | undefined) => {
    const owner = await read();
    if (!owner || owner.clusterId === clusterId) return;
    throw new ForeignDatabaseError(owner, await lastLeader(sql));
  };
  return {
    read,
    check,
    async claim(clusterId, after = 0) {
      await passEpoch(sql, after);
      const [claimed] = await sql<Owner[]>`
        insert into shared.cluster as owner (cluster_id, epoch)
        values (${clusterId}, nextval('shared.clock_epoch'))
        on conflict (is_only) do update set epoch = excluded.epoch
          where owner.cluster_id = excluded.cluster_id
        returning cluster_id as "clusterId", epoch, founded_at as "foundedAt"`;
      if (claimed) return claimed;
      await check(clusterId);
      throw new Error('the database was released while it was claimed');
    },
    release: async () => (await sql`delete from shared.cluster`).count > 0,
  };
}

/** A database that took a later one's place does not know how far its clock once was. */
async function passEpoch(sql: Sql, epoch: number): Promise<void> {
  await sql`
    select max(nextval('shared.clock_epoch'))
    from shared.clock_epoch as at,
      generate_series(at.last_value + at.is_called::int, ${epoch}::int8)`;
}

async function lastLeader(sql: Sql): Promise<string> {
  const [row] = await sql<{ nodeId: string; since: Date }[]>`
    select node_id as "nodeId", since from shared.leadership`;
  return row && row.nodeId !== '' ? `${row.nodeId} since ${row.since.toISOString()}` : 'nobody';
}
