import { replaceBySnapshot } from './commit.ts';
import { acceptLeader } from './follower.ts';
import { compactionPoint, compactLog, lastIndex, termAt } from './log.ts';
import { isCountable } from './quorum.ts';
import type { State } from './state.ts';
import { answer } from './state.ts';
import type { InstallRequest, SnapshotMeta } from './types.ts';

/** Section 7. Our own snapshot is durable: what lies behind may go, but for what slow peers need. */
export function onSnapshotTaken(state: State, snapshot: SnapshotMeta): void {
  if (snapshot.index > state.applied) {
    throw new RangeError(`a snapshot at ${snapshot.index}, but ${state.applied} is applied`);
  }
  if (snapshot.index <= (state.log.snapshot?.index ?? 0)) return;
  const { options, log } = state;
  log.snapshot = snapshot;
  const trailing = { maxEntries: options.trailingEntries, maxBytes: options.trailingBytes };
  const index = compactionPoint(log, snapshot, trailing);
  if (index <= log.offset) return;
  compactLog(log, index);
  state.out.compactTo = index;
}

/** A leader offers a snapshot because what we need is gone from its log. */
export function onInstallRequest(state: State, token: number, request: InstallRequest): void {
  const { snapshot } = request;
  const isSound =
    isCountable(request.term) && isCountable(snapshot.index) && isCountable(snapshot.term);
  if (!isSound || !acceptLeader(state, request) || state.isInstalling) {
    answerInstall(state, token, false);
  } else if (isAlreadyHere(state, snapshot)) {
    answerInstall(state, token, true);
  } else {
    state.receiving.set(token, snapshot);
    state.out.receive = { token, snapshot, size: request.size };
  }
}

export function onSnapshotReceived(state: State, token: number): void {
  const snapshot = takeReceiving(state, token);
  if (isAlreadyHere(state, snapshot)) {
    answerInstall(state, token, true);
  } else if (state.isInstalling) {
    answerInstall(state, token, false);
  } else {
    replaceBySnapshot(state, snapshot);
    const response = { kind: 'install', term: state.term, isSuccess: true } as const;
    answer(state, { token, response }, snapshot.index);
  }
}

export function onSnapshotAborted(state: State, token: number): void {
  takeReceiving(state, token);
  answerInstall(state, token, false);
}

function takeReceiving(state: State, token: number): SnapshotMeta {
  const snapshot = state.receiving.get(token);
  if (!snapshot) throw new RangeError(`no snapshot is being received for ${token}`);
  state.receiving.delete(token);
  return snapshot;
}

/**
 * An entry with the snapshot's index and term in our log: so all before it is the same too (log
 * matching), and known to be committed. The log then needs no replacing, and its rest stays.
 */
function isAlreadyHere(state: State, { index, term }: SnapshotMeta): boolean {
  if (index <= state.known) return true;
  if (termAt(state.log, index) !== term) return false;
  state.known = index;
  return true;
}

/** What is known may not be durable yet; the answer then waits for the save that makes it so. */
function answerInstall(state: State, token: number, isSuccess: boolean): void {
  const index = isSuccess ? Math.min(state.known, lastIndex(state.log)) : 0;
  answer(state, { token, response: { kind: 'install', term: state.term, isSuccess } }, index);
}
