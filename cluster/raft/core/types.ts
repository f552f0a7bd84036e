/**
 * What goes into the Raft core and what comes out. The core is pure: `step(input, now)` changes the
 * state in memory and returns effects; it has no clock, no I/O and no randomness but its own seed.
 *
 * Words follow hashicorp/raft, whose semantics and wire (protocol version 3) this core keeps:
 * a server has an `id` that is its identity and an `address` that may change; membership changes one
 * server at a time and is in force as soon as it is in the log.
 *
 * Indices and terms are whole numbers from 1, never above 2^53 - 1. Times are milliseconds of a
 * monotonic clock that the driver passes in.
 */

export type ServerId = string;

/** A voter counts for quorums and may lead; a nonvoter (learner) only receives the log. */
export type Suffrage = 'voter' | 'nonvoter';

export interface Server {
  readonly id: ServerId;
  readonly address: string;
  readonly suffrage: Suffrage;
}

export interface Configuration {
  readonly servers: readonly Server[];
}

/** hashicorp's log types that are still in use; a receiver must never meet another. */
export type EntryType = 'command' | 'noop' | 'barrier' | 'configuration';

export interface Entry {
  readonly index: number;
  readonly term: number;
  readonly type: EntryType;
  /** Opaque to the core; for a configuration the encoded form, empty until the wire or store makes it. */
  readonly data: Uint8Array;
  /** Only in an entry of type `configuration`. */
  readonly configuration?: Configuration;
  /** hashicorp's Extensions, carried unread. */
  readonly extensions?: Uint8Array;
  /** When the leader appended it, ms since 1970, for people; Raft never reads it. */
  readonly appendedAt?: number;
}

/** The vote, keyed by address as in hashicorp's stable store; older Go peers send no id. */
export interface Vote {
  readonly id: ServerId;
  readonly address: string;
}

/** Term and vote are saved together, in one synced write. */
export interface HardState {
  readonly term: number;
  readonly vote: Vote | undefined;
}

export interface SnapshotMeta {
  readonly index: number;
  readonly term: number;
  /** In force at `index`, and the index of the entry that brought it. */
  readonly configuration: Configuration;
  readonly configurationIndex: number;
}

/** What a node finds on its own disk at start. */
export interface Boot {
  readonly hardState: HardState;
  readonly snapshot: SnapshotMeta | undefined;
  /** Contiguous; the first joins the snapshot (or has index 1). */
  readonly entries: readonly Entry[];
}

export interface RaftOptions {
  readonly id: ServerId;
  readonly address: string;
  /** Seeds the random timeouts; every node and every start has another. */
  readonly seed: number;
  /** A follower that hears nothing for [1, 2) × this asks for pre-votes. */
  readonly heartbeatTimeoutMs: number;
  /** A candidate that wins nothing within [1, 2) × this tries again. */
  readonly electionTimeoutMs: number;
  /**
   * For one that had better not lead: it forgets a silent leader after exactly the heartbeat
   * timeout, so that its vote is free before anybody else asks for it, and itself asks only when
   * nobody leads after this much more. Absent: like all.
   */
  readonly reluctanceMs?: number;
  /** A leader that hears no quorum for this long steps down (check-quorum). */
  readonly leaderLeaseTimeoutMs: number;
  /** Bounds of one append request. */
  readonly maxAppendEntries: number;
  readonly maxAppendBytes: number;
  /** Append requests under way to one peer (hashicorp: 2). */
  readonly maxInflight: number;
  /** Proposals are refused while this many bytes wait to be committed. */
  readonly maxUncommittedBytes: number;
  /** Entries, and bytes of them, that stay in the log behind a snapshot for slow followers. */
  readonly trailingEntries: number;
  readonly trailingBytes: number;
  /** How much slower another voter's clock may run than ours, for lease reads (0.1 = 10 %). */
  readonly maxClockDrift: number;
}

/** Who a message is from. Peers before hashicorp/raft 1.3.7 send no id. */
export interface PeerRef {
  readonly id: ServerId | undefined;
  readonly address: string;
}

// Requests. `from` is inside each, as on the wire. ------------------------------------------------

export interface AppendRequest {
  readonly kind: 'append';
  readonly from: PeerRef;
  readonly term: number;
  readonly prevIndex: number;
  readonly prevTerm: number;
  readonly entries: readonly Entry[];
  /** Never above prevIndex + entries.length: Go followers would commit what they did not verify. */
  readonly commit: number;
  /** hashicorp's heartbeat: no entries, previous 0/0, commit 0; proves leadership, says no more. */
  readonly isHeartbeat: boolean;
}

export interface VoteRequest {
  readonly kind: 'vote';
  readonly from: PeerRef;
  readonly term: number;
  readonly lastIndex: number;
  readonly lastTerm: number;
  /** Set by a candidate that was told to lead (TimeoutNow): a known leader is no reason to refuse. */
  readonly isTransfer: boolean;
}

export interface PreVoteRequest {
  readonly kind: 'preVote';
  readonly from: PeerRef;
  /** The term the candidate would have: its own + 1. */
  readonly term: number;
  readonly lastIndex: number;
  readonly lastTerm: number;
}

export interface InstallRequest {
  readonly kind: 'install';
  readonly from: PeerRef;
  readonly term: number;
  readonly snapshot: SnapshotMeta;
  /** Bytes of the stream that follows; the driver fills it in when it sends. */
  readonly size: number;
}

export interface TimeoutNowRequest {
  readonly kind: 'timeoutNow';
  readonly from: PeerRef;
}

export type Request =
  AppendRequest | VoteRequest | PreVoteRequest | InstallRequest | TimeoutNowRequest;

export interface AppendResponse {
  readonly kind: 'append';
  readonly term: number;
  /** A hint where to go on when refused: the receiver's last index, or lower on a conflict. */
  readonly lastLog: number;
  readonly isSuccess: boolean;
  readonly noRetryBackoff: boolean;
}

export interface VoteResponse {
  readonly kind: 'vote';
  readonly term: number;
  readonly isGranted: boolean;
}

export interface PreVoteResponse {
  readonly kind: 'preVote';
  readonly term: number;
  readonly isGranted: boolean;
}

export interface InstallResponse {
  readonly kind: 'install';
  readonly term: number;
  readonly isSuccess: boolean;
}

export interface TimeoutNowResponse {
  readonly kind: 'timeoutNow';
}

export type Response =
  AppendResponse | VoteResponse | PreVoteResponse | InstallResponse | TimeoutNowResponse;

/**
 * Why a request got no answer. `closed`: the peer took the connection and ended it instead of
 * answering, which is how peers before 1.7 refuse a pre-vote they do not know.
 */
export type FailureReason = 'unreachable' | 'closed' | 'timeout' | 'error';

// Inputs ------------------------------------------------------------------------------------------

export interface Change {
  readonly kind: 'addVoter' | 'addNonvoter' | 'demoteVoter' | 'removeServer';
  readonly id: ServerId;
  /** For the two adds. */
  readonly address?: string;
  /** Refused unless this is the index of the latest configuration; 0 or absent: any. */
  readonly prevIndex?: number;
  /** Also when the new configuration could not reach a quorum right now. */
  readonly force?: boolean;
}

export interface Proposal {
  readonly type: 'command' | 'barrier';
  readonly data: Uint8Array;
  readonly appendedAt?: number;
}

export type Input =
  /** Time has passed; due at `deadline()`, harmless at any other moment. */
  | { readonly type: 'tick' }
  /** A peer's request; the answer leaves as `Effects.replies` with this token. */
  | { readonly type: 'request'; readonly token: number; readonly request: Request }
  /** The answer to a request this node sent; the pair comes together, and in order per connection. */
  | {
      readonly type: 'answer';
      readonly from: ServerId;
      readonly request: Request;
      readonly response: Response;
    }
  | {
      readonly type: 'failed';
      readonly to: ServerId;
      readonly request: Request;
      readonly reason: FailureReason;
    }
  /** `Effects.save` with this number, and all before it, are durable. */
  | { readonly type: 'saved'; readonly save: number }
  /** This node's own snapshot is durable: the log behind it may go. */
  | { readonly type: 'snapshotTaken'; readonly snapshot: SnapshotMeta }
  /** The stream asked for with `Effects.receive` is durable as a file, or came to nothing. */
  | { readonly type: 'snapshotReceived'; readonly token: number }
  | { readonly type: 'snapshotAborted'; readonly token: number }
  | { readonly type: 'propose'; readonly proposals: readonly Proposal[] }
  | { readonly type: 'change'; readonly change: Change }
  /** `lease` falls back to `quorum` when a lease cannot be trusted. */
  | { readonly type: 'read'; readonly id: number; readonly mode: 'quorum' | 'lease' }
  /** Hand leadership to this voter, or to the one that is furthest. */
  | { readonly type: 'transfer'; readonly to?: ServerId }
  /** Leadership given up by the host's wish (its node no longer answers). */
  | { readonly type: 'stepDown' };

// Effects -----------------------------------------------------------------------------------------

/** To be made durable, in the order of `number`, each atomically. */
export interface Save {
  readonly number: number;
  readonly hardState?: HardState;
  /** The log is replaced by an installed snapshot; entries behind it that match stay. */
  readonly snapshot?: SnapshotMeta;
  /** Entries from this index on go, before `entries` are added. */
  readonly truncateFrom?: number;
  readonly entries: readonly Entry[];
  /** Entries up to this index may go, lazily and unsynced. */
  readonly compactTo?: number;
  /** False: nothing in it is promised to anybody; it may ride with the next one. */
  readonly mustSync: boolean;
}

export interface Send {
  readonly to: ServerId;
  readonly address: string;
  readonly request: Request;
}

export interface Reply {
  readonly token: number;
  readonly response: Response;
}

/** The token's request carries a snapshot that is wanted: store the stream, then say so. */
export interface Receive {
  readonly token: number;
  readonly snapshot: SnapshotMeta;
  readonly size: number;
}

export type RefusalReason =
  | 'not-leader'
  | 'transfer-in-progress'
  | 'too-much-uncommitted'
  | 'change-in-progress'
  | 'no-commit-in-term'
  | 'stale-prev-index'
  | 'no-voters-left'
  | 'unknown-server'
  | 'bad-address'
  | 'would-lose-quorum'
  | 'no-target'
  | 'leadership-lost'
  | 'transfer-timeout';

/** What became of the `propose`, `change`, `transfer` or `stepDown` of this step. */
export type Outcome =
  | { readonly isAccepted: true; readonly index: number; readonly term: number }
  | { readonly isAccepted: false; readonly reason: RefusalReason; readonly detail?: string };

/** A read may be answered once the state machine has applied `index`. */
export type ReadResult =
  | { readonly id: number; readonly index: number }
  | { readonly id: number; readonly refused: RefusalReason };

export type Role = 'follower' | 'preCandidate' | 'candidate' | 'leader';

export interface RoleChange {
  readonly role: Role;
  readonly term: number;
  readonly leader: PeerRef | undefined;
  /** One of a fixed list of short texts, for the log line. */
  readonly because: string;
}

export interface ConfigurationChange {
  readonly configuration: Configuration;
  readonly index: number;
  readonly isCommitted: boolean;
}

/**
 * The driver carries these out in the order save → send → replies → apply. Messages that promise
 * something not yet durable are held inside the core until `saved` comes, so `send` and `replies`
 * may always leave at once; the save runs beside them.
 */
export interface Effects {
  readonly save?: Save;
  readonly send: readonly Send[];
  readonly replies: readonly Reply[];
  readonly receive?: Receive;
  /** Set the state machine to this snapshot, before `apply`. */
  readonly restore?: SnapshotMeta;
  /** Committed and durable here, contiguous, in order; never twice within a start. */
  readonly apply: readonly Entry[];
  readonly reads: readonly ReadResult[];
  readonly outcome?: Outcome;
  readonly roles: readonly RoleChange[];
  readonly configurations: readonly ConfigurationChange[];
  /** The end of a transfer that this node began as leader. */
  readonly transfer?: 'done' | RefusalReason;
}

export interface PeerStatus {
  readonly server: Server;
  readonly match: number;
  readonly next: number;
  readonly mode: 'probe' | 'replicate' | 'snapshot';
  readonly inflight: number;
  /** Ms since the peer last answered; undefined: not since this leadership began. */
  readonly lastContactMs: number | undefined;
}

export interface Status {
  readonly id: ServerId;
  readonly role: Role;
  readonly term: number;
  readonly leader: PeerRef | undefined;
  readonly commit: number;
  readonly durable: number;
  readonly lastIndex: number;
  readonly lastTerm: number;
  readonly firstIndex: number;
  readonly snapshotIndex: number;
  readonly uncommittedBytes: number;
  readonly configuration: Configuration;
  readonly configurationIndex: number;
  readonly isConfigurationCommitted: boolean;
  readonly isTransferring: boolean;
  /** Since this node last heard the leader, or as leader a majority; undefined without a leader. */
  readonly contactMs: number | undefined;
  /** Only of a leader. */
  readonly peers: readonly PeerStatus[];
}

export interface Raft {
  /** @throws RangeError for an input that no correct driver sends (a save number never given …) */
  step(input: Input, now: number): Effects;
  /** The moment, on the clock of `now`, at which the next tick is due. */
  deadline(): number;
  status(now: number): Status;
  /** Entries of the log in memory, from `from` to `to` inclusive, for tests and tools. */
  entries(from: number, to: number): readonly Entry[];
}
