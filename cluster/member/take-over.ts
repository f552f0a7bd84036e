import type { Fence, Outbox } from '#storage/cluster/outbox.ts';
import type { Log } from '../raft/driver/ports.ts';
import type { View } from '../state/types.ts';
import type { Consensus } from './consensus.ts';
import { checkDone, commandTags } from './announce.ts';

export interface TakeOverDeps {
  readonly nodeId: string;
  readonly consensus: Consensus;
  readonly view: () => View;
  readonly outbox: Outbox;
  /** The cluster this database belongs to; founded if it belongs to none. */
  readonly found: () => Promise<{ clusterId: string; epoch: number }>;
  /** This log was recovered without its quorum, and no leader has begun a new epoch since. */
  readonly isRecovered: () => Promise<boolean>;
  readonly onEpochBegun: () => Promise<void>;
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
  const beginEpoch = async (term: number, isRecovery: boolean) => {
    const { clusterId, epoch } = await deps.found();
    const at = deps.now();
    checkDone(await consensus.propose({ type: 'found', clusterId, epoch, at, isRecovery }, term));
    if (isRecovery) await forgetLost(deps, term);
    await deps.onEpochBegun();
  };
  return async (term: number, signal: AbortSignal): Promise<Fence> => {
    await consensus.barrier();
    const isNew = deps.view().clusterId === undefined;
    if (isNew || (await deps.isRecovered())) await beginEpoch(term, !isNew);
    signal.throwIfAborted();
    const fence = { epoch: deps.view().epoch, term };
    if (!(await outbox.take(fence, nodeId))) throw new SupersededError(fence);
    const announced = await drain(deps, { term, minAgeMs: 0, signal });
    if (announced > 0) deps.log.info('announced what was left over', { changes: announced });
    return fence;
  };
}

/** Members that the recovery left out are no members: if one comes back, it comes as a newcomer. */
async function forgetLost({ consensus, view, log }: TakeOverDeps, term: number): Promise<void> {
  const { servers } = (await consensus.status()).configuration;
  for (const [id, { name }] of view().members) {
    if (servers.some((server) => server.id === id)) continue;
    log.warn('forgets a member that the recovery left out', { id, name });
    checkDone(await consensus.propose({ type: 'forget', id }, term));
  }
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
      checkDone(await consensus.propose({ type: 'invalidate', tags }, term));
    }
    await outbox.remove(waiting.map(({ id }) => id));
    count += waiting.length;
    if (waiting.length < atOnce) return count;
  }
}
