import { adoptConfigurations, isSelfVoter } from './commit.ts';
import { changedConfiguration, voterCount } from './configuration.ts';
import { hasCommittedInTerm, syncPeers } from './leader.ts';
import { entryBytes } from './log.ts';
import { quorumSize } from './quorum.ts';
import type { Leading, State } from './state.ts';
import { appendOwn, latestConfiguration, nextIndex, refuse } from './state.ts';
import type { Change, Configuration, Entry } from './types.ts';

const noData = new Uint8Array(0);

/**
 * One server at a time, and only after a commit in this term: else two leaders could each hold a
 * majority of a configuration the other does not know (Ongaro, raft-dev 2015).
 */
export function changeMembers(state: State, change: Change): void {
  const { leading } = state;
  if (!leading) return refuse(state, 'not-leader');
  if (leading.transfer) return refuse(state, 'transfer-in-progress');
  if (state.configurations.length > 1) return refuse(state, 'change-in-progress');
  if (!hasCommittedInTerm(state, leading)) return refuse(state, 'no-commit-in-term');
  const latest = latestConfiguration(state);
  const { prevIndex = 0 } = change;
  if (prevIndex > 0 && prevIndex !== latest.index) {
    return refuse(state, 'stale-prev-index', `the latest configuration is at ${latest.index}`);
  }
  const changed = changedConfiguration(latest.configuration, change);
  if ('reason' in changed) return refuse(state, changed.reason, changed.detail);
  const { configuration } = changed;
  const needed = quorumSize(voterCount(configuration));
  const alive = aliveVoters(state, leading, configuration);
  if (alive < needed && change.force !== true) {
    return refuse(state, 'would-lose-quorum', `${alive} voters alive, ${needed} needed`);
  }
  appendChange(state, leading, configuration);
}

function appendChange(state: State, leading: Leading, configuration: Configuration): void {
  const { term } = state;
  const index = nextIndex(state);
  const entry: Entry = { index, term, type: 'configuration', data: noData, configuration };
  appendOwn(state, entry);
  leading.uncommittedBytes += entryBytes(entry);
  adoptConfigurations(state, [entry]);
  syncPeers(state, leading);
  state.out.outcome = { isAccepted: true, index, term };
}

/** Voters of a configuration that answered within a lease; who only joins now has not. */
function aliveVoters(state: State, leading: Leading, configuration: Configuration): number {
  const since = state.now - state.options.leaderLeaseTimeoutMs;
  let alive = 0;
  for (const { id, suffrage } of configuration.servers) {
    const peer = leading.peers.get(id);
    const isAlive = peer !== undefined && peer.hasAnswered && peer.contactAt >= since;
    if (suffrage === 'voter' && (id === state.options.id || isAlive)) alive += 1;
  }
  return alive;
}

/** A leader that removed or demoted itself leads until that is committed (dissertation 4.2.2). */
export function isNoLongerWanted(state: State): boolean {
  return state.configurations.length === 1 && !isSelfVoter(state);
}
