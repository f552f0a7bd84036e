import type { Applied, StateMachine } from '#cluster/raft/driver/ports.ts';
import { CommandError, decodeCommand } from './command.ts';
import { emptyDraft, type Draft } from './draft.ts';
import { takeNew } from './events.ts';
import { features, levelOf } from './features.ts';
import { perEpoch } from './limits.ts';
import { applyCommand } from './rules.ts';
import { hashOf, readSnapshot, writeSnapshot } from './snapshot.ts';
import type { Command, RefusedWhy, Result, View } from './types.ts';

export interface Unreadable {
  /** Raft index of the entry. */
  readonly raftIndex: number;
  readonly why: string;
}

export interface StateOptions {
  /** The highest feature level that this node takes part in; absent: that it knows. */
  readonly maxLevel?: number | undefined;
  /**
   * A committed command cannot be read, most likely because this node is older than the cluster. It
   * was not skipped: from there on nothing is applied, every result is `unreadable`, and no
   * snapshot is made. The node must stop and be updated. Called once, from within `apply`.
   */
  readonly onUnreadable?: (unreadable: Unreadable) => void;
}

type Unsubscribe = () => void;

export interface StateMachineOfResults extends StateMachine {
  apply(entries: readonly Applied[]): readonly Result[];
}

export interface ClusterState {
  /** For the driver. */
  readonly machine: StateMachineOfResults;
  /** Stays as it is; the next call gives a new one if an entry was applied in between. */
  view(): View;
  /** SHA-256 in hex: two nodes that applied the same entries have the same. */
  hash(): string;
  /** Where it stopped for good, if it did. */
  unreadable(): Unreadable | undefined;
  /** After a batch that changed more than index and time, and after a snapshot was installed. */
  readonly onChange: (listener: (view: View) => void) => Unsubscribe;
  /** For each command that makes tags stale, in order, before its index counts as applied. */
  readonly onInvalidate: (
    listener: (index: number, tags: readonly string[]) => void,
  ) => Unsubscribe;
  /** For each `events`, in order, after its tags and before its index counts as applied. */
  readonly onEvents: (listener: (index: number, events: readonly string[]) => void) => Unsubscribe;
  /** After each batch, with the clock's index of its last entry. */
  readonly onApplied: (listener: (index: number) => void) => Unsubscribe;
  /** A snapshot was installed: invalidations up to this index may not have been told. */
  readonly onRestored: (listener: (index: number) => void) => Unsubscribe;
}

/**
 * The Raft state machine: a function of the log alone, without clock or chance, so that every node
 * that has applied the same entries has the same state. Listeners are called from within `apply`;
 * what they throw ends the driver, as every failure of a state machine does.
 */
export function createState(options: StateOptions = {}): ClusterState {
  const { onUnreadable, maxLevel = features.max } = options;
  const changed = createListeners<[View]>();
  const invalidated = createListeners<[number, readonly string[]]>();
  const happened = createListeners<[number, readonly string[]]>();
  const applied = createListeners<[number]>();
  const restored = createListeners<[number]>();
  let draft = emptyDraft();
  let current: View | undefined;
  let stopped: Unreadable | undefined;

  const view = (): View => (current ??= viewOf(draft));

  function stop(raftIndex: number, error: unknown): Result {
    if (!(error instanceof CommandError)) throw error;
    stopped = { raftIndex, why: error.message };
    onUnreadable?.(stopped);
    return unreadableAt(draft, raftIndex);
  }
  function applyOne(entry: Applied): Result {
    if (stopped) return unreadableAt(draft, entry.index);
    checkOrder(draft, entry);
    current = undefined;
    if (entry.type !== 'command') {
      draft.raftIndex = entry.index;
      return { isDone: true, index: clockIndex(draft, entry.index) };
    }
    // Its maps are replaced, never changed in place.
    const before = { ...draft };
    let command: Command;
    let why: RefusedWhy | undefined;
    try {
      ({ command, why } = carryOut(draft, entry, maxLevel));
    } catch (error) {
      draft = before;
      return stop(entry.index, error);
    }
    const index = clockIndex(draft, entry.index);
    if (why !== undefined) return { isDone: false, index, why };
    // Before anybody is told: who is, may look at the state.
    const events = command.type === 'events' ? takeNew(draft, command.batches) : [];
    if ('tags' in command) invalidated.tell(index, command.tags);
    if (events.length > 0) happened.tell(index, events);
    return { isDone: true, index };
  }

  const machine: StateMachineOfResults = {
    apply(entries) {
      const { raftIndex, changes } = draft;
      const results = entries.map(applyOne);
      if (draft.changes !== changes) changed.tell(view());
      if (draft.raftIndex !== raftIndex) applied.tell(clockIndex(draft, draft.raftIndex));
      return results;
    },
    snapshot: () => writeSnapshot(view(), stopped?.raftIndex),
    async restore(bytes) {
      draft = await readSnapshot(bytes, maxLevel);
      current = undefined;
      stopped = undefined;
      changed.tell(view());
      restored.tell(clockIndex(draft, draft.raftIndex));
    },
  };
  return {
    machine,
    view,
    hash: () => hashOf(view()),
    unreadable: () => stopped,
    onChange: changed.add,
    onInvalidate: invalidated.add,
    onEvents: happened.add,
    onApplied: applied.add,
    onRestored: restored.add,
  };
}

/** @throws CommandError for what this node cannot read; the draft is then half changed */
function carryOut(draft: Draft, { index, data }: Applied, maxLevel: number) {
  const command = decodeCommand(data);
  checkLevel(levelOf(command), maxLevel);
  draft.raftIndex = index;
  const why = applyCommand(draft, command);
  checkLevel(draft.featureLevel, maxLevel);
  return { command, why };
}

/** What came later than this node may mean more than it understands of it. @throws CommandError */
function checkLevel(level: number, maxLevel: number): void {
  if (level <= maxLevel) return;
  throw new CommandError(`feature level ${level} is needed, and this node knows up to ${maxLevel}`);
}

function clockIndex({ epoch }: Draft, raftIndex: number): number {
  const index = epoch * perEpoch + raftIndex;
  if (!Number.isSafeInteger(index)) throw new RangeError(`no index for Raft index ${raftIndex}`);
  return index;
}

const unreadableAt = (draft: Draft, raftIndex: number): Result => ({
  isDone: false,
  index: clockIndex(draft, raftIndex),
  why: 'unreadable',
});

/** An entry that was left out or came twice would make this node another one than the rest. */
function checkOrder({ raftIndex }: Draft, { index }: Applied): void {
  if (index !== raftIndex + 1) {
    throw new RangeError(`entry ${index} was to be applied after entry ${raftIndex}`);
  }
}

function viewOf(draft: Draft): View {
  const { clusterId, epoch, time, members, retired, tokens } = draft;
  return {
    clusterId,
    epoch,
    index: clockIndex(draft, draft.raftIndex),
    time,
    members,
    retired,
    tokens,
    featureLevel: draft.featureLevel,
    autopilot: draft.autopilot,
    told: draft.told,
  };
}

function createListeners<Args extends unknown[]>() {
  const listeners = new Set<(...args: Args) => void>();
  return {
    tell(...args: Args): void {
      for (const listener of listeners) listener(...args);
    },
    add: (listener: (...args: Args) => void): Unsubscribe => {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
}
