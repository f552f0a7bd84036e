import { advanceCommit, countCommit, majorityOf } from './commit.ts';
import { isNoLongerWanted } from './membership.ts';
import { beginRound, catchUpRounds, settleReads } from './reads.ts';
import { beat, replicate } from './replication.ts';
import { follow } from './roles.ts';
import type { Leading, Peer, State } from './state.ts';
import { driveTransfer } from './transfer.ts';
import type { Entry } from './types.ts';

const contactOf = (peer: Peer): number => peer.contactAt;

/** What a leader does at the end of every step: all that is due goes out together. */
export function pump(state: State, leading: Leading): readonly Entry[] {
  countCommit(state, leading);
  const committed = advanceCommit(state);
  if (state.now >= leading.checkAt && !hasQuorum(state, leading)) {
    follow(state, { term: state.term, because: 'no quorum within the lease' });
    return committed;
  }
  if (state.now >= leading.heartbeatAt) beat(state, leading);
  driveTransfer(state, leading);
  beginRound(state, leading);
  catchUpRounds(state, leading);
  replicate(state, leading);
  settleReads(state, leading);
  if (isNoLongerWanted(state)) {
    follow(state, { term: state.term, because: 'no longer a voter' });
  }
  return committed;
}

/** Check-quorum: a leader that hears no majority for a lease would only keep clients waiting. */
function hasQuorum(state: State, leading: Leading): boolean {
  const since = majorityOf(state, leading, { own: state.now, of: contactOf });
  leading.checkAt = since + state.options.leaderLeaseTimeoutMs;
  return state.now < leading.checkAt;
}

/** After a pause the answers of meanwhile are still to be read: judge nothing before. */
export function passPause(state: State, leading: Leading, pausedMs: number): void {
  const { leaderLeaseTimeoutMs } = state.options;
  if (pausedMs <= leaderLeaseTimeoutMs) return;
  leading.leaseNotBefore = state.now;
  leading.checkAt = Math.max(leading.checkAt, state.now + leaderLeaseTimeoutMs / 2);
}

export function leaderDeadline(state: State, leading: Leading): number {
  let at = Math.min(leading.heartbeatAt, leading.checkAt);
  const { transfer } = leading;
  if (transfer) {
    at = Math.min(at, transfer.until);
    if (transfer.retryAt > state.now) at = Math.min(at, transfer.retryAt);
  }
  for (const { retryAt, removal } of leading.peers.values()) {
    if (retryAt > state.now) at = Math.min(at, retryAt);
    if (removal) at = Math.min(at, removal.until);
  }
  return at;
}
