import type { Write } from '#services/changes.ts';
import { problem } from '#services/errors.ts';
import type { Sql, Tx } from '#storage/postgres/connect.ts';
import { codeOf } from '#storage/postgres/errors.ts';
import type { Outbox } from '#storage/cluster/outbox.ts';
import type { termsOfWork } from './fence.ts';

export interface WriteDeps {
  readonly sql: Sql;
  readonly outbox: Pick<Outbox, 'hold' | 'put'>;
  /** What the caller's writes have to hold to; undefined: nothing. */
  readonly terms: typeof termsOfWork;
  /**
   * Told after the commit what it made stale, and under which id of the outbox that waits; resolves
   * to true once it is stale on every node, to false when that will be later.
   */
  readonly announce: (tags: readonly string[], outboxId: number) => Promise<boolean>;
}

/**
 * What is run again: serialization failure and deadlock (SQLSTATE class 40), because PostgreSQL
 * asks for it, and a reference to a row that was deleted since it was looked up (23503), because
 * the second look finds that out and says it in words.
 */
const again = new Set(['40001', '40P01', '23503']);
const triesMax = 4;

const unannounced = () =>
  problem(
    'outcome-unknown',
    'It is written, and not yet known to all nodes: look before you repeat',
    {
      retryAfterSeconds: 1,
    },
  );

/** The one way a change reaches the database; see `services/changes.ts` for its promise. */
export function createWrite({ sql, outbox, terms, announce }: WriteDeps): Write {
  const once = async <T>(work: (tx: Tx, stale: (...tags: string[]) => void) => Promise<T>) => {
    const tags = new Set<string>();
    const held = terms();
    let outboxId: number | undefined;
    const result = await sql.begin(async (tx) => {
      if (held?.fence) await outbox.hold(tx, held.fence);
      await held?.first?.(tx);
      const done = await work(tx, (...more) => more.forEach((tag) => tags.add(tag)));
      if (tags.size > 0) outboxId = await outbox.put(tx, [...tags]);
      return done;
    });
    held?.written();
    if (outboxId === undefined) return result as T;
    const isAnnounced = await announce([...tags], outboxId);
    // The leader's word is that all nodes show the change from its index on, and there is none yet.
    if (held?.fence && !isAnnounced) throw unannounced();
    return result as T;
  };
  return async (work) => {
    for (let attempt = 1; ; attempt++) {
      try {
        return await once(work);
      } catch (error) {
        const code = codeOf(error);
        if (attempt >= triesMax || code === undefined || !again.has(code)) throw error;
      }
    }
  };
}
