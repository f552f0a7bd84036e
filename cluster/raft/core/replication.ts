import { entriesFrom, lastIndex, termAt } from './log.ts';
import type { Leading, Peer, Sent, State } from './state.ts';
import { heartbeatRequest, nextIndex } from './state.ts';
import { between } from './random.ts';
import type {
  AppendRequest,
  AppendResponse,
  InstallRequest,
  InstallResponse,
  Request,
} from './types.ts';

const firstBackoffMs = 10;
/** Heartbeats under way to one peer: one of the clock, one for reads that came after it. */
const maxHeartbeats = 2;

/** The leader's side: what each peer gets next, and what its answers say. */
export function replicate(state: State, leading: Leading): void {
  for (const peer of leading.peers.values()) {
    if (peer.removal && isToldEnough(state, peer)) leading.peers.delete(peer.server.id);
    else sendAppends(state, leading, peer);
  }
}

function isToldEnough(state: State, { match, commitSent, inflight, removal }: Peer): boolean {
  if (removal === undefined) return false;
  // Until it knows that the change is committed it may campaign.
  const knows = Math.min(match, commitSent) >= removal.index && inflight.length === 0;
  return knows || state.now >= removal.until;
}

function sendAppends(state: State, leading: Leading, peer: Peer): void {
  if (peer.mode === 'snapshot' || state.now < peer.retryAt) return;
  const { options, log } = state;
  const last = lastIndex(log);
  const window = { maxEntries: options.maxAppendEntries, maxBytes: options.maxAppendBytes };
  while (peer.inflight.length < (peer.mode === 'replicate' ? options.maxInflight : 1)) {
    const prevIndex = peer.next - 1;
    const isNews = prevIndex < last;
    if (!isNews && (peer.inflight.length > 0 || !needsWord(state, peer))) return;
    const prevTerm = termAt(log, prevIndex);
    if (prevTerm === undefined) {
      sendSnapshot(state, leading, peer);
      return;
    }
    const entries = entriesFrom(log, peer.next, window);
    // A follower of hashicorp's commits up to this index whatever it has there: never more than
    // this request makes sure of.
    const commit = Math.min(state.commit, prevIndex + entries.length);
    const { term, self: from } = state;
    const request: AppendRequest = {
      kind: 'append',
      from,
      term,
      prevIndex,
      prevTerm,
      entries,
      commit,
      isHeartbeat: false,
    };
    send(state, leading, { peer, request, list: peer.inflight });
    if (peer.mode === 'replicate') peer.next += entries.length;
    peer.commitSent = Math.max(peer.commitSent, commit);
    peer.toldAt = state.now;
  }
}

/**
 * An append without entries: to find where the logs meet, to tell of a commit at once, and from
 * time to time to tell it again: a follower that was away between two heartbeats has forgotten it.
 * (hashicorp/raft does so at every `CommitTimeout`.)
 */
function needsWord(state: State, { mode, commitSent, next, toldAt }: Peer): boolean {
  if (mode === 'probe' || commitSent < Math.min(state.commit, next - 1)) return true;
  return state.now - toldAt >= state.options.heartbeatTimeoutMs;
}

function sendSnapshot(state: State, leading: Leading, peer: Peer): void {
  const { snapshot } = state.log;
  if (!snapshot || peer.inflight.length > 0) return;
  const { term, self: from } = state;
  const request: InstallRequest = { kind: 'install', from, term, snapshot, size: 0 };
  peer.mode = 'snapshot';
  send(state, leading, { peer, request, list: peer.inflight });
}

function send(
  state: State,
  leading: Leading,
  { peer, request, list }: { peer: Peer; request: Request; list: Sent[] },
): void {
  list.push({ request, sentAt: state.now, round: leading.round });
  state.out.send.push({ to: peer.server.id, address: peer.server.address, request });
}

/** Every random [HB/10, HB/5), on its own so that no append delays it. */
export function beat(state: State, leading: Leading): void {
  const base = state.options.heartbeatTimeoutMs;
  leading.heartbeatAt = state.now + between(state.random, base / 10, base / 5);
  for (const peer of leading.peers.values()) sendHeartbeat(state, leading, peer);
}

/** A heartbeat that is older than half the timeout will not be waited for. */
export function sendHeartbeat(state: State, leading: Leading, peer: Peer): void {
  const oldest = peer.heartbeats[0];
  if (peer.heartbeats.length >= maxHeartbeats && oldest) {
    if (state.now - oldest.sentAt < state.options.heartbeatTimeoutMs / 2) return;
    peer.heartbeats.shift();
  }
  send(state, leading, { peer, request: heartbeatRequest(state), list: peer.heartbeats });
}

/** Removes the record of a request that is answered. A duplicate's is not there any more. */
function takeSent(list: Sent[], request: Request): Sent | undefined {
  for (let at = 0; at < list.length; at += 1) {
    const sent = list[at];
    if (sent?.request !== request) continue;
    list.splice(at, 1);
    return sent;
  }
  return undefined;
}

/** Any answer in the leader's term: the peer lives and follows. */
function noteAnswer(state: State, peer: Peer, request: Request): Sent | undefined {
  const sent = takeSent(peer.inflight, request) ?? takeSent(peer.heartbeats, request);
  peer.contactAt = state.now;
  peer.hasAnswered = true;
  if (sent) peer.ackRound = Math.max(peer.ackRound, sent.round);
  return sent;
}

export function onAppendAnswer(
  state: State,
  peer: Peer,
  { request, response }: { request: AppendRequest; response: AppendResponse },
): void {
  const sent = noteAnswer(state, peer, request);
  if (sent && response.isSuccess) peer.ackSentAt = Math.max(peer.ackSentAt, sent.sentAt);
  if (response.isSuccess) peer.retryAt = 0;
  if (request.isHeartbeat) return;
  if (response.isSuccess) accepted(state, peer, request);
  else if (sent) refused(state, peer, { request, response });
}

function accepted(state: State, peer: Peer, request: AppendRequest): void {
  const reached = request.prevIndex + request.entries.length;
  peer.failures = 0;
  peer.match = Math.max(peer.match, reached);
  if (peer.mode === 'replicate') {
    peer.next = Math.max(peer.next, reached + 1);
  } else if (termAt(state.log, reached) !== undefined) {
    peer.mode = 'replicate';
    peer.next = reached + 1;
  }
}

function refused(
  state: State,
  peer: Peer,
  { request, response }: { request: AppendRequest; response: AppendResponse },
): void {
  if (peer.mode === 'snapshot') return;
  // Of several in a row only the first says where to go on; the others follow from it.
  const wasProbe = peer.mode === 'probe';
  if (wasProbe && request.prevIndex !== peer.next - 1) return;
  peer.mode = 'probe';
  // Go refuses entries that its own snapshot holds, even where nothing need precede them.
  const before = request.prevIndex === 0 ? nextIndex(state) : request.prevIndex;
  peer.next = Math.max(Math.min(before, response.lastLog + 1), 1);
  peer.commitSent = 0;
  if (!response.noRetryBackoff || request.prevIndex === 0) backOff(state, peer);
}

function backOff(state: State, peer: Peer): void {
  const { heartbeatTimeoutMs } = state.options;
  peer.retryAt = state.now + Math.min(firstBackoffMs * 2 ** peer.failures, heartbeatTimeoutMs);
  peer.failures += 1;
}

export function onInstallAnswer(
  state: State,
  peer: Peer,
  { request, response }: { request: InstallRequest; response: InstallResponse },
): void {
  const sent = noteAnswer(state, peer, request);
  if (response.isSuccess) {
    peer.failures = 0;
    peer.match = Math.max(peer.match, request.snapshot.index);
    if (peer.mode !== 'snapshot') return;
    peer.next = request.snapshot.index + 1;
  } else if (!sent || peer.mode !== 'snapshot') return;
  else backOff(state, peer);
  peer.mode = 'probe';
}

/** A request got no answer: nothing is known of it, so ask once more at the same place. */
export function onSendFailed(state: State, peer: Peer, request: Request): void {
  if (takeSent(peer.heartbeats, request)) return;
  if (!takeSent(peer.inflight, request)) return;
  peer.mode = 'probe';
  const tried = request.kind === 'append' ? request.prevIndex : 0;
  peer.next = Math.min(peer.next, Math.max(peer.match, tried) + 1);
  peer.commitSent = 0;
  if (state.now >= peer.retryAt) backOff(state, peer);
}
