import type { PeerRef } from '../core/types.ts';
import type { Refusal } from './messages.ts';

/** Not done, and never will be: safe to try again, at the leader if one is named. */
export class RaftRefusedError extends Error {
  readonly reason: Refusal['reason'];
  readonly leader: PeerRef | undefined;
  constructor(refusal: Refusal) {
    super(`Raft refused: ${refusal.reason}${refusal.detail ? ` (${refusal.detail})` : ''}`);
    this.name = 'RaftRefusedError';
    this.reason = refusal.reason;
    this.leader = refusal.leader;
  }
}

/** It may have been done or may yet be; only a read of the state tells. */
export class OutcomeUnknownError extends Error {
  constructor(why: string) {
    super(`the outcome is unknown: ${why}`);
    this.name = 'OutcomeUnknownError';
  }
}
