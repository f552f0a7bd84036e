import type { InvalidationClock } from '#storage/cache/clock.ts';
import type { Outbox } from '#storage/cluster/outbox.ts';
import type { Driver } from '../raft/driver/driver.ts';
import type { Log, StateMachine } from '../raft/driver/ports.ts';
import type { Call } from '../rpc/index.ts';
import { encodeCommand } from '../state/command.ts';
import { perEpoch } from '../state/limits.ts';
import { createState, type ClusterState } from '../state/state.ts';
import type { Announcement, Command, Result } from '../state/types.ts';
import { createAnnouncer, createProposer, createSweeper } from './announce.ts';
import { UnannouncedError, type Proposer, type Sweeper } from './announce.ts';
import { createAutopilot, type Autopilot } from './autopilot.ts';
import { BarredError } from './barred.ts';
import { createCalls } from './calls.ts';
import { createRaftClock, type RaftClock } from './clock.ts';
import { createConsensus, type Consensus } from './consensus.ts';
import { createCurrency, type Currency } from './currency.ts';
import { startDuties, type Duty } from './duties.ts';
import { greetAll } from './greet.ts';
import type { Network } from './network.ts';
import { createOffices, type Offices } from './office.ts';
import type { Pause } from './pause.ts';
import { readingsOf } from './readings.ts';
import { createSelf } from './self.ts';
import { createTakeOver, drain } from './take-over.ts';

export interface MemberDeps {
  readonly self: Pick<Announcement, 'id' | 'bootEpoch' | 'session'>;
  /** What this node says of itself; its gossip id is given where it has one. */
  readonly tell: (gossipId: string | undefined) => Announcement;
  readonly outbox: Outbox;
  /** Starts an engine on this node's log, for a machine that has applied it up to this index. */
  readonly openDriver: (
    machine: StateMachine,
    has: number,
    network: Network | undefined,
  ) => Promise<Driver>;
  /** Opens the doors to others; undefined while this node is alone. */
  readonly openNetwork: (calls: Readonly<Record<string, Call>>) => Promise<Network | undefined>;
  /** The cluster that this database belongs to; founded if it belongs to none. */
  readonly found: () => Promise<{ clusterId: string; epoch: number }>;
  readonly isRecovered: () => Promise<boolean>;
  readonly onEpochBegun: () => Promise<void>;
  /** Signs the request of a member; rejects where the authority is not kept. */
  readonly sign: (nodeId: string, request: string) => Promise<string>;
  readonly onAnnounced: (member: Announcement) => void;
  /** This node may not take part; it has to end. */
  readonly onBarred: (error: BarredError) => void;
  readonly log: Log;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Milliseconds, of a clock that never goes back. */
  readonly elapsed: () => number;
  readonly pause: Pause;
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
  readonly autopilot: Autopilot;
  /** Undefined while this node is alone. */
  readonly network: () => Network | undefined;
  /**
   * What was written here, and waits in the outbox under this id, becomes stale everywhere: by the
   * time it resolves to true, else once there is a leader.
   */
  readonly announce: (tags: readonly string[], outboxId: number) => Promise<boolean>;
  /** Proposes on whichever node leads; for commands that may come twice. */
  readonly propose: Proposer;
  /** Takes part, with these duties for its times in office. */
  readonly start: (duties: readonly Duty[]) => Promise<void>;
  /** Opens the doors that `openNetwork` now has the keys to; does nothing where they are open. */
  readonly open: () => Promise<void>;
  readonly close: () => Promise<void>;
}

/** How long a writer waits for its change to be announced; after that the outbox sees to it. */
const announceMs = 2_000;
const minLookMs = 100;
const looksPerStaleness = 20;

/** Takes no part before it is started, so that who listens to its clock hears the whole log. */
export function createMember(deps: MemberDeps): Member {
  const { self, log, pause, maxStalenessMs } = deps;
  const core = createCore(deps);
  const { state, consensus, offices, currency, clock, doors, propose } = core;
  const sweeper = createSweeper({ outbox: deps.outbox, log });
  const autopilot = createAutopilot({
    ...{ nodeId: self.id, consensus, view: () => state.view() },
    ...{ log, pause, elapsed: deps.elapsed },
  });
  const me = createSelf({
    ...{ propose, log, now: deps.now, onAnnounced: deps.onAnnounced, onBarred: deps.onBarred },
    tell: () => deps.tell(doors.network()?.gossipId),
    view: () => state.view(),
  });
  const calls = createCalls({
    ...{ offices, time: deps.now, propose: (command) => consensus.propose(command) },
    readings: () => readingsOf(autopilot.assessment()),
    epochOf: (id) => state.view().members.get(id),
    isRetired: (id) => state.view().retired.has(id),
    sign: deps.sign,
  });
  let duties: { close(): Promise<void> } | undefined;
  const close = async () => {
    me.close();
    offices.close();
    await duties?.close();
    currency.close();
    await sweeper.close();
    await consensus.close();
    await doors.network()?.close();
  };
  return {
    ...{ state, clock, consensus, offices, currency, autopilot, propose, close },
    network: doors.network,
    announce: createAnnounce({ clock, sweeper, log }),
    async start(theirs) {
      const network = await doors.open(calls);
      if (network) await greetAll({ network, self });
      await consensus.start();
      currency.start(Math.max(minLookMs, maxStalenessMs / looksPerStaleness));
      const own = [drainDuty({ ...deps, consensus }), autopilot.duty];
      duties = startDuties([...own, ...theirs], { offices, log, pause });
      offices.onChange(() => void me.look());
      me.start();
    },
    async open() {
      if (doors.network() || !(await doors.open(calls))) return;
      await consensus.reopen();
      await me.look();
    },
    [Symbol.asyncDispose]: close,
  };
}

/** State, order and leadership, as far as they need each other. */
function createCore(deps: MemberDeps) {
  const { self, log, elapsed, pause } = deps;
  const state = openState(log);
  const consensus = createConsensus({
    open: () => deps.openDriver(state.machine, raftIndexOf(state), doors.network()),
    ...{ log, pause },
  });
  const view = () => state.view();
  const takeOver = createTakeOver({ ...deps, nodeId: self.id, consensus, view });
  const offices = createOffices({ nodeId: self.id, consensus, takeOver, log, pause });
  const propose = createProposer({
    offices,
    here: (command) => consensus.propose(command),
    there: (leader, command, timeoutMs) =>
      proposeAt(doors.network(), leader, { command, timeoutMs }),
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
  const doors = createDoors(deps, { consensus, clock });
  consensus.onOpened((driver) => watchRemoval(driver, deps));
  // One voice is enough, and the leader knows first.
  state.onInvalidate((index, tags) => {
    if (offices.current()) doors.network()?.hints()?.invalidated({ index, tags });
  });
  const currency = createCurrency({
    look: () => consensus.status(),
    // Of the state, not of the engine: a state that stopped at what it cannot read is not current.
    applied: () => raftIndexOf(state),
    now: elapsed,
  });
  return { state, consensus, offices, currency, clock, doors, propose };
}

/** A node that is removed hears of that as the last thing, and of nothing after it. */
function watchRemoval(driver: Driver, { self, onBarred }: MemberDeps): void {
  let wasThere = false;
  driver.onConfiguration(({ configuration, isCommitted }) => {
    const isThere = configuration.servers.some(({ id }) => id === self.id);
    if (wasThere && !isThere && isCommitted) onBarred(new BarredError('retired'));
    wasThere ||= isThere && isCommitted;
  });
}

/** The way to the others, once it is open. */
function createDoors(
  { openNetwork }: MemberDeps,
  { consensus, clock }: { consensus: Consensus; clock: RaftClock },
) {
  let network: Network | undefined;
  consensus.onOpened((driver) => network && driver.setBook(network.book()));
  return {
    network: () => network,
    async open(calls: Readonly<Record<string, Call>>): Promise<Network | undefined> {
      network = await openNetwork(calls);
      network?.onBook((book) => consensus.setBook(book));
      network?.onHint((index, tags) => clock.hint(index, tags));
      return network;
    },
  };
}

const raftIndexOf = (state: ClusterState): number => state.view().index % perEpoch;

const openState = (log: Log): ClusterState =>
  createState({
    onUnreadable: ({ raftIndex, why }) =>
      log.error('this version cannot read the log of its cluster: update this node', {
        raftIndex,
        why,
      }),
  });

async function proposeAt(
  network: Network | undefined,
  leader: string,
  { command, timeoutMs }: { command: Command; timeoutMs: number },
): Promise<Result> {
  if (!network) throw new Error(`this node is alone, and does not reach ${leader}`);
  const input = { command: Buffer.from(encodeCommand(command)).toString('base64') };
  return (await network.client.call(leader, 'propose', input, { timeoutMs })) as Result;
}

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
  return async (tags: readonly string[], outboxId: number): Promise<boolean> => {
    try {
      await clock.invalidate(tags);
      sweeper.announced(outboxId);
      return true;
    } catch (error) {
      if (!(error instanceof UnannouncedError)) throw error;
      const because = String(error.cause instanceof Error ? error.cause : error);
      log.warn('a change is written; it is announced when there is a leader', { because });
      return false;
    }
  };
}

const drainEveryMs = 1_000;
/** Whoever wrote it announces it; only what is older was left behind. */
const leftBehindMs = 3_000;

/** Announces what nobody else did: its writer died, or had no leader. */
const drainDuty = ({
  consensus,
  outbox,
  pause,
}: Pick<MemberDeps, 'outbox' | 'pause'> & { consensus: Consensus }): Duty => ({
  name: 'announce what was left behind',
  async run({ fence, signal }) {
    for (;;) {
      await pause(drainEveryMs, signal);
      if (signal.aborted) return;
      await drain({ consensus, outbox }, { term: fence.term, minAgeMs: leftBehindMs, signal });
    }
  },
});
