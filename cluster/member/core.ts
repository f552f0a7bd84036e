import { z } from 'zod';
import type { Fence } from '#storage/cluster/outbox.ts';
import type { Driver } from '../raft/driver/driver.ts';
import type { Log, StateMachine } from '../raft/driver/ports.ts';
import { RpcError, type Call } from '../rpc/index.ts';
import { encodeCommand } from '../state/command.ts';
import { levelOf } from '../state/features.ts';
import { perEpoch } from '../state/limits.ts';
import { createState, type ClusterState } from '../state/state.ts';
import type { Announcement, Command, Result, View } from '../state/types.ts';
import { createProposer, type Proposer } from './announce.ts';
import { BarredError } from './barred.ts';
import { createConsensus, type Consensus } from './consensus.ts';
import { createCurrency, type Currency } from './currency.ts';
import type { Network } from './network.ts';
import { createOffices, type Offices } from './office.ts';
import type { Pause } from './pause.ts';
import { createPulses, type Doing, type Pulses } from './pulse.ts';
import { shutOutRemoved } from './shut-out.ts';
import { createLeaderTime } from './time.ts';

export interface CoreDeps {
  readonly self: Pick<Announcement, 'id' | 'bootEpoch' | 'session'>;
  /** Starts an engine on this node's log, for a machine that has applied it up to this index. */
  readonly openDriver: (
    machine: StateMachine,
    has: number,
    network: Network | undefined,
  ) => Promise<Driver>;
  /** Opens the doors to others; undefined while this node is alone. */
  readonly openNetwork: (calls: Readonly<Record<string, Call>>) => Promise<Network | undefined>;
  /** This node may not take part; it has to end. */
  readonly onBarred: (error: BarredError) => void;
  /** What this node does, for the others to know; absent: nothing that concerns them. */
  readonly doing?: (() => Doing) | undefined;
  /** The highest feature level that this node takes part in; absent: that it knows. */
  readonly maxLevel?: number | undefined;
  readonly log: Log;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Milliseconds, of a clock that never goes back. */
  readonly elapsed: () => number;
  readonly pause: Pause;
}

/** The way to the others, once it is open. */
export interface Doors {
  /** Undefined while this node is alone. */
  readonly network: () => Network | undefined;
  open(calls: Readonly<Record<string, Call>>): Promise<Network | undefined>;
}

/** State, order and leadership, as far as they need each other: of nodes and of witnesses. */
export interface Core {
  readonly state: ClusterState;
  readonly consensus: Consensus;
  readonly offices: Offices;
  readonly currency: Currency;
  readonly pulses: Pulses;
  /** The leader's; see `time.ts`. */
  readonly time: () => number;
  readonly doors: Doors;
  readonly propose: Proposer;
}

/** What comes of leadership here; see `OfficeDeps`. */
export type Lead = (
  consensus: Consensus,
  view: () => View,
  /** To be called once this leader knows all that was committed before its term. */
  onSettled: (term: number) => void,
) => (term: number, signal: AbortSignal) => Promise<Fence>;

export function createCore(deps: CoreDeps, lead: Lead): Core {
  const { self, log, elapsed, pause } = deps;
  const state = openState(log, deps.maxLevel);
  const view = () => state.view();
  const time = createLeaderTime({ now: deps.now, elapsed, latest: () => view().time });
  const consensus = createConsensus({
    open: () => deps.openDriver(state.machine, raftIndexOf(state), doors.network()),
    prepare: createPrepare(time, view),
    ...{ log, pause },
  });
  let settledTerm: number | undefined;
  const takeOver = lead(consensus, view, (term) => (settledTerm = term));
  const offices = createOffices({
    ...{ nodeId: self.id, consensus, takeOver, log, pause, elapsed },
    askAround: () => askAround(doors.network()),
  });
  const propose = createProposer({
    offices,
    here: (command) => consensus.propose(command),
    there: (leader, command, timeoutMs) =>
      proposeAt(doors.network(), leader, { command, timeoutMs }),
    now: elapsed,
  });
  const doors = createDoors(deps, consensus);
  consensus.onOpened((driver) => watchRemoval(driver, deps));
  shutOutRemoved(state, consensus);
  const pulses = createPulses({
    ...{ nodeId: self.id, now: deps.now, elapsed, status: () => consensus.status() },
    doing: deps.doing ?? (() => ({ jobs: 0, streams: 0 })),
    isSettled() {
      const { role, term } = consensus.leadership();
      return role === 'leader' && term === settledTerm;
    },
    leader() {
      const { role, leader } = consensus.leadership();
      return role === 'leader' || !doors.network() ? undefined : leader?.id;
    },
    ask: (leader, input, timeoutMs) => askPulse(doors.network(), leader, { input, timeoutMs }),
  });
  const currency = createCurrency({
    look: () => pulses.beat(),
    // Of the state, not of the engine: a state that stopped at what it cannot read is not current.
    applied: () => raftIndexOf(state),
    now: elapsed,
  });
  return { state, consensus, offices, currency, pulses, time, doors, propose };
}

/** What goes into the log: only what every member can read, and with the leader's time. */
function createPrepare(time: () => number, view: () => View) {
  return (command: Command): Command | Result => {
    const { featureLevel, index } = view();
    if (levelOf(command) > featureLevel) {
      return { isDone: false, index, why: 'features-unsupported' };
    }
    return 'at' in command ? { ...command, at: time() } : command;
  };
}

const askMs = 1_000;
const named = z.object({ leader: z.string() });

/** Who leads, as the first of the others says that knows. */
async function askAround(network: Network | undefined): Promise<string | undefined> {
  const asked = (network?.peers() ?? []).map(async ({ id }) => {
    const input = { input: {}, timeoutMs: askMs };
    return named.parse(await askOf(network, id, { ...input, name: 'leader' })).leader;
  });
  return Promise.any(asked).catch(() => undefined);
}

/** Undefined for a leader of the release before pulses. */
async function askPulse(
  network: Network | undefined,
  leader: string,
  asked: { input: unknown; timeoutMs: number },
): Promise<unknown> {
  try {
    return await askOf(network, leader, asked);
  } catch (error) {
    if (error instanceof RpcError && error.code === 'unknown-call') return undefined;
    throw error;
  }
}

async function askOf(
  network: Network | undefined,
  nodeId: string,
  { name = 'pulse', input, timeoutMs }: { name?: string; input: unknown; timeoutMs: number },
): Promise<unknown> {
  if (!network) throw new Error(`this node is alone, and does not reach ${nodeId}`);
  return network.client.call(nodeId, name, input, { timeoutMs });
}

/** A node that is removed hears of that as the last thing, and of nothing after it. */
function watchRemoval(driver: Driver, { self, onBarred }: CoreDeps): void {
  let wasThere = false;
  driver.onConfiguration(({ configuration, isCommitted }) => {
    const isThere = configuration.servers.some(({ id }) => id === self.id);
    if (wasThere && !isThere && isCommitted) onBarred(new BarredError('retired'));
    wasThere ||= isThere && isCommitted;
  });
}

function createDoors({ openNetwork }: CoreDeps, consensus: Consensus): Doors {
  let network: Network | undefined;
  consensus.onOpened((driver) => network && driver.setBook(network.book()));
  return {
    network: () => network,
    async open(calls) {
      network = await openNetwork(calls);
      network?.onBook((book) => consensus.setBook(book));
      return network;
    },
  };
}

const raftIndexOf = (state: ClusterState): number => state.view().index % perEpoch;

const openState = (log: Log, maxLevel: number | undefined): ClusterState =>
  createState({
    maxLevel,
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
  const input = { command: Buffer.from(encodeCommand(command)).toString('base64') };
  return (await askOf(network, leader, { name: 'propose', input, timeoutMs })) as Result;
}
