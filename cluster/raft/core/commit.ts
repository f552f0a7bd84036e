import { isVoter } from './configuration.ts';
import { entriesBetween, entryBytes, lastIndex, replaceLog, termAt, truncateLog } from './log.ts';
import { forgetDurable, forgetPending } from './durable.ts';
import { majorityValue } from './quorum.ts';
import type { Leading, State } from './state.ts';
import { latestConfiguration } from './state.ts';
import type { Entry, SnapshotMeta } from './types.ts';

const nothing: readonly Entry[] = [];
const scratch: number[] = [];

/** The value that a majority of the voters has reached; `own` is this node's. */
export function majorityOf(
  state: State,
  leading: Leading,
  values: { readonly own: number; of(peer: PeerOf): number },
): number {
  scratch.length = 0;
  for (const server of latestConfiguration(state).configuration.servers) {
    if (server.suffrage !== 'voter') continue;
    const peer = leading.peers.get(server.id);
    scratch.push(server.id === state.options.id ? values.own : peer ? values.of(peer) : 0);
  }
  return majorityValue(scratch);
}
type PeerOf = Leading['peers'] extends Map<string, infer P> ? P : never;

const matchOf = (peer: PeerOf): number => peer.match;

/**
 * A leader commits what a majority holds, but only entries of its own term by counting (section
 * 5.4.2, figure 8); those before come along. It counts itself with what is on its disk.
 */
export function countCommit(state: State, leading: Leading): void {
  const index = majorityOf(state, leading, { own: state.durable, of: matchOf });
  if (index > state.known && termAt(state.log, index) === state.term) state.known = index;
}

/** Moves the commit index, never beyond this node's own disk. @returns what is new to apply. */
export function advanceCommit(state: State): readonly Entry[] {
  if (state.isInstalling) return nothing;
  state.commit = Math.max(state.commit, Math.min(state.known, state.durable));
  if (state.commit === state.applied) return nothing;
  const entries = entriesBetween(state.log, state.applied + 1, state.commit);
  state.applied = state.commit;
  if (state.leading) {
    for (const entry of entries) state.leading.uncommittedBytes -= entryBytes(entry);
  }
  commitConfigurations(state);
  return entries;
}

function commitConfigurations(state: State): void {
  for (;;) {
    const next = state.configurations[1];
    if (!next || next.index > state.commit) return;
    state.configurations.shift();
    state.out.configurations.push({ ...next, isCommitted: true });
  }
}

/** A configuration is in force as soon as it is in the log (dissertation 4.1, hashicorp). */
export function adoptConfigurations(state: State, entries: readonly Entry[]): boolean {
  let isNew = false;
  for (const { type, configuration, index } of entries) {
    if (type !== 'configuration' || !configuration) continue;
    state.configurations.push({ configuration, index });
    state.out.configurations.push({ configuration, index, isCommitted: false });
    isNew = true;
  }
  return isNew;
}

/** Cuts the log from `index` on, with every configuration in that part. */
export function cutLog(state: State, index: number): void {
  if (index <= state.known) throw new Error(`entry ${index} is committed and cannot go`);
  truncateLog(state.log, index);
  forgetDurable(state, index);
  state.out.truncateFrom = index;
  const before = latestConfiguration(state).index;
  while (state.configurations.length > 1 && latestConfiguration(state).index >= index) {
    state.configurations.pop();
  }
  const latest = latestConfiguration(state);
  if (latest.index !== before) {
    state.out.configurations.push({ ...latest, isCommitted: state.configurations.length === 1 });
  }
}

/** The log gives way to a snapshot from the leader; it is in force once that is saved. */
export function replaceBySnapshot(state: State, snapshot: SnapshotMeta): void {
  replaceLog(state.log, snapshot);
  forgetPending(state, 1);
  state.durable = Math.min(state.durable, snapshot.index);
  state.known = Math.max(state.known, snapshot.index);
  state.isInstalling = true;
  state.out.snapshot = snapshot;
  const { configuration, configurationIndex: index } = snapshot;
  state.configurations.splice(0, state.configurations.length, { configuration, index });
  state.out.configurations.push({ configuration, index, isCommitted: true });
}

export function finishInstall(state: State, snapshot: SnapshotMeta): void {
  state.isInstalling = state.saves.some((save) => save.snapshot !== undefined);
  if (state.isInstalling) return;
  state.commit = snapshot.index;
  state.applied = snapshot.index;
  state.out.restore = snapshot;
}

export function isSelfVoter(state: State): boolean {
  return isVoter(latestConfiguration(state).configuration, state.options.id);
}

/**
 * A voter, or one until an entry that is not committed yet: with the longest log it may be the
 * only one that can bring that entry to the others (dissertation 4.2.2). Its own vote does not
 * count then.
 */
export function mayCampaign(state: State): boolean {
  return state.configurations.some(({ configuration }) => isVoter(configuration, state.options.id));
}

export function uncommittedBytes(state: State): number {
  let bytes = 0;
  for (const entry of entriesBetween(state.log, state.applied + 1, lastIndex(state.log))) {
    bytes += entryBytes(entry);
  }
  return bytes;
}
