import { CallError, type Call } from '../rpc/index.ts';
import type { ClusterState } from '../state/state.ts';
import type { Announcement } from '../state/types.ts';
import type { Autopilot } from './autopilot.ts';
import { answersOf, createCalls } from './calls.ts';
import type { Consensus } from './consensus.ts';
import { createCore, type CoreDeps } from './core.ts';
import { lookEvery, type Currency } from './currency.ts';
import { createHandOn } from './hand-on.ts';
import { createMeeting, type MeetingWish } from './meeting.ts';
import type { Network } from './network.ts';
import type { Offices } from './office.ts';
import type { Proposer } from './announce.ts';
import type { Pulses } from './pulse.ts';
import { createSelf } from './self.ts';

export interface WitnessDeps extends CoreDeps, MeetingWish {
  /** What this witness says of itself. */
  readonly tell: () => Announcement;
  readonly onAnnounced: (member: Announcement) => void;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** After this long without a leader what it knows counts as old, in milliseconds. */
  readonly maxStalenessMs: number;
  /** What members may ask of it beside what is about Raft, by name. */
  readonly calls?: Readonly<Record<string, Call>> | undefined;
}

/** A member that votes and keeps the log, and does nothing else. */
export interface Witness extends AsyncDisposable {
  readonly state: ClusterState;
  readonly consensus: Consensus;
  readonly offices: Offices;
  readonly currency: Currency;
  readonly pulses: Pulses;
  readonly autopilot: Pick<Autopilot, 'assessment'>;
  readonly propose: Proposer;
  readonly network: () => Network | undefined;
  /** Takes part. @throws BarredError */
  readonly start: () => Promise<void>;
  readonly close: () => Promise<void>;
}

/** Why a witness does not do what only a node can. */
export const nodesOnly = (what: string) =>
  new CallError('nodes-only', `this member is a witness: ${what}`, { isRetryable: true });

/** Takes no part before it is started. */
export function createWitness(deps: WitnessDeps): Witness {
  const { self, log, now, pause, elapsed } = deps;
  const core = createCore(deps, (consensus, view, onSettled) =>
    createHandOn({ nodeId: self.id, consensus, view, log, pause, elapsed, onSettled }),
  );
  const { state, consensus, offices, currency, pulses, doors, propose } = core;
  const me = createSelf({
    ...{ propose, log, now, tell: deps.tell, view: () => state.view() },
    ...{ onAnnounced: deps.onAnnounced, onBarred: deps.onBarred },
  });
  const meeting = createMeeting(deps, core);
  const calls = createCalls({
    ...answersOf(deps, core),
    readings: () => undefined,
    whereabouts: meeting.rumours,
    more: deps.calls,
    sign: () => Promise.reject(nodesOnly('it signs no certificates, ask a node')),
  });
  const close = async () => {
    me.close();
    offices.close();
    await meeting.close();
    currency.close();
    await consensus.close();
    await doors.network()?.close();
  };
  return {
    ...{ state, consensus, offices, currency, pulses, propose, close, network: doors.network },
    // What members do is the leader's to judge, and a witness hardly ever is that.
    autopilot: { assessment: () => undefined },
    async start() {
      const network = await doors.open(calls);
      if (network) await meeting.begin(network);
      await consensus.start();
      currency.start(lookEvery(deps.maxStalenessMs));
      offices.onChange(() => void me.look());
      me.start();
    },
    [Symbol.asyncDispose]: close,
  };
}
