import type { Write } from '#services/changes.ts';
import { problem } from '#services/errors.ts';
import type { Sql, Tx } from '#storage/postgres/connect.ts';
import { codeOf } from '#storage/postgres/errors.ts';
import type { Effects, Outbox } from '#storage/cluster/outbox.ts';
import type { Tell } from '#services/events.ts';
import type { EncodeEvent } from './events/live.ts';
import type { termsOfWork } from './fence.ts';

export interface WriteDeps {
  readonly sql: Sql;
  readonly outbox: Pick<Outbox, 'hold' | 'put'>;
  /** What the caller's writes have to hold to; undefined: nothing. */
  readonly terms: typeof termsOfWork;
  /**
   * Told after the commit what it made stale and what is told of it, and under which id of the
   * outbox that waits; resolves to true once every node knows, to false when that will be later.
   */
  readonly announce: (
    effects: Effects,
    outboxId: number,
    waiting: { readonly isPatient: boolean },
  ) => Promise<boolean>;
  /** A change is written, and not every node knows it yet. */
  readonly onUnannounced?: () => void;
  readonly encodeEvent: EncodeEvent;
  readonly randomId: () => string;
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
export function createWrite(deps: WriteDeps): Write {
  const { sql, outbox, terms, announce } = deps;
  const once = async <T>(work: (tx: Tx, stale: Stale, tell: Tell) => Promise<T>) => {
    const { stale, tell, effects } = collectEffects(deps);
    const held = terms();
    let outboxId: number | undefined;
    const result = await sql.begin(async (tx) => {
      if (held?.fence) await outbox.hold(tx, held.fence);
      await held?.first?.(tx);
      const done = await work(tx, stale, tell);
      const found = effects();
      if (found) outboxId = await outbox.put(tx, found);
      return done;
    });
    held?.written();
    const found = effects();
    if (outboxId === undefined || !found) return result as T;
    // Whoever may write anywhere does not wait for a leader: the next one announces it.
    const isAnnounced = await announce(found, outboxId, { isPatient: held?.fence !== undefined });
    // The leader's word is that all nodes show the change from its index on, and there is none yet.
    if (held?.fence && !isAnnounced) throw unannounced();
    if (!isAnnounced) deps.onUnannounced?.();
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

type Stale = (...tags: string[]) => void;

/** What one run of a write names and tells. */
function collectEffects({ encodeEvent, randomId }: Pick<WriteDeps, 'encodeEvent' | 'randomId'>) {
  const tags = new Set<string>();
  const events: string[] = [];
  const id = randomId();
  const stale: Stale = (...more) => more.forEach((tag) => tags.add(tag));
  const tell: Tell = (...told) => {
    const text = encodeEvent(...told);
    if (text !== undefined) events.push(text);
  };
  const effects = (): Effects | undefined => {
    if (tags.size + events.length === 0) return undefined;
    return { tags: [...tags], ...(events.length > 0 ? { told: { id, events } } : {}) };
  };
  return { stale, tell, effects };
}
