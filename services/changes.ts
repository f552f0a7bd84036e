import type { Sql, Tx } from '#storage/postgres/connect.ts';

/**
 * Runs one write: `work` inside a PostgreSQL transaction, then the tags it named are made stale on
 * every node. Resolves once no node will serve what the write replaced. `work` may be run again
 * when PostgreSQL asks for it (serialization failure, deadlock), so it must only touch `tx`.
 */
export type Write = <T>(
  work: (tx: Tx, stale: (...tags: string[]) => void) => Promise<T>,
) => Promise<T>;

/** The two ways a service reaches the database: reads on `sql`, changes through `write`. */
export interface Store {
  readonly sql: Sql;
  readonly write: Write;
}
