import { majorityOf } from './commit.ts';
import { isVoter } from './configuration.ts';
import { hasCommittedInTerm } from './leader.ts';
import { sendHeartbeat } from './replication.ts';
import type { Leading, Peer, State } from './state.ts';
import { latestConfiguration } from './state.ts';
import type { Input } from './types.ts';

const roundOf = (peer: Peer): number => peer.ackRound;
const ackSentAtOf = (peer: Peer): number => peer.ackSentAt;

/**
 * A read may see what was committed when it was asked, once a majority has confirmed, by answering
 * something sent after that, that this node still leads (dissertation 6.4). Rounds are counted here
 * and remembered per request sent, so a late answer confirms only what came before its question.
 */
export function askRead(state: State, read: Extract<Input, { type: 'read' }>): void {
  const { leading } = state;
  const { id } = read;
  if (!leading) {
    state.out.reads.push({ id, refused: 'not-leader' });
  } else if (!hasCommittedInTerm(state, leading)) {
    // What earlier leaders committed is not known yet.
    state.out.reads.push({ id, refused: 'no-commit-in-term' });
  } else if (read.mode === 'lease' && isLeaseValid(state, leading)) {
    state.out.reads.push({ id, index: state.commit });
  } else {
    leading.reads.push({ id, index: state.commit, round: leading.round + 1 });
  }
}

/**
 * Until then no majority votes for another: each waits the heartbeat timeout after what it
 * accepted, counted here from when that was sent, with both clocks as far apart as they may be.
 */
function isLeaseValid(state: State, leading: Leading): boolean {
  if (leading.isLeaseOff || leading.transfer) return false;
  const { heartbeatTimeoutMs, maxClockDrift } = state.options;
  const since = majorityOf(state, leading, { own: state.now, of: ackSentAtOf });
  const lengthMs = (heartbeatTimeoutMs * (1 - maxClockDrift)) / (1 + maxClockDrift);
  return since >= leading.leaseNotBefore && state.now < since + lengthMs;
}

/** One round for all reads that wait; those that come while it runs share the next. */
export function beginRound(state: State, leading: Leading): void {
  const last = leading.reads[leading.reads.length - 1];
  if (!last || last.round <= leading.round) return;
  leading.round += 1;
  const { configuration } = latestConfiguration(state);
  for (const peer of leading.peers.values()) {
    if (isVoter(configuration, peer.server.id)) sendHeartbeat(state, leading, peer);
  }
}

/** A peer that had no room for the heartbeat of a round gets it once it has answered another. */
export function catchUpRounds(state: State, leading: Leading): void {
  if (leading.reads.length === 0) return;
  const { configuration } = latestConfiguration(state);
  for (const peer of leading.peers.values()) {
    const asked = peer.heartbeats[peer.heartbeats.length - 1]?.round ?? 0;
    const isBehind = Math.max(peer.ackRound, asked) < leading.round;
    if (isBehind && isVoter(configuration, peer.server.id)) sendHeartbeat(state, leading, peer);
  }
}

export function settleReads(state: State, leading: Leading): void {
  if (leading.reads.length === 0) return;
  const round = majorityOf(state, leading, { own: leading.round, of: roundOf });
  let settled = 0;
  for (const read of leading.reads) {
    if (read.round > round) break;
    state.out.reads.push({ id: read.id, index: read.index });
    settled += 1;
  }
  if (settled > 0) leading.reads.splice(0, settled);
}
