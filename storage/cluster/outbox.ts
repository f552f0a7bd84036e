import { codeOf } from '../postgres/errors.ts';
import type { Queryable, Sql, Tx } from '../postgres/connect.ts';

/** A leader's right to write: of two leaders the later one has the greater pair. */
export interface Fence {
  /** Of the cluster's founding or recovery; see `shared.cluster`. */
  readonly epoch: number;
  readonly term: number;
}

/** This node no longer leads in the database's eyes: nothing was written. */
export class FencedError extends Error {
  constructor({ epoch, term }: Fence) {
    super(`another node has led since term ${term} of epoch ${epoch}`);
    this.name = 'FencedError';
  }
}

/** What a transaction means to those who do not see it. */
export interface Effects {
  /** Cache tags that it makes stale. */
  readonly tags: readonly string[];
  /** Events that tell of it, under a random id by which one knows them again. */
  readonly told?: { readonly id: string; readonly events: readonly string[] } | undefined;
}

/** Effects of a committed transaction that the log has not announced yet. */
export interface Unannounced extends Effects {
  readonly id: number;
}

/**
 * What ties a change in PostgreSQL to the order of the cluster: the leader's fence, and the effects
 * that are announced after the commit. Both are part of the change's own transaction.
 */
export interface Outbox {
  /**
   * Holds the leadership as it is until the transaction ends.
   * @throws FencedError when it is another's
   */
  hold(tx: Tx, fence: Fence): Promise<void>;
  /** Takes the leadership once no transaction holds an earlier one; false: too late. */
  take(fence: Fence, nodeId: string): Promise<boolean>;
  /** Resolves to the id under which the effects wait. */
  put(tx: Tx, effects: Effects): Promise<number>;
  /** The oldest that wait, of those at least `minAgeMs` old. */
  waiting(minAgeMs: number, max: number): Promise<Unannounced[]>;
  remove(ids: readonly number[]): Promise<void>;
}

export function createOutbox(sql: Sql): Outbox {
  return {
    async hold(tx, fence) {
      const held = await tx`
        select 1 from shared.leadership
        where epoch = ${fence.epoch} and term = ${fence.term} for share`;
      if (held.count === 0) throw new FencedError(fence);
    },
    take: (fence, nodeId) => take(sql, fence, nodeId),
    async put(tx, { tags, told }) {
      const [row] = await tx<{ id: number }[]>`
        insert into shared.invalidation_outbox (tags, told)
        values (${tags as string[]}, ${told ? tx.json(told) : null}) returning id`;
      return row!.id;
    },
    waiting: (minAgeMs, max) => waiting(sql, minAgeMs, max),
    async remove(ids) {
      if (ids.length === 0) return;
      await sql`delete from shared.invalidation_outbox where id = any(${ids as number[]}::int8[])`;
    },
  };
}

async function waiting(sql: Queryable, minAgeMs: number, max: number): Promise<Unannounced[]> {
  const rows = await sql<{ id: number; tags: string[]; told: Effects['told'] | null }[]>`
    select id, tags, told from shared.invalidation_outbox
    where created_at <= clock_timestamp() - ${minAgeMs} * interval '1 millisecond'
    order by id limit ${max}`;
  return rows.map(({ told, ...rest }) => (told ? { ...rest, told } : rest));
}

/** A transaction of a leader that lives is over by then. */
const patience = '500ms';
const lockNotAvailable = '55P03';

async function take(sql: Sql, fence: Fence, nodeId: string): Promise<boolean> {
  for (;;) {
    try {
      return await tryTake(sql, fence, nodeId);
    } catch (error) {
      if (codeOf(error) !== lockNotAvailable) throw error;
      // A leader that hangs in the middle of one would keep its successor waiting for a minute: its
      // transactions are ended by PostgreSQL, as they could not be committed any more anyway.
      await sql`
        select pg_terminate_backend(pid) from pg_locks
        where relation = 'shared.leadership'::regclass and granted
          and database = (select oid from pg_database where datname = current_database())
          and mode = 'RowShareLock' and pid <> pg_backend_pid()`;
    }
  }
}

async function tryTake(sql: Sql, { epoch, term }: Fence, nodeId: string): Promise<boolean> {
  return sql.begin(async (tx) => {
    await tx`select set_config('lock_timeout', ${patience}, true)`;
    // Row locks are granted out of turn: without this one, a busy leader that was deposed could
    // keep its successor waiting for as long as its transactions overlap.
    await tx`lock table shared.leadership in exclusive mode`;
    const taken = await tx`
      update shared.leadership
      set epoch = ${epoch}, term = ${term}, node_id = ${nodeId}, since = now()
      where (epoch, term) < (${epoch}, ${term})
        or (epoch, term, node_id) = (${epoch}, ${term}, ${nodeId})`;
    return taken.count > 0;
  });
}
