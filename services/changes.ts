import type { Sql, Tx } from '#storage/postgres/connect.ts';
import type { Tell } from './events.ts';

/**
 * Runs one write: `work` inside a PostgreSQL transaction, then the tags it named are made stale on
 * every node, and what it told is told there after that. Resolves once no node will serve what the
 * write replaced. `work` may be run again when PostgreSQL asks for it (serialization failure,
 * deadlock), so it must only touch `tx`; what an earlier run named or told is forgotten.
 */
export type Write = <T>(
  work: (tx: Tx, stale: (...tags: string[]) => void, tell: Tell) => Promise<T>,
) => Promise<T>;

/** The two ways a service reaches the database: reads on `sql`, changes through `write`. */
export interface Store {
  readonly sql: Sql;
  readonly write: Write;
}
