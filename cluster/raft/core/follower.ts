import { adoptConfigurations, cutLog } from './commit.ts';
import { resolveServer } from './configuration.ts';
import { appendTo, firstOfTerm, lastIndex, termAt } from './log.ts';
import { isCountable } from './quorum.ts';
import { follow } from './roles.ts';
import type { State } from './state.ts';
import { answer, latestConfiguration, restartElectionTimer } from './state.ts';
import type { AppendRequest, AppendResponse, Entry, InstallRequest, PeerRef } from './types.ts';

/** The follower's side of replication: hashicorp's steps for AppendEntries, in its order. */
export function onAppendRequest(state: State, token: number, request: AppendRequest): void {
  const lastLog = lastIndex(state.log);
  if (!isWellFormed(request) || !acceptLeader(state, request)) {
    answer(state, { token, response: appendResponse(state, { isSuccess: false, lastLog }) });
    return;
  }
  if (request.isHeartbeat) {
    answer(state, { token, response: appendResponse(state, { isSuccess: true, lastLog }) });
    return;
  }
  const hint = conflictHint(state, request);
  if (hint !== undefined) {
    answer(state, {
      token,
      response: appendResponse(state, { isSuccess: false, lastLog: hint }),
    });
    return;
  }
  const verified = request.prevIndex + request.entries.length;
  if (!storeEntries(state, request)) {
    answer(state, { token, response: appendResponse(state, { isSuccess: false, lastLog }) });
    return;
  }
  // Never beyond what this request has verified: what follows in our log may be another's.
  state.known = Math.max(state.known, Math.min(request.commit, verified));
  answer(state, { token, response: appendResponse(state, { isSuccess: true, lastLog }) }, verified);
}

function appendResponse(
  state: State,
  { isSuccess, lastLog }: { isSuccess: boolean; lastLog: number },
): AppendResponse {
  return { kind: 'append', term: state.term, lastLog, isSuccess, noRetryBackoff: !isSuccess };
}

/** @returns false for a leader of the past, or a second one in our own term. */
export function acceptLeader(state: State, request: AppendRequest | InstallRequest): boolean {
  const { term, from } = request;
  if (term < state.term || (term === state.term && state.role === 'leader')) return false;
  const leader = from.id === undefined ? namedLeader(state, from) : from;
  follow(state, { term, leader, because: 'heard from the leader' });
  restartElectionTimer(state);
  // It may count this as a lease. A newer term takes the leader away, but not the promise to it.
  state.quietUntil = state.now + state.options.heartbeatTimeoutMs;
  return true;
}

/** Peers before hashicorp/raft 1.3.7 say only where they are. */
function namedLeader(state: State, { address }: PeerRef): PeerRef {
  const { configuration } = latestConfiguration(state);
  return { id: resolveServer(configuration, { id: undefined, address })?.id, address };
}

function isWellFormed(request: AppendRequest): boolean {
  const { term, prevIndex, prevTerm, entries } = request;
  if (!isCountable(term) || !isCountable(prevIndex) || !isCountable(prevTerm)) return false;
  if (!isCountable(prevIndex + entries.length)) return false;
  let index = prevIndex;
  let before = prevTerm;
  for (const entry of entries) {
    index += 1;
    if (entry.index !== index || !isCountable(entry.term) || entry.term < before) return false;
    before = entry.term;
  }
  return before <= term;
}

/** Undefined when the entry before the request's is ours too; else where the leader may go on. */
function conflictHint(state: State, { prevIndex, prevTerm }: AppendRequest): number | undefined {
  const { log } = state;
  if (prevIndex > lastIndex(log)) return lastIndex(log);
  const term = termAt(log, prevIndex);
  // Compacted away, so committed: every later leader has the same.
  if (term === undefined || term === prevTerm) return undefined;
  // The whole term is in doubt; skip it at once instead of one entry per round trip.
  return Math.max(firstOfTerm(log, prevIndex) - 1, Math.min(state.known, prevIndex - 1));
}

/** Keeps what is the same, cuts at the first difference. @returns false if that were committed. */
function storeEntries(state: State, request: AppendRequest): boolean {
  const { log } = state;
  let at = Math.max(0, log.offset - request.prevIndex);
  const known = lastIndex(log) - request.prevIndex;
  while (at < request.entries.length && at < known) {
    const entry = request.entries[at];
    if (!entry) break;
    if (termAt(log, entry.index) !== entry.term) {
      if (entry.index <= state.known) return false;
      cutLog(state, entry.index);
      break;
    }
    at += 1;
  }
  if (at >= request.entries.length) return true;
  const added: readonly Entry[] = at === 0 ? request.entries : request.entries.slice(at);
  appendTo(log, added);
  for (const entry of added) state.out.entries.push(entry);
  adoptConfigurations(state, added);
  return true;
}
