import type { InvalidationClock } from '#storage/cache/clock.ts';
import type { Outbox } from '#storage/cluster/outbox.ts';
import type { Driver } from '../raft/driver/driver.ts';
import type { Log, StateMachine } from '../raft/driver/ports.ts';
import { createState, type ClusterState } from '../state/state.ts';
import type { Command, Result } from '../state/types.ts';
import { createAnnouncer, createProposer, createSweeper } from './announce.ts';
import { UnannouncedError, type Proposer, type Sweeper } from './announce.ts';
import { createRaftClock } from './clock.ts';
import { createConsensus, type Consensus } from './consensus.ts';
import { createCurrency, type Currency } from './currency.ts';
import { startDuties, type Duty } from './duties.ts';
import { createOffices, type Offices } from './office.ts';
import { createTakeOver, drain } from './take-over.ts';

export interface MemberDeps {
  readonly nodeId: string;
  readonly outbox: Outbox;
  /** Starts an engine on this node's log, for a machine that has applied it up to this index. */
  readonly openDriver: (machine: StateMachine, has: number) => Promise<Driver>;
  /** The cluster that this database belongs to; founded if it belongs to none. */
  readonly found: () => Promise<{ clusterId: string; epoch: number }>;
  /** Has another node propose, as the leader; rejects when that did not come about. */
  readonly proposeThere: (leader: string, command: Command, timeoutMs: number) => Promise<Result>;
  readonly log: Log;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Milliseconds, of a clock that never goes back. */
  readonly elapsed: () => number;
  readonly pause: (ms: number) => Promise<void>;
  /** After this long without a leader nothing cached is trusted, in milliseconds. */
  readonly maxStalenessMs: number;
}

/** One node's part in its cluster, which may be a cluster of one. */
export interface Member extends AsyncDisposable {
  readonly state: ClusterState;
  readonly clock: InvalidationClock;
  readonly consensus: Consensus;
  readonly offices: Offices;
  readonly currency: Currency;
  /** What was written here, and waits in the outbox under this id, becomes stale everywhere. */
  readonly announce: (tags: readonly string[], outboxId: number) => Promise<void>;
  /** Proposes on whichever node leads; for commands that may come twice. */
  readonly propose: Proposer;
  /** Takes part, with these duties for its times in office. */
  readonly start: (duties: readonly Duty[]) => Promise<void>;
  readonly close: () => Promise<void>;
}

/** How long a writer waits for its change to be announced; after that the outbox sees to it. */
const announceMs = 2_000;
const drainEveryMs = 1_000;
/** Whoever wrote it announces it; only what is older was left behind. */
const leftBehindMs = 3_000;
const minLookMs = 100;
const looksPerStaleness = 20;

/** Takes no part before it is started, so that who listens to its clock hears the whole log. */
export function createMember(deps: MemberDeps): Member {
  const { log, nodeId, outbox, elapsed, pause, maxStalenessMs } = deps;
  const state = openState(log);
  const consensus = createConsensus({
    open: () => deps.openDriver(state.machine, raftIndexOf(state)),
    ...{ log, pause },
  });
  const takeOver = createTakeOver({ ...deps, consensus, view: () => state.view() });
  const offices = createOffices({ nodeId, consensus, takeOver, log, pause });
  const propose = createProposer({
    offices,
    here: (command) => consensus.propose(command),
    there: deps.proposeThere,
    now: elapsed,
  });
  const clock = createRaftClock(
    { ...state, index: () => state.view().index },
    createAnnouncer({
      propose,
      waitFor: (index, timeoutMs) => clock.waitFor(index, timeoutMs),
      timeoutMs: announceMs,
    }),
  );
  const currency = createCurrency({
    look: () => consensus.status(),
    applied: () => consensus.applied(),
    now: elapsed,
  });
  const sweeper = createSweeper({ outbox, log });
  let duties: { close(): Promise<void> } | undefined;
  const close = async () => {
    offices.close();
    await duties?.close();
    currency.close();
    await sweeper.close();
    await consensus.close();
  };
  return {
    ...{ state, clock, consensus, offices, currency, propose, close },
    announce: createAnnounce({ clock, sweeper, log }),
    async start(theirs) {
      await consensus.start();
      currency.start(Math.max(minLookMs, maxStalenessMs / looksPerStaleness));
      const drains = drainDuty({ consensus, outbox, pause });
      duties = startDuties([drains, ...theirs], { offices, log, pause });
    },
    [Symbol.asyncDispose]: close,
  };
}

const perEpoch = 2 ** 32;
const raftIndexOf = (state: ClusterState): number => state.view().index % perEpoch;

const openState = (log: Log): ClusterState =>
  createState({
    onUnreadable: ({ raftIndex, why }) =>
      log.error('this version cannot read the log of its cluster: update this node', {
        raftIndex,
        why,
      }),
  });

/** A writer's word that a change will be known everywhere: at once, or from the outbox. */
function createAnnounce({
  clock,
  sweeper,
  log,
}: {
  clock: InvalidationClock;
  sweeper: Sweeper;
  log: Log;
}) {
  return async (tags: readonly string[], outboxId: number): Promise<void> => {
    try {
      await clock.invalidate(tags);
      sweeper.announced(outboxId);
    } catch (error) {
      if (!(error instanceof UnannouncedError)) throw error;
      const because = String(error.cause instanceof Error ? error.cause : error);
      log.warn('a change is written; it is announced when there is a leader', { because });
    }
  };
}

/** Announces what nobody else did: its writer died, or had no leader. */
const drainDuty = ({
  consensus,
  outbox,
  pause,
}: Pick<MemberDeps, 'outbox' | 'pause'> & { consensus: Consensus }): Duty => ({
  name: 'announce what was left behind',
  async run({ fence, signal }) {
    for (;;) {
      await pause(drainEveryMs);
      if (signal.aborted) return;
      await drain({ consensus, outbox }, { term: fence.term, minAgeMs: leftBehindMs, signal });
    }
  },
});
