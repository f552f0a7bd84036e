import { findServer } from './configuration.ts';
import { lastIndex } from './log.ts';
import { endTransfer } from './roles.ts';
import type { Leading, State } from './state.ts';
import { latestConfiguration, refuse } from './state.ts';
import type { ServerId } from './types.ts';

/** Dissertation 3.10: stop proposals, let the successor catch up, tell it to campaign at once. */
export function beginTransfer(state: State, wanted: ServerId | undefined): void {
  const { leading } = state;
  if (!leading) return refuse(state, 'not-leader');
  if (leading.transfer) return refuse(state, 'transfer-in-progress');
  const to = wanted ?? furthestVoter(state, leading);
  const server =
    to === undefined ? undefined : findServer(latestConfiguration(state).configuration, to);
  if (server?.suffrage !== 'voter' || server.id === state.options.id) {
    return refuse(state, 'no-target', `${to ?? 'nobody'} is no other voter`);
  }
  leading.transfer = {
    to: server.id,
    until: state.now + state.options.electionTimeoutMs,
    isAsked: false,
    retryAt: state.now,
  };
  state.out.outcome = { isAccepted: true, index: lastIndex(state.log), term: state.term };
}

/** Of the voters that answer, the one with most of the log. */
function furthestVoter(state: State, leading: Leading): ServerId | undefined {
  const since = state.now - state.options.leaderLeaseTimeoutMs;
  let best: { id: ServerId; match: number; isAlive: boolean } | undefined;
  for (const peer of leading.peers.values()) {
    const { match, server, removal } = peer;
    if (server.suffrage !== 'voter' || removal) continue;
    const isAlive = peer.hasAnswered && peer.contactAt >= since;
    const isBetter = !best || (isAlive === best.isAlive ? match > best.match : isAlive);
    if (isBetter) best = { id: server.id, match, isAlive };
  }
  return best?.id;
}

export function driveTransfer(state: State, leading: Leading): void {
  const { transfer } = leading;
  if (!transfer) return;
  const peer = leading.peers.get(transfer.to);
  if (state.now >= transfer.until || !peer) {
    endTransfer(state, 'transfer-timeout');
    return;
  }
  const isCaughtUp = peer.match === lastIndex(state.log);
  if (transfer.isAsked || !isCaughtUp || state.now < transfer.retryAt) return;
  transfer.isAsked = true;
  // From now on another may be elected without waiting for our silence, however late this arrives.
  leading.isLeaseOff = true;
  const { id, address } = peer.server;
  const request = { kind: 'timeoutNow', from: state.self } as const;
  state.out.send.push({ to: id, address, request });
}

export function onTimeoutNowFailed(state: State, to: ServerId): void {
  const transfer = state.leading?.transfer;
  if (transfer?.to !== to) return;
  transfer.isAsked = false;
  transfer.retryAt = state.now + state.options.heartbeatTimeoutMs / 10;
}

/** A newer term of whom we told to campaign: that is its campaign, of which we hear elsewhere first. */
export function noteSuccessor(state: State, from: ServerId): void {
  const transfer = state.leading?.transfer;
  if (transfer?.isAsked && transfer.to === from) endTransfer(state, 'done');
}
