import type { Write } from '#services/changes.ts';
import type { Sql, Tx } from '#storage/postgres/connect.ts';
import { codeOf } from '#storage/postgres/errors.ts';

export interface WriteDeps {
  readonly sql: Sql;
  /** Makes tags stale on every node; resolves with the index at which they are. */
  readonly invalidate: (tags: readonly string[]) => Promise<number>;
}

/**
 * What is run again: serialization failure and deadlock (SQLSTATE class 40), because
 * PostgreSQL asks
 * for it, and a reference to a row that was deleted since it was looked up (23503), because the
 * second look finds that out and says it in words.
 */
const again = new Set(['40001', '40P01', '23503']);
const triesMax = 4;

/** The one way a change reaches the database; see `services/changes.ts` for its promise. */
export function createWrite({ sql, invalidate }: WriteDeps): Write {
  return async <T>(
    work: (tx: Tx, stale: (...tags: string[]) => void) => Promise<T>,
  ): Promise<T> => {
    for (let attempt = 1; ; attempt++) {
      const tags = new Set<string>();
      const stale = (...more: string[]) => more.forEach((tag) => tags.add(tag));
      try {
        const result = await sql.begin((tx) => work(tx, stale));
        if (tags.size > 0) await invalidate([...tags]);
        return result as T;
      } catch (error) {
        const code = codeOf(error);
        if (attempt >= triesMax || code === undefined || !again.has(code)) throw error;
      }
    }
  };
}
