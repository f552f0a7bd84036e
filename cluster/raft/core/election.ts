import { mayCampaign } from './commit.ts';
import { isSamePeer, isVoter, resolveServer, voterCount } from './configuration.ts';
import { isHardStateDurable } from './durable.ts';
import { becomeLeader } from './leader.ts';
import { lastIndex, lastTerm } from './log.ts';
import { isCountable, quorumSize } from './quorum.ts';
import { between } from './random.ts';
import { endTransfer, follow } from './roles.ts';
import type { State } from './state.ts';
import { announceRole, answer, latestConfiguration, restartElectionTimer } from './state.ts';
import type {
  FailureReason,
  PreVoteRequest,
  PreVoteResponse,
  ServerId,
  TimeoutNowRequest,
  VoteRequest,
  VoteResponse,
} from './types.ts';

/** The time to wait for a leader, or for votes, is over. */
export function onElectionTimeout(state: State): void {
  const { role, leader } = state;
  state.leader = undefined;
  const isHeldBack = role === 'follower' && holdBack(state);
  if (!isHeldBack && mayCampaign(state)) {
    askWhetherToCampaign(state, leader ? 'the leader went silent' : 'no leader in time');
    return;
  }
  state.campaign = undefined;
  state.role = 'follower';
  if (!isHeldBack) restartElectionTimer(state);
  if (role !== 'follower' || leader) announceRole(state, 'the leader went silent');
}

/** Gives the others time to elect one of them; false: that time is over, or nobody asked for it. */
function holdBack(state: State): boolean {
  const { reluctanceMs, heartbeatTimeoutMs } = state.options;
  if (reluctanceMs === undefined || state.isHoldingBack) return false;
  state.isHoldingBack = true;
  const latest = reluctanceMs + heartbeatTimeoutMs;
  state.electionAt = state.now + between(state.random, reluctanceMs, latest);
  return true;
}

/** Pre-vote (dissertation 9.6): a term is begun only by who could win it. */
function askWhetherToCampaign(state: State, because: string): void {
  state.role = 'preCandidate';
  state.campaign = { isPre: true, granted: new Set([state.options.id]) };
  restartCampaignTimer(state);
  announceRole(state, because);
  const request: PreVoteRequest = {
    kind: 'preVote',
    from: state.self,
    term: state.term + 1,
    lastIndex: lastIndex(state.log),
    lastTerm: lastTerm(state.log),
  };
  for (const { id, address } of otherVoters(state)) {
    state.out.send.push({ to: id, address, request: { ...request } });
  }
  countVotes(state);
}

/** Begins a term. The requests leave, and the own vote counts, once term and vote are durable. */
function campaign(state: State, isTransfer: boolean): void {
  if (!isCountable(state.term + 1)) return;
  state.term += 1;
  state.vote = { id: state.options.id, address: state.options.address };
  state.out.isHardStateNew = true;
  state.role = 'candidate';
  state.leader = undefined;
  state.campaign = { isPre: false, granted: new Set() };
  restartCampaignTimer(state);
  announceRole(state, isTransfer ? 'told to lead' : 'asks for votes');
  const request: VoteRequest = {
    kind: 'vote',
    from: state.self,
    term: state.term,
    lastIndex: lastIndex(state.log),
    lastTerm: lastTerm(state.log),
    isTransfer,
  };
  for (const { id, address } of otherVoters(state)) {
    state.out.promised.push({ send: { to: id, address, request: { ...request } }, index: 0 });
  }
}

function restartCampaignTimer(state: State): void {
  const base = state.options.electionTimeoutMs;
  state.electionAt = state.now + between(state.random, base, 2 * base);
}

function otherVoters(state: State) {
  return latestConfiguration(state).configuration.servers.filter(
    (server) => server.suffrage === 'voter' && server.id !== state.options.id,
  );
}

/** Called after `saved`: the own vote counts from then on. */
export function countOwnVote(state: State): void {
  const { campaign: running } = state;
  if (!running || running.isPre || running.granted.has(state.options.id)) return;
  if (!isHardStateDurable(state)) return;
  running.granted.add(state.options.id);
  countVotes(state);
}

function countVotes(state: State): void {
  const { configuration } = latestConfiguration(state);
  const running = state.campaign;
  if (!running) return;
  let granted = 0;
  for (const id of running.granted) if (isVoter(configuration, id)) granted += 1;
  if (granted < quorumSize(voterCount(configuration))) return;
  if (running.isPre) campaign(state, false);
  // Others may answer before the own save is confirmed; then the own vote is not needed, but a
  // leader whose own term is not durable could not keep it through a crash.
  else if (isHardStateDurable(state)) becomeLeader(state);
}

export function onVoteAnswer(
  state: State,
  from: ServerId,
  { request, response }: { request: VoteRequest; response: VoteResponse },
): void {
  const isOurs = state.role === 'candidate' && request.term === state.term;
  if (!isOurs || response.term !== state.term || !response.isGranted) return;
  state.campaign?.granted.add(from);
  countVotes(state);
}

export function onPreVoteAnswer(
  state: State,
  from: ServerId,
  { request, response }: { request: PreVoteRequest; response: PreVoteResponse },
): void {
  state.preVoters.add(from);
  // A refusal carries at least the term asked for, so only one above it tells of another.
  if (!response.isGranted && response.term > Math.max(request.term, state.term)) {
    follow(state, { term: response.term, because: 'a newer term' });
    return;
  }
  if (isPreVoteRunning(state, request) && response.isGranted) grantPreVote(state, from);
}

/**
 * Peers before 1.7 end the connection when asked for a pre-vote; one that does so, and has never
 * answered one, has no objection to tell. A peer that cannot be reached has not spoken at all.
 */
export function onPreVoteFailed(
  state: State,
  to: ServerId,
  { request, reason }: { request: PreVoteRequest; reason: FailureReason },
): void {
  if (reason !== 'closed' || state.preVoters.has(to)) return;
  if (isPreVoteRunning(state, request)) grantPreVote(state, to);
}

function isPreVoteRunning(state: State, request: PreVoteRequest): boolean {
  return state.campaign?.isPre === true && request.term === state.term + 1;
}

function grantPreVote(state: State, from: ServerId): void {
  state.campaign?.granted.add(from);
  countVotes(state);
}

/** hashicorp obeys this without a check; we only do not let a node lead that may not. */
export function onTimeoutNow(state: State, token: number, request: TimeoutNowRequest): void {
  if (mayCampaign(state) && state.role !== 'leader') campaign(state, true);
  answer(state, { token, response: { kind: request.kind } });
}

// The other side: requests for votes --------------------------------------------------------------

export function onPreVoteRequest(state: State, token: number, request: PreVoteRequest): void {
  const isGranted =
    mayBeHeard(state, request) &&
    request.term >= state.term &&
    mayVoteFor(state, request) &&
    isUpToDate(state, request);
  const term = isCountable(request.term) ? Math.max(request.term, state.term) : state.term;
  answer(state, { token, response: { kind: 'preVote', term, isGranted } });
}

/** hashicorp's order: strangers and rivals of a living leader are refused before the term counts. */
export function onVoteRequest(state: State, token: number, request: VoteRequest): void {
  let isGranted = false;
  if (mayBeHeard(state, request) && request.term >= state.term) {
    if (request.term > state.term) {
      if (request.isTransfer && state.leading?.transfer?.to === idOf(state, request)) {
        endTransfer(state, 'done');
      }
      follow(state, { term: request.term, because: 'a newer term' });
    }
    isGranted =
      mayVoteFor(state, request) && isVoteFree(state, request) && isUpToDate(state, request);
    if (isGranted) grant(state, request);
  }
  answer(state, { token, response: { kind: 'vote', term: state.term, isGranted } });
}

function grant(state: State, request: VoteRequest): void {
  if (!state.vote) {
    state.vote = { id: idOf(state, request) ?? '', address: request.from.address };
    state.out.isHardStateNew = true;
  }
  if (state.role === 'preCandidate') {
    follow(state, { term: state.term, because: 'voted for another' });
  }
  restartElectionTimer(state);
}

/** The candidate is one of us, and no living leader speaks against it. */
function mayBeHeard(state: State, request: VoteRequest | PreVoteRequest): boolean {
  const { from, term } = request;
  if (!isCountable(term) || !isCountable(request.lastIndex) || !isCountable(request.lastTerm)) {
    return false;
  }
  const { configuration } = latestConfiguration(state);
  const isStranger = configuration.servers.length > 0 && !resolveServer(configuration, from);
  if (isStranger && !isAhead(state, request)) return false;
  if (request.kind === 'vote' && request.isTransfer) return true;
  if (state.leader) return isSamePeer(state.leader, from);
  return state.now >= state.quietUntil;
}

function mayVoteFor(state: State, request: VoteRequest | PreVoteRequest): boolean {
  const { configuration } = latestConfiguration(state);
  return (
    configuration.servers.length === 0 ||
    resolveServer(configuration, request.from)?.suffrage === 'voter' ||
    isAhead(state, request)
  );
}

/**
 * Where its log has more than ours, what made it a voter may be in that part. Refused for that, as
 * hashicorp does, it and a majority of the new configuration could wait for each other for ever.
 */
function isAhead(state: State, request: VoteRequest | PreVoteRequest): boolean {
  const isSame =
    request.lastTerm === lastTerm(state.log) && request.lastIndex === lastIndex(state.log);
  return !isSame && isUpToDate(state, request);
}

/** The vote is keyed by address, as in hashicorp's stable store; ids must not contradict it. */
function isVoteFree(state: State, request: VoteRequest): boolean {
  const { vote } = state;
  if (!vote) return true;
  const id = idOf(state, request);
  const isOtherId = vote.id !== '' && id !== undefined && vote.id !== id;
  return vote.address === request.from.address && !isOtherId;
}

function idOf(state: State, { from }: VoteRequest): ServerId | undefined {
  return from.id ?? resolveServer(latestConfiguration(state).configuration, from)?.id;
}

/** Section 5.4.1: the later last term, then the longer log. */
function isUpToDate(state: State, request: VoteRequest | PreVoteRequest): boolean {
  const term = lastTerm(state.log);
  if (request.lastTerm !== term) return request.lastTerm > term;
  return request.lastIndex >= lastIndex(state.log);
}
