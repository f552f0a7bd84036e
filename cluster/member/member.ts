import type { InvalidationClock } from '#storage/cache/clock.ts';
import type { Effects, Outbox } from '#storage/cluster/outbox.ts';
import type { Log } from '../raft/driver/ports.ts';
import type { Call } from '../rpc/index.ts';
import type { ClusterState } from '../state/state.ts';
import type { Announcement } from '../state/types.ts';
import { createAnnouncer, createSweeper } from './announce.ts';
import { UnannouncedError, type Proposer, type Sweeper, type Waiting } from './announce.ts';
import { createAutopilot, type Autopilot } from './autopilot.ts';
import { answersOf, createCalls } from './calls.ts';
import { createRaftClock, type RaftClock } from './clock.ts';
import type { Consensus } from './consensus.ts';
import { createCore, type Core, type CoreDeps, type Doors } from './core.ts';
import { lookEvery, type Currency } from './currency.ts';
import { createDraining, type Draining } from './draining.ts';
import { startDuties, type Duty } from './duties.ts';
import { levelDuty } from './levels.ts';
import { createMeeting, type MeetingWish } from './meeting.ts';
import type { Network } from './network.ts';
import type { Offices } from './office.ts';
import type { Pulses } from './pulse.ts';
import { readingsOf } from './readings.ts';
import { createSelf } from './self.ts';
import { createTakeOver, drain } from './take-over.ts';

export interface MemberDeps extends CoreDeps, MeetingWish {
  /** What this node says of itself; its gossip id is given where it has one. */
  readonly tell: (gossipId: string | undefined) => Announcement;
  readonly outbox: Outbox;
  /** The cluster that this database belongs to; founded if it belongs to none. */
  readonly found: (after: number) => Promise<{ clusterId: string; epoch: number }>;
  readonly isRecovered: () => Promise<boolean>;
  readonly isRestored: (epoch: number) => Promise<boolean>;
  readonly onEpochBegun: () => Promise<void>;
  /** Signs the request of a member; rejects where the authority is not kept. */
  readonly sign: (nodeId: string, request: string) => Promise<string>;
  /** What members may ask of this node beside what is about Raft, by name. */
  readonly calls?: Readonly<Record<string, Call>> | undefined;
  readonly onAnnounced: (member: Announcement) => void;
  /** How long all members must know a feature level before it is the cluster's; absent: 10 min. */
  readonly raiseAfterMs?: number | undefined;
  /** After this long without a leader nothing cached is trusted, in milliseconds. */
  readonly maxStalenessMs: number;
}

/** One node's part in its cluster, which may be a cluster of one. */
export interface Member extends Draining, AsyncDisposable {
  readonly state: ClusterState;
  readonly clock: InvalidationClock;
  readonly consensus: Consensus;
  readonly offices: Offices;
  readonly currency: Currency;
  readonly pulses: Pulses;
  /** What this node takes the time to be when it leads, in milliseconds. */
  readonly time: () => number;
  readonly autopilot: Autopilot;
  /** Undefined while this node is alone. */
  readonly network: () => Network | undefined;
  /**
   * What was written here, and waits in the outbox under this id, becomes stale everywhere, and is
   * told: by the time it resolves to true, else once there is a leader. In any case it is stale on
   * this node then.
   */
  readonly announce: (effects: Effects, outboxId: number, waiting?: Waiting) => Promise<boolean>;
  /** Proposes on whichever node leads; for commands that may come twice. */
  readonly propose: Proposer;
  /** Takes part, with these duties for its times in office. */
  readonly start: (duties: readonly Duty[]) => Promise<void>;
  /** Opens the doors that `openNetwork` now has the keys to; does nothing where they are open. */
  readonly open: () => Promise<void>;
  readonly close: () => Promise<void>;
}

type Spread = ReturnType<typeof createAnnouncer>;

/** How long a writer waits for its change to be announced; after that the outbox sees to it. */
const announceMs = 2_000;
const tenMinutesMs = 600_000;

/** Takes no part before it is started, so that who listens to its clock hears the whole log. */
export function createMember(deps: MemberDeps): Member {
  const { self, log, pause, maxStalenessMs } = deps;
  const core = createCore(deps, (consensus, view, onSettled) =>
    createTakeOver({ ...deps, nodeId: self.id, consensus, view, onSettled }),
  );
  const { state, consensus, offices, currency, pulses, time, doors, propose } = core;
  const { clock, spread } = createClock(core);
  const sweeper = createSweeper({ outbox: deps.outbox, log });
  const autopilot = createAutopilot({
    ...{ nodeId: self.id, consensus, view: () => state.view() },
    ...{ log, pause, elapsed: deps.elapsed },
  });
  const levels = levelDuty({
    ...{ log, pause, elapsed: deps.elapsed, raiseAfterMs: deps.raiseAfterMs ?? tenMinutesMs },
    ...{ consensus, view: () => state.view() },
  });
  const tell = () => deps.tell(doors.network()?.gossipId);
  const me = createSelf({
    ...{ propose, log, now: deps.now, onAnnounced: deps.onAnnounced, onBarred: deps.onBarred },
    ...{ tell, view: () => state.view() },
  });
  const meeting = createMeeting({ ...deps, tell }, core);
  const calls = createCalls({
    ...answersOf(deps, core),
    readings: () => readingsOf(autopilot.assessment(), pulses.known()),
    ...{ sign: deps.sign, whereabouts: meeting.rumours, more: deps.calls },
  });
  let duties: { close(): Promise<void> } | undefined;
  const close = async () => {
    me.close();
    offices.close();
    await meeting.close();
    await duties?.close();
    currency.close();
    await sweeper.close();
    await consensus.close();
    await doors.network()?.close();
  };
  return {
    ...{ state, clock, consensus, offices, currency, pulses, time, autopilot, propose, close },
    ...createDraining(state, self.id),
    network: doors.network,
    announce: createAnnounce({ clock, spread, sweeper, log }),
    async start(theirs) {
      const network = await openDoors({ doors, calls, clock });
      if (network) await meeting.begin(network);
      await consensus.start();
      currency.start(lookEvery(maxStalenessMs));
      const own = [drainDuty({ ...deps, consensus, state }), autopilot.duty, levels];
      duties = startDuties([...own, ...theirs], { offices, log, pause });
      offices.onChange(() => void me.look());
      me.start();
    },
    async open() {
      if (doors.network()) return;
      const network = await openDoors({ doors, calls, clock });
      if (!network) return;
      await consensus.reopen();
      await me.look();
      await meeting.begin(network);
    },
    [Symbol.asyncDispose]: close,
  };
}

/** What makes this node's caches agree with the others', and the way of a change to all of them. */
function createClock(core: Core): { clock: RaftClock; spread: Spread } {
  const { state, offices, propose, doors } = core;
  const spread = createAnnouncer({
    propose,
    waitFor: (index, timeoutMs) => clock.waitFor(index, timeoutMs),
    timeoutMs: announceMs,
  });
  const source = { ...state, index: () => state.view().index };
  const clock = createRaftClock(source, {
    announce: (tags) => spread({ tags }),
    canFollow: () => core.consensus.leadership().leader !== undefined,
  });
  // One voice is enough, and the leader knows first.
  state.onInvalidate((index, tags) => {
    if (tags.length > 0 && offices.current())
      doors.network()?.hints()?.invalidated({ index, tags });
  });
  return { clock, spread };
}

/** Opens the doors that there are keys to, and listens to what the others say behind them. */
async function openDoors({
  doors,
  calls,
  clock,
}: {
  doors: Doors;
  calls: Readonly<Record<string, Call>>;
  clock: RaftClock;
}): Promise<Network | undefined> {
  const network = await doors.open(calls);
  network?.onHint((index, tags) => clock.hint(index, tags));
  return network;
}

/** A writer's word that a change will be known everywhere: at once, or from the outbox. */
function createAnnounce({
  clock,
  spread,
  sweeper,
  log,
}: {
  clock: RaftClock;
  spread: Spread;
  sweeper: Sweeper;
  log: Log;
}) {
  // Said once, as it may go on for as long as a majority is away.
  let isWaiting = false;
  return async (effects: Effects, outboxId: number, waiting?: Waiting): Promise<boolean> => {
    try {
      await spread(effects, waiting);
      sweeper.announced(outboxId);
      isWaiting = false;
      return true;
    } catch (error) {
      if (!(error instanceof UnannouncedError)) throw error;
      clock.written(effects.tags);
      const because = String(error.cause instanceof Error ? error.cause : error);
      if (!isWaiting) log.warn('changes are announced by the next leader', { because });
      isWaiting = true;
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
  state,
  pause,
}: Pick<MemberDeps, 'outbox' | 'pause'> & Pick<Core, 'consensus' | 'state'>): Duty => ({
  name: 'announce what was left behind',
  async run({ fence, signal }) {
    for (;;) {
      await pause(drainEveryMs, signal);
      if (signal.aborted) return;
      const from = { consensus, outbox, view: () => state.view() };
      await drain(from, { term: fence.term, minAgeMs: leftBehindMs, signal });
    }
  },
});
