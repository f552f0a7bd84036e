import { majorityOf } from './commit.ts';
import { lastIndex, lastTerm } from './log.ts';
import type { Leading, State } from './state.ts';
import { latestConfiguration } from './state.ts';
import type { PeerStatus, Status } from './types.ts';

export function statusOf(state: State, now: number): Status {
  const { configuration, index } = latestConfiguration(state);
  return {
    id: state.options.id,
    role: state.role,
    term: state.term,
    leader: state.leader,
    commit: state.commit,
    durable: state.durable,
    lastIndex: lastIndex(state.log),
    lastTerm: lastTerm(state.log),
    firstIndex: state.log.offset + 1,
    snapshotIndex: state.log.snapshot?.index ?? 0,
    uncommittedBytes: state.leading?.uncommittedBytes ?? 0,
    configuration,
    configurationIndex: index,
    isConfigurationCommitted: state.configurations.length === 1,
    isTransferring: state.leading?.transfer !== undefined,
    contactMs: contactOf(state, now),
    peers: state.leading ? peersOf(state.leading, now) : [],
  };
}

function contactOf(state: State, now: number): number | undefined {
  const { leading, leader, quietUntil, options } = state;
  if (leading) return now - majorityOf(state, leading, { own: now, of: (peer) => peer.contactAt });
  // Since it last was heard, votes are refused for a heartbeat timeout.
  return leader && now - (quietUntil - options.heartbeatTimeoutMs);
}

function peersOf(leading: Leading, now: number): PeerStatus[] {
  const peers: PeerStatus[] = [];
  for (const peer of leading.peers.values()) {
    const { server, match, next, mode } = peer;
    const lastContactMs = peer.hasAnswered ? now - peer.contactAt : undefined;
    peers.push({ server, match, next, mode, inflight: peer.inflight.length, lastContactMs });
  }
  return peers;
}
