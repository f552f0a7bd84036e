import type { Fence, Outbox } from '#storage/cluster/outbox.ts';
import type { Log } from '../raft/driver/ports.ts';
import { perEpoch } from '../state/limits.ts';
import type { View } from '../state/types.ts';
import type { Consensus } from './consensus.ts';
import { checkDone } from './announce.ts';
import { commandsOf, knowsEvents } from './commands.ts';
import { UnfitError } from './office.ts';

export interface TakeOverDeps {
  readonly nodeId: string;
  readonly consensus: Consensus;
  readonly view: () => View;
  readonly outbox: Outbox;
  /** The cluster this database belongs to; founded if it belongs to none. */
  /** Its epoch is later than this one. */
  readonly found: (after: number) => Promise<{ clusterId: string; epoch: number }>;
  /** This log was recovered without its quorum, and no leader has begun a new epoch since. */
  readonly isRecovered: () => Promise<boolean>;
  /** The database is of another epoch than this one, the log's: it was restored. */
  readonly isRestored: (epoch: number) => Promise<boolean>;
  readonly onEpochBegun: () => Promise<void>;
  /** From now on this leader knows all that was committed before it. */
  readonly onSettled: (term: number) => void;
  readonly log: Log;
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
  const beginEpoch = async (term: number, why: 'new' | 'recovered' | 'restored') => {
    const { clusterId, epoch } = await deps.found(deps.view().epoch);
    // When it is, is said when it is proposed.
    const isRecovery = why !== 'new';
    const command = { type: 'found', clusterId, epoch, at: 0, isRecovery } as const;
    checkDone(await consensus.propose(command, term));
    if (why === 'recovered') await forgetLost(deps, term);
    await deps.onEpochBegun();
  };
  return async (term: number, signal: AbortSignal): Promise<Fence> => {
    const { index } = await consensus.barrier();
    if (deps.view().index % perEpoch < index) {
      throw new UnfitError('this version cannot read the log of its cluster: update this node');
    }
    deps.onSettled(term);
    if (deps.view().clusterId === undefined) await beginEpoch(term, 'new');
    else if (await deps.isRecovered()) await beginEpoch(term, 'recovered');
    else if (await deps.isRestored(deps.view().epoch)) await beginEpoch(term, 'restored');
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
  { consensus, outbox, view }: Pick<TakeOverDeps, 'consensus' | 'outbox' | 'view'>,
  { term, minAgeMs, signal }: { term: number; minAgeMs: number; signal: AbortSignal },
): Promise<number> {
  let count = 0;
  for (;;) {
    signal.throwIfAborted();
    const waiting = await outbox.waiting(minAgeMs, atOnce);
    const changes = knowsEvents(view()) ? waiting : waiting.map(({ tags }) => ({ tags }));
    for (const command of commandsOf(changes)) checkDone(await consensus.propose(command, term));
    await outbox.remove(waiting.map(({ id }) => id));
    count += waiting.length;
    if (waiting.length < atOnce) return count;
  }
}
