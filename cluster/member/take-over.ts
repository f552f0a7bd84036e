import type { Fence, Outbox } from '#storage/cluster/outbox.ts';
import type { Log } from '../raft/driver/ports.ts';
import type { View } from '../state/types.ts';
import type { Consensus } from './consensus.ts';
import { commandTags } from './announce.ts';

export interface TakeOverDeps {
  readonly nodeId: string;
  readonly consensus: Consensus;
  readonly view: () => View;
  readonly outbox: Outbox;
  /** The cluster this database belongs to; founded if it belongs to none. */
  readonly found: () => Promise<{ clusterId: string; epoch: number }>;
  readonly log: Log;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/** The leadership in PostgreSQL is a later one's: of a cluster founded or recovered after this. */
export class SupersededError extends Error {
  constructor({ epoch, term }: Fence) {
    super(
      `PostgreSQL knows a later leader than term ${term} of epoch ${epoch}: this node's Raft log is ` +
        'older than the cluster that uses the database; rejoin it with `revenge cluster rejoin`',
    );
    this.name = 'SupersededError';
  }
}

/**
 * What a new leader does before it serves: applies all that was committed before it, founds the
 * cluster if there is none, takes the leadership in PostgreSQL from its predecessor, and announces
 * what that one had changed and not announced.
 */
export function createTakeOver(deps: TakeOverDeps) {
  const { consensus, outbox, nodeId } = deps;
  const foundCluster = async (term: number) => {
    const { clusterId, epoch } = await deps.found();
    await consensus.propose({ type: 'found', clusterId, epoch, at: deps.now() }, term);
  };
  return async (term: number, signal: AbortSignal): Promise<Fence> => {
    await consensus.barrier();
    if (deps.view().clusterId === undefined) await foundCluster(term);
    signal.throwIfAborted();
    const fence = { epoch: deps.view().epoch, term };
    if (!(await outbox.take(fence, nodeId))) throw new SupersededError(fence);
    const announced = await drain(deps, { term, minAgeMs: 0, signal });
    if (announced > 0) deps.log.info('announced what was left over', { changes: announced });
    return fence;
  };
}

const atOnce = 500;

/** Announces what waits in the outbox, oldest first; resolves to how many changes that were. */
export async function drain(
  { consensus, outbox }: Pick<TakeOverDeps, 'consensus' | 'outbox'>,
  { term, minAgeMs, signal }: { term: number; minAgeMs: number; signal: AbortSignal },
): Promise<number> {
  let count = 0;
  for (;;) {
    signal.throwIfAborted();
    const waiting = await outbox.waiting(minAgeMs, atOnce);
    for (const tags of commandTags(waiting.map((each) => each.tags))) {
      await consensus.propose({ type: 'invalidate', tags }, term);
    }
    await outbox.remove(waiting.map(({ id }) => id));
    count += waiting.length;
    if (waiting.length < atOnce) return count;
  }
}
