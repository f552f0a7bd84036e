import { adoptConfigurations } from './commit.ts';
import { createLog, lastIndex } from './log.ts';
import { isCountable } from './quorum.ts';
import { createRandom } from './random.ts';
import type { State } from './state.ts';
import { emptyOut, latestConfiguration, restartElectionTimer } from './state.ts';
import type { Boot, RaftOptions } from './types.ts';

/** A cluster's first start: nothing but the configuration, which nobody elected. */
const bootstrapTerm = 1;

/** @throws RangeError when options or disk cannot be right */
export function bootState(options: RaftOptions, boot: Boot, now: number): State {
  checkOptions(options);
  const { term, vote } = boot.hardState;
  if (!isCountable(term)) throw new RangeError(`no term is ${term}`);
  const { snapshot } = boot;
  const log = createLog(snapshot, boot.entries);
  const base = snapshot?.index ?? 0;
  const state: State = {
    options,
    self: { id: options.id, address: options.address },
    random: createRandom(options.seed),
    log,
    now,
    term,
    vote,
    role: 'follower',
    leader: undefined,
    electionAt: now,
    isHoldingBack: false,
    quietUntil: term > bootstrapTerm ? now + options.heartbeatTimeoutMs : now,
    durable: lastIndex(log),
    known: base,
    commit: base,
    applied: base,
    configurations: [
      {
        configuration: snapshot?.configuration ?? { servers: [] },
        index: snapshot?.configurationIndex ?? 0,
      },
    ],
    saves: [],
    nextSave: 1,
    hardSave: 0,
    isInstalling: false,
    receiving: new Map(),
    leading: undefined,
    campaign: undefined,
    preVoters: new Set(),
    out: emptyOut(),
  };
  adoptConfigurations(
    state,
    log.entries.filter((entry) => entry.index > base),
  );
  const { servers } = latestConfiguration(state).configuration;
  const voters = servers.filter((server) => server.suffrage === 'voter');
  // Who is alone with its vote has nobody to wait for.
  if (voters.length !== 1 || voters[0]?.id !== options.id) restartElectionTimer(state);
  return state;
}

/** A timeout that was rounded down to nothing makes leaders flap (seaweedfs/raft #9). */
function checkOptions(options: RaftOptions): void {
  const { heartbeatTimeoutMs, electionTimeoutMs, leaderLeaseTimeoutMs, maxClockDrift } = options;
  const times = [heartbeatTimeoutMs, electionTimeoutMs, leaderLeaseTimeoutMs];
  if (!times.every((time) => time > 0)) throw new RangeError('timeouts must be above 0');
  if ((options.reluctanceMs ?? 0) < 0) throw new RangeError('nobody is less than not reluctant');
  if (leaderLeaseTimeoutMs > heartbeatTimeoutMs) {
    throw new RangeError('the leader lease must not be longer than the heartbeat timeout');
  }
  if (options.maxInflight < 1 || options.maxAppendEntries < 1) {
    throw new RangeError('an append request must be allowed to go, and to carry an entry');
  }
  if (!(maxClockDrift >= 0 && maxClockDrift < 1)) throw new RangeError('no clock drifts like that');
  if (options.id === '') throw new RangeError('a server needs an id');
}
