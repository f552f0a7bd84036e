import { uncommittedBytes } from './commit.ts';
import { entryBytes } from './log.ts';
import type { Leading, Peer, State } from './state.ts';
import { announceRole, appendOwn, latestConfiguration, nextIndex, refuse } from './state.ts';
import type { Entry, Proposal, Server } from './types.ts';

const noData = new Uint8Array(0);

/** A new leader's first entry is a no-op: committing it commits all that came before (5.4.2, 8). */
export function becomeLeader(state: State): void {
  const firstIndex = nextIndex(state);
  state.role = 'leader';
  state.leader = state.self;
  state.campaign = undefined;
  const leading: Leading = {
    peers: new Map(),
    firstIndex,
    heartbeatAt: state.now,
    checkAt: state.now + state.options.leaderLeaseTimeoutMs,
    uncommittedBytes: 0,
    round: 0,
    reads: [],
    transfer: undefined,
    isLeaseOff: false,
    leaseNotBefore: state.now,
  };
  state.leading = leading;
  const noop: Entry = { index: firstIndex, term: state.term, type: 'noop', data: noData };
  syncPeers(state, leading);
  appendOwn(state, noop);
  leading.uncommittedBytes = uncommittedBytes(state);
  announceRole(state, 'won the election');
}

/** All or none of a batch. The outcome's index is that of its first entry. */
export function propose(state: State, proposals: readonly Proposal[]): void {
  const { leading, term } = state;
  if (!leading) return refuse(state, 'not-leader');
  if (leading.transfer) return refuse(state, 'transfer-in-progress');
  if (leading.uncommittedBytes >= state.options.maxUncommittedBytes) {
    return refuse(state, 'too-much-uncommitted');
  }
  let index = nextIndex(state);
  state.out.outcome = { isAccepted: true, index, term };
  for (const { type, data, appendedAt } of proposals) {
    const entry: Entry =
      appendedAt === undefined
        ? { index, term, type, data }
        : { index, term, type, data, appendedAt };
    appendOwn(state, entry);
    leading.uncommittedBytes += entryBytes(entry);
    index += 1;
  }
}

/** One record per other server; one that was removed is still told so, for a while. */
export function syncPeers(state: State, leading: Leading): void {
  const { configuration, index } = latestConfiguration(state);
  const removed = new Set(leading.peers.keys());
  for (const server of configuration.servers) {
    removed.delete(server.id);
    if (server.id === state.options.id) continue;
    const peer = leading.peers.get(server.id);
    if (!peer) leading.peers.set(server.id, createPeer(state, server));
    else {
      // Somewhere else now: what held it back there says nothing of the new place.
      if (peer.server.address !== server.address) peer.retryAt = 0;
      peer.server = server;
      peer.removal = undefined;
    }
  }
  const until = state.now + 2 * state.options.electionTimeoutMs;
  for (const id of removed) {
    const peer = leading.peers.get(id);
    if (peer) peer.removal ??= { index, until };
  }
}

function createPeer(state: State, server: Server): Peer {
  return {
    server,
    match: 0,
    next: nextIndex(state),
    mode: 'probe',
    inflight: [],
    heartbeats: [],
    contactAt: state.now,
    hasAnswered: false,
    ackRound: 0,
    ackSentAt: Number.NEGATIVE_INFINITY,
    commitSent: 0,
    toldAt: state.now,
    failures: 0,
    retryAt: 0,
    removal: undefined,
  };
}

export function hasCommittedInTerm(state: State, leading: Leading): boolean {
  return state.commit >= leading.firstIndex;
}
