import { isSamePeer } from './configuration.ts';
import type { State } from './state.ts';
import { announceRole, restartElectionTimer } from './state.ts';
import type { PeerRef, RefusalReason } from './types.ts';

export interface Following {
  readonly term: number;
  readonly leader?: PeerRef;
  readonly because: string;
}

/**
 * Becomes, or stays, a follower. Within a term the vote is kept whatever happens: a node that
 * forgets it when it steps down could elect two leaders.
 */
export function follow(state: State, to: Following): void {
  const { role, term, leader } = state;
  if (to.term > term) {
    state.term = to.term;
    state.vote = undefined;
    state.out.isHardStateNew = true;
  }
  if (to.leader) state.leader = to.leader;
  else if (to.term > term || role === 'leader') state.leader = undefined;
  if (state.leading) stopLeading(state, to.leader);
  state.campaign = undefined;
  state.role = 'follower';
  if (role !== 'follower') restartElectionTimer(state);
  const isSameLeader =
    leader === state.leader || (leader && state.leader && isSamePeer(leader, state.leader));
  if (role !== 'follower' || to.term > term || !isSameLeader) announceRole(state, to.because);
}

function stopLeading(state: State, successor: PeerRef | undefined): void {
  const { leading } = state;
  if (!leading) return;
  for (const read of leading.reads) {
    state.out.reads.push({ id: read.id, refused: 'leadership-lost' });
  }
  if (leading.transfer) {
    const isDone = successor?.id === leading.transfer.to;
    endTransfer(state, isDone ? 'done' : 'leadership-lost');
  }
  state.leading = undefined;
}

export function endTransfer(state: State, how: 'done' | RefusalReason): void {
  if (!state.leading?.transfer) return;
  state.leading.transfer = undefined;
  state.out.transfer = how;
}
