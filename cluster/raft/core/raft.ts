import { bootState } from './boot.ts';
import { advanceCommit, finishInstall } from './commit.ts';
import { confirmSaves, finishSave, placePromises } from './durable.ts';
import {
  countOwnVote,
  onElectionTimeout,
  onPreVoteAnswer,
  onPreVoteFailed,
  onPreVoteRequest,
  onTimeoutNow,
  onVoteAnswer,
  onVoteRequest,
} from './election.ts';
import { onAppendRequest } from './follower.ts';
import { propose } from './leader.ts';
import { entriesBetween } from './log.ts';
import { changeMembers } from './membership.ts';
import { leaderDeadline, passPause, pump } from './pump.ts';
import { isCountable } from './quorum.ts';
import { askRead } from './reads.ts';
import { onAppendAnswer, onInstallAnswer, onSendFailed } from './replication.ts';
import { follow } from './roles.ts';
import {
  onInstallRequest,
  onSnapshotAborted,
  onSnapshotReceived,
  onSnapshotTaken,
} from './snapshots.ts';
import type { State } from './state.ts';
import { emptyOut, refuse } from './state.ts';
import { statusOf } from './status.ts';
import { beginTransfer, noteSuccessor, onTimeoutNowFailed } from './transfer.ts';
import type { Boot, Effects, Entry, Input, Raft, RaftOptions, Request } from './types.ts';

type Answered = Extract<Input, { type: 'answer' }>;
type Failed = Extract<Input, { type: 'failed' }>;

/**
 * Raft after Ongaro and Ousterhout, with hashicorp/raft's semantics. A shell over plain functions
 * and one record of state.
 *
 * @throws RangeError when the options or what was found on the disk cannot be right
 */
export function createRaft(options: RaftOptions, boot: Boot, now: number): Raft {
  const state = bootState(options, boot, now);
  return {
    step(input, at) {
      state.out = emptyOut();
      const pausedMs = at - state.now;
      state.now = Math.max(state.now, at);
      if (state.leading) passPause(state, state.leading, pausedMs);
      handle(state, input);
      const apply = state.leading ? pump(state, state.leading) : advanceCommit(state);
      return effectsOf(state, apply);
    },
    deadline: () => (state.leading ? leaderDeadline(state, state.leading) : state.electionAt),
    status: (at) => statusOf(state, at),
    entries: (from, to) => entriesBetween(state.log, from, to),
  };
}

function handle(state: State, input: Input): void {
  switch (input.type) {
    case 'tick':
      if (!state.leading && state.now >= state.electionAt) onElectionTimeout(state);
      return;
    case 'request':
      return onRequest(state, input.token, input.request);
    case 'answer':
      return onAnswer(state, input);
    case 'failed':
      return onFailed(state, input);
    case 'saved':
      return onSaved(state, input.save);
    case 'snapshotTaken':
      return onSnapshotTaken(state, input.snapshot);
    case 'snapshotReceived':
      return onSnapshotReceived(state, input.token);
    case 'snapshotAborted':
      return onSnapshotAborted(state, input.token);
    case 'propose':
      return propose(state, input.proposals);
    case 'change':
      return changeMembers(state, input.change);
    case 'read':
      return askRead(state, input);
    case 'transfer':
      return beginTransfer(state, input.to);
    case 'stepDown':
      return stepDown(state);
  }
}

function onRequest(state: State, token: number, request: Request): void {
  switch (request.kind) {
    case 'append':
      return onAppendRequest(state, token, request);
    case 'vote':
      return onVoteRequest(state, token, request);
    case 'preVote':
      return onPreVoteRequest(state, token, request);
    case 'install':
      return onInstallRequest(state, token, request);
    case 'timeoutNow':
      return onTimeoutNow(state, token, request);
  }
}

function onAnswer(state: State, { from, request, response }: Answered): void {
  if (response.kind === 'timeoutNow' || !isCountable(response.term)) return;
  if (request.kind === 'preVote') {
    if (response.kind === 'preVote') onPreVoteAnswer(state, from, { request, response });
    return;
  }
  if (response.term > state.term) {
    noteSuccessor(state, from);
    follow(state, { term: response.term, because: 'a newer term' });
    return;
  }
  if (request.kind === 'vote') {
    if (response.kind === 'vote') onVoteAnswer(state, from, { request, response });
    return;
  }
  // Answers to an earlier leadership, or from before the peer saw this one, say nothing.
  const peer = state.leading?.peers.get(from);
  if (!peer || request.kind === 'timeoutNow') return;
  if (request.term !== state.term || response.term !== state.term) return;
  if (request.kind === 'append' && response.kind === 'append') {
    onAppendAnswer(state, peer, { request, response });
  } else if (request.kind === 'install' && response.kind === 'install') {
    onInstallAnswer(state, peer, { request, response });
  }
}

function onFailed(state: State, { to, request, reason }: Failed): void {
  if (request.kind === 'preVote') return onPreVoteFailed(state, to, { request, reason });
  if (request.kind === 'timeoutNow') return onTimeoutNowFailed(state, to);
  const peer = state.leading?.peers.get(to);
  if (peer) onSendFailed(state, peer, request);
}

function onSaved(state: State, save: number): void {
  const installed = confirmSaves(state, save);
  if (installed) finishInstall(state, installed);
  countOwnVote(state);
}

function stepDown(state: State): void {
  if (!state.leading) return refuse(state, 'not-leader');
  follow(state, { term: state.term, because: 'asked to step down' });
  state.out.outcome = { isAccepted: true, index: state.commit, term: state.term };
}

/** Optional fields are there only when they say something. */
function effectsOf(state: State, apply: readonly Entry[]): Effects {
  const { out } = state;
  const save = finishSave(state);
  placePromises(state);
  return {
    ...(save ? { save } : undefined),
    send: out.send,
    replies: out.replies,
    ...(out.receive ? { receive: out.receive } : undefined),
    ...(out.restore ? { restore: out.restore } : undefined),
    apply,
    reads: out.reads,
    ...(out.outcome ? { outcome: out.outcome } : undefined),
    roles: out.roles,
    configurations: out.configurations,
    ...(out.transfer ? { transfer: out.transfer } : undefined),
  };
}
