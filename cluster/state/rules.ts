import { advance, type Draft } from './draft.ts';
import { levelOf } from './features.ts';
import { addToken, admit, announce, drain, forget, raiseFeatures, revokeToken } from './members.ts';
import type { Command, RefusedWhy } from './types.ts';

/**
 * One command, by nothing but the state and itself: no clock, no chance. Time goes on even by what
 * is refused.
 * @returns why it was refused; undefined when it is done
 */
export function applyCommand(draft: Draft, command: Command): RefusedWhy | undefined {
  if ('at' in command) advance(draft, command.at);
  if (command.type === 'found') return found(draft, command);
  // An index before the epoch is known would look older than stamps that an earlier cluster left.
  if (draft.clusterId === undefined) return 'not-founded';
  if (levelOf(command) > draft.featureLevel) return 'features-unsupported';
  if (command.type === 'invalidate' || command.type === 'events') return undefined;
  const outcome = change(draft, command);
  if (outcome === undefined) draft.changes += 1;
  return outcome;
}

/** Again only after a recovery, when indices of lost entries come a second time. */
function found(
  draft: Draft,
  { clusterId, epoch, isRecovery }: Extract<Command, { type: 'found' }>,
): RefusedWhy | undefined {
  if (draft.clusterId === undefined) {
    if (isRecovery) return 'not-founded';
  } else if (!isRecovery || epoch <= draft.epoch) {
    return 'already-founded';
  }
  draft.clusterId = clusterId;
  draft.epoch = epoch;
  draft.changes += 1;
  return undefined;
}

function change(
  draft: Draft,
  command: Exclude<Command, { type: 'found' | 'invalidate' | 'events' }>,
): RefusedWhy | undefined {
  switch (command.type) {
    case 'announce':
      return announce(draft, command);
    case 'admit':
      return admit(draft, command);
    case 'forget':
      return forget(draft, command);
    case 'drain':
      return drain(draft, command);
    case 'addToken':
      return addToken(draft, command);
    case 'revokeToken':
      return revokeToken(draft, command);
    case 'raiseFeatures':
      return raiseFeatures(draft, command);
    case 'setAutopilot':
      draft.autopilot = command.config;
      return undefined;
  }
}
