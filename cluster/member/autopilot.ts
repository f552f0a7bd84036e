import { decide } from '../autopilot/decide.ts';
import { createHealthTracker } from '../autopilot/health.ts';
import type { Action, Decision, PeerState } from '../autopilot/types.ts';
import type { Change } from '../raft/core/types.ts';
import type { EngineStatus } from '../raft/driver/messages.ts';
import type { Log } from '../raft/driver/ports.ts';
import type { View } from '../state/types.ts';
import type { Consensus } from './consensus.ts';
import type { Duty } from './duties.ts';
import type { Pause } from './pause.ts';

export interface AutopilotDeps {
  readonly nodeId: string;
  readonly consensus: Consensus;
  readonly view: () => View;
  readonly log: Log;
  readonly pause: Pause;
  /** Milliseconds, of a clock that never goes back. */
  readonly elapsed: () => number;
}

/** What the leader last saw and thought; kept for operators. */
export interface Assessment {
  readonly status: EngineStatus;
  readonly peers: ReadonlyMap<string, PeerState>;
  readonly decision: Decision;
  readonly at: number;
}

export interface Autopilot {
  readonly duty: Duty;
  /** Undefined unless this node leads. */
  assessment(): Assessment | undefined;
  /** Whom this leader would choose: never who is drained or a witness, if another can lead. */
  successor(): string | undefined;
  /** Members that have not answered this leader for so long; empty unless this node leads. */
  silent(forMs: number): string[];
}

const everyMs = 500;

/** Looks after who votes, as long as this node leads. */
export function createAutopilot(deps: AutopilotDeps): Autopilot {
  const { consensus, log, pause } = deps;
  let latest: Assessment | undefined;
  const look = createLook(deps);
  return {
    assessment: () => latest,
    successor: () => latest?.decision.successor,
    silent: (forMs) => (latest ? silentOf(latest, forMs) : []),
    duty: {
      name: 'autopilot',
      async run({ fence, signal }) {
        try {
          while (!signal.aborted) {
            latest = await look();
            const [action] = latest.decision.actions;
            if (action) {
              log.info('changes members', { ...action, change: action.kind });
              await perform(consensus, action, fence.term);
            }
            await pause(everyMs, signal);
          }
        } finally {
          latest = undefined;
        }
      },
    },
  };
}

const silentOf = ({ peers, at }: Assessment, forMs: number): string[] =>
  [...peers].flatMap(([id, { silentSinceMs = at }]) => (at - silentSinceMs >= forMs ? [id] : []));

/** Looks at the members as their leader; each look knows what those before it saw. */
export function createLook({ nodeId, consensus, view, elapsed }: AutopilotDeps) {
  const tracker = createHealthTracker();
  return async (): Promise<Assessment> => {
    const status = await consensus.status();
    const { lastIndex, lastTerm, term, configuration } = status;
    const { members, retired, autopilot: config } = view();
    const now = elapsed();
    const readings = status.peers.map(({ server, match, lastContactMs }) => ({
      ...{ id: server.id, matchIndex: match, lastContactMs },
    }));
    const end = { lastIndex, lastTerm, leaderId: nodeId, config, now };
    const peers = tracker.observe({ ...end, term, peers: readings });
    const decision = decide({ ...end, view: { members, retired }, configuration, peers });
    return { status, peers, decision, at: now };
  };
}

/** Members are named by id; where they are is in the address book. */
const asChange = (kind: Change['kind'], id: string): Change => ({
  ...{ kind, id, address: id },
});

async function perform(consensus: Consensus, { kind, id }: Action, term: number): Promise<void> {
  switch (kind) {
    case 'add':
      return void (await consensus.change(asChange('addNonvoter', id)));
    case 'promote':
      return void (await consensus.change(asChange('addVoter', id)));
    case 'demote':
      return void (await consensus.change(asChange('demoteVoter', id)));
    case 'remove':
      await consensus.change(asChange('removeServer', id));
      await consensus.propose({ type: 'forget', id }, term);
      return;
    case 'transfer':
      return consensus.transfer(id);
  }
}
