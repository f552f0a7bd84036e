import type { AutopilotConfig, MemberKind } from '#cluster/state/types.ts';
import type {
  ClusterNote,
  EventNotice,
  MemberProblem,
  RefusalNotice,
  StepNotice,
} from './sayings.ts';

/** What an operator sees of a cluster and may do to it, from whichever node is asked. */

/** One member, as the leader knows it. */
export interface MemberStatus {
  readonly id: string;
  readonly name: string;
  readonly kind: MemberKind;
  readonly state: 'alive' | 'silent' | 'joining' | 'unknown';
  readonly role: 'leader' | 'follower' | 'learner' | 'none';
  readonly isVoter: boolean;
  readonly isDraining: boolean;
  readonly isHealthy: boolean;
  /** What is wrong with it; absent if nothing is. */
  readonly problem?: MemberProblem;
  /** What it does; absent: it has not said so lately. */
  readonly work?: { readonly jobs: number; readonly streams: number };
  /** How far its clock is ahead of the leader's, in milliseconds; absent: not known. */
  readonly clockAheadMs?: number;
  /** `host:port`, the likeliest first. */
  readonly addresses: {
    readonly raft: readonly string[];
    readonly rpc: readonly string[];
    readonly api: readonly string[];
  };
  /** Milliseconds since the leader last heard it; absent: not yet. */
  readonly lastContactMs?: number;
  /** The last entry of the log that it is known to have, and how far behind the leader that is. */
  readonly lastIndex?: number;
  readonly lag?: number;
  readonly version: string;
  /** Milliseconds since 1970. */
  readonly joinedAt: number;
  /** Well without a break since then, milliseconds since 1970; absent: not now. */
  readonly stableSince?: number;
}

export interface ClusterStatus {
  /** Absent until this node has founded or joined one. */
  readonly clusterId?: string;
  readonly epoch: number;
  /** The node that answers. */
  readonly nodeId: string;
  /** False: alone, and no listener is open for others; see `init`. */
  readonly isOpen: boolean;
  readonly term: number;
  readonly leader?: string;
  readonly commit: number;
  readonly applied: number;
  /** The clock's index; see `X-Revenge-Index`. */
  readonly index: number;
  /** SHA-256 of the state machine: equal on all nodes at one index. */
  readonly hash: string;
  /** How old what this node knows may be, in milliseconds. */
  readonly ageMs: number;
  readonly featureLevel: number;
  readonly isHealthy: boolean;
  /** So many voters may fail, one after the other, and the cluster goes on. */
  readonly failureTolerance: number;
  readonly members: readonly MemberStatus[];
  /** For the operator, the most important first. */
  readonly notes: readonly ClusterNote[];
}

export interface TokenStatus {
  readonly id: string;
  readonly kind: MemberKind;
  readonly createdAt: number;
  readonly createdBy: string;
  readonly expiresAt?: number;
  readonly usesLeft?: number;
}

export interface NewToken extends TokenStatus {
  /** The one line that admits a node; shown this once. */
  readonly token: string;
  /** Where to join, `host:port`. */
  readonly addresses: readonly string[];
}

/** What a change of members comes to, told before it is made. */
export interface ChangePlan {
  /** What will be done, in order. */
  readonly steps: readonly StepNotice[];
  readonly voters: { readonly before: readonly string[]; readonly after: readonly string[] };
  readonly failureTolerance: { readonly before: number; readonly after: number };
  /** Why it is refused without `force`; absent: it is not. */
  readonly refusal?: RefusalNotice;
}

export interface ClusterEvent {
  /** Milliseconds since 1970. */
  readonly at: number;
  /** What it is about. */
  readonly kind: 'leader' | 'office' | 'members';
  readonly notice: EventNotice;
}

export type ChangeKind = 'promote' | 'demote' | 'remove';

/**
 * Everything fails with a ProblemError: `not-found` for an unknown member or token, `conflict` for
 * what the cluster's state forbids (its message says what to do), `no-leader` without one.
 */
export interface ClusterControl {
  status(): Promise<ClusterStatus>;
  /** Opens a node alone to others: certificates, listeners. Does nothing where that is done. */
  init(): Promise<ClusterStatus>;
  tokens(): Promise<readonly TokenStatus[]>;
  createToken(wanted: {
    readonly kind: MemberKind;
    /** Absent: until it is revoked. */
    readonly ttlMs?: number | undefined;
    /** Absent: any number of joins. */
    readonly uses?: number | undefined;
    readonly by: string;
  }): Promise<NewToken>;
  revokeToken(id: string): Promise<void>;
  plan(kind: ChangeKind, id: string): Promise<ChangePlan>;
  change(kind: ChangeKind, id: string, options: { readonly force: boolean }): Promise<ChangePlan>;
  /** Hands leadership to that member, or to the one that is furthest; resolves to who leads then. */
  transfer(to: string | undefined): Promise<{ readonly leader: string }>;
  setDraining(id: string, isDraining: boolean): Promise<void>;
  autopilot(): Promise<AutopilotConfig>;
  setAutopilot(config: AutopilotConfig): Promise<AutopilotConfig>;
  /** Writes the state machine down now. */
  snapshot(): Promise<{ readonly index: number; readonly term: number }>;
  /** The latest transitions of this node, oldest first. */
  events(): readonly ClusterEvent[];
}
