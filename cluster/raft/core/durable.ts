import { lastIndex } from './log.ts';
import type { PendingSave, Promised, State } from './state.ts';
import type { Save } from './types.ts';

/**
 * What is on the disk, and what waits for it. A save is one atomic write; `saved` confirms it and
 * all before it. Acknowledgements are kept per save: when entries are overwritten, every save still
 * running is lowered, so that a late `saved` cannot confirm what is no longer there.
 */
export function finishSave(state: State): Save | undefined {
  const { out } = state;
  const isSynced =
    out.isHardStateNew ||
    out.snapshot !== undefined ||
    out.truncateFrom !== undefined ||
    out.entries.length > 0;
  if (!isSynced && out.compactTo === undefined) return undefined;
  const number = state.nextSave;
  state.nextSave += 1;
  if (out.isHardStateNew) state.hardSave = number;
  const holds = out.entries.length > 0 || out.snapshot !== undefined;
  state.saves.push({
    number,
    lastIndex: holds ? lastIndex(state.log) : 0,
    isSynced,
    snapshot: out.snapshot,
    held: [],
  });
  return {
    number,
    ...(out.isHardStateNew ? { hardState: { term: state.term, vote: state.vote } } : undefined),
    ...(out.snapshot ? { snapshot: out.snapshot } : undefined),
    ...(out.truncateFrom === undefined ? undefined : { truncateFrom: out.truncateFrom }),
    entries: out.entries,
    ...(out.compactTo === undefined ? undefined : { compactTo: out.compactTo }),
    mustSync: isSynced,
  };
}

/** Sends the step's promises that the disk already keeps, and ties the others to their save. */
export function placePromises(state: State): void {
  for (const promised of state.out.promised) {
    const save = saveToAwait(state, promised.index);
    if (save) save.held.push(promised);
    else release(state, promised);
  }
}

function saveToAwait(state: State, index: number): PendingSave | undefined {
  let found: PendingSave | undefined;
  let isLogCovered = index === 0 || (index <= state.durable && !state.isInstalling);
  for (const save of state.saves) {
    if (save.number === state.hardSave) found = save;
    if (!isLogCovered && save.lastIndex >= index) {
      isLogCovered = true;
      found = save;
    }
  }
  if (!isLogCovered) throw new Error(`a promise of index ${index}, which nothing saves`);
  return found;
}

function release(state: State, promised: Promised): void {
  if (promised.reply) state.out.replies.push(promised.reply);
  if (!promised.send) return;
  // A vote asked for in a term that is over would only be refused.
  const { request } = promised.send;
  if (request.kind === 'vote' && request.term === state.term && state.role === 'candidate') {
    state.out.send.push(promised.send);
  }
}

/** @returns the snapshot whose installation is now durable, if one is. */
export function confirmSaves(state: State, number: number): PendingSave['snapshot'] {
  if (!Number.isSafeInteger(number) || number < 1 || number >= state.nextSave) {
    throw new RangeError(`no save has the number ${number}`);
  }
  let snapshot: PendingSave['snapshot'];
  for (;;) {
    const save = state.saves[0];
    if (!save || save.number > number) return snapshot;
    state.saves.shift();
    state.durable = Math.max(state.durable, save.lastIndex);
    snapshot = save.snapshot ?? snapshot;
    for (const promised of save.held) release(state, promised);
  }
}

export function isHardStateDurable(state: State): boolean {
  const first = state.saves[0];
  return !first || first.number > state.hardSave;
}

/** Entries from `index` on are about to go: nothing may count or promise them any more. */
export function forgetDurable(state: State, index: number): void {
  state.durable = Math.min(state.durable, index - 1);
  forgetPending(state, index);
}

/** The same for what is only on its way to the disk. */
export function forgetPending(state: State, index: number): void {
  for (const save of state.saves) {
    save.lastIndex = Math.min(save.lastIndex, index - 1);
    for (const promised of save.held) {
      if (promised.index >= index) takeBack(promised, index);
    }
  }
}

/** The answer to an older leader is still owed, but what it would say is no longer so. */
function takeBack(promised: Promised, index: number): void {
  const response = promised.reply?.response;
  if (promised.reply && response?.kind === 'append') {
    promised.reply = {
      token: promised.reply.token,
      response: { ...response, isSuccess: false, lastLog: index - 1, noRetryBackoff: true },
    };
  }
}
