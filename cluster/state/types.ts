/** The Raft state machine of a cluster: who, and in what order; no product data. */

/** `witness`: votes, and serves nothing. */
export type MemberKind = 'node' | 'witness';

/** Where a member may be reached, `host:port`, the likeliest first. */
export interface Addresses {
  readonly raft: readonly string[];
  readonly rpc: readonly string[];
  readonly gossip: readonly string[];
  readonly api: readonly string[];
}

/** What a member says of itself, at each of its starts and whenever it changes. */
export interface Announcement {
  readonly id: string;
  /** For people; need not be unique. */
  readonly name: string;
  /** For life: the one its token was for. */
  readonly kind: MemberKind;
  readonly addresses: Addresses;
  /** Raised at each start: an older one is a copy of a data folder. */
  readonly bootEpoch: number;
  /** Random per start: two processes with one epoch are told apart by it. */
  readonly session: string;
  readonly version: string;
  /** The feature levels it can work with. */
  readonly features: { readonly min: number; readonly max: number };
  /** Its libp2p peer id, if it gossips. */
  readonly gossipId?: string | undefined;
}

export interface Member extends Announcement {
  /** Milliseconds since 1970, by the leader's clock of then. */
  readonly joinedAt: number;
  readonly announcedAt: number;
  /** No new work; what it has it finishes. Outlives its restarts, until it is taken back. */
  readonly isDraining: boolean;
}

export interface JoinToken {
  readonly id: string;
  /** SHA-256 of the secret, hex: the secret itself is nowhere. */
  readonly secretHash: string;
  readonly kind: MemberKind;
  readonly createdAt: number;
  readonly createdBy: string;
  /** Undefined: until it is revoked. */
  readonly expiresAt: number | undefined;
  /** Joins it still admits; undefined: any number until it expires. */
  readonly usesLeft: number | undefined;
}

export interface AutopilotConfig {
  /** Promote learners that are caught up. */
  readonly promote: boolean;
  /** Give the vote of a dead server to one that is caught up, and remove who is dead for long. */
  readonly cleanup: boolean;
  /** No contact for so long: not healthy. */
  readonly lastContactMs: number;
  /** More entries behind the leader than this: not healthy. */
  readonly maxTrailingEntries: number;
  /** Healthy for so long before it is promoted. */
  readonly stabilizationMs: number;
  /** Dead for so long before it may be removed without a replacement; undefined: never. */
  readonly deadAfterMs: number | undefined;
  /** Voters wanted at most; odd. */
  readonly maxVoters: number;
}

/** Events that came about together, and are told once however often they come. */
export interface Batch {
  /** Random; whoever sends the batch again sends it under the same. */
  readonly id: string;
  /** Whatever it is to those who listen. */
  readonly events: readonly string[];
}

/** All times are the leader's, as `cluster/member/time.ts` tells it, in milliseconds. */
export type Command =
  | {
      readonly type: 'found';
      readonly clusterId: string;
      readonly epoch: number;
      /** After a recovery: the cluster is known, and goes on under a greater epoch. */
      readonly isRecovery?: boolean | undefined;
      readonly at: number;
    }
  | {
      readonly type: 'invalidate';
      readonly tags: readonly string[];
    }
  /**
   * Live events, for who listens: of the state they only change which batches have been told. The
   * tags are stale before the events are told. From feature level `levels.events` on.
   */
  | {
      readonly type: 'events';
      readonly tags: readonly string[];
      readonly batches: readonly Batch[];
    }
  /** The first after `found` is the founder's; everybody later comes by `admit`. */
  | { readonly type: 'announce'; readonly member: Announcement; readonly at: number }
  /** A newcomer, by token: uses the token up in the same step. */
  | {
      readonly type: 'admit';
      readonly member: Announcement;
      readonly tokenId: string;
      readonly secretHash: string;
      readonly at: number;
    }
  | { readonly type: 'forget'; readonly id: string }
  | { readonly type: 'drain'; readonly id: string; readonly isDraining: boolean }
  | { readonly type: 'addToken'; readonly token: JoinToken }
  | { readonly type: 'revokeToken'; readonly id: string }
  | { readonly type: 'raiseFeatures'; readonly level: number }
  | { readonly type: 'setAutopilot'; readonly config: AutopilotConfig };

export type RefusedWhy =
  | 'not-founded'
  | 'already-founded'
  | 'unknown-member'
  /** An older boot epoch, or the same one with another session: a copy of its data folder. */
  | 'restored-copy'
  /** It was removed; its id never comes back. */
  | 'retired'
  | 'unknown-token'
  | 'token-expired'
  | 'token-used'
  | 'token-wrong-kind'
  | 'token-exists'
  /** As many members, tokens or retired ids as there may be. */
  | 'full'
  /** A member cannot work with that level, or the cluster is not at the level it takes. */
  | 'features-unsupported'
  /** Of a newer version, or damaged: neither it nor anything after it was applied. */
  | 'unreadable';

/** What a command came to. `index` is the clock's: epoch × 2³² + Raft index. */
export type Result =
  | { readonly isDone: true; readonly index: number }
  | { readonly isDone: false; readonly index: number; readonly why: RefusedWhy };

/** A reading of the state; never changed, replaced whole by what changes it. */
export interface View {
  readonly clusterId: string | undefined;
  readonly epoch: number;
  /** The clock's index of the last entry applied. */
  readonly index: number;
  /** The latest `at` seen. */
  readonly time: number;
  readonly members: ReadonlyMap<string, Member>;
  readonly retired: ReadonlySet<string>;
  readonly tokens: ReadonlyMap<string, JoinToken>;
  readonly featureLevel: number;
  readonly autopilot: AutopilotConfig;
  /** Ids of the latest batches of events, the oldest first. */
  readonly told: readonly string[];
}
