import type { Log } from './log.ts';
import { lastIndex } from './log.ts';
import type { Random } from './random.ts';
import { between } from './random.ts';
import type {
  AppendRequest,
  Configuration,
  ConfigurationChange,
  Entry,
  Outcome,
  PeerRef,
  RaftOptions,
  ReadResult,
  Receive,
  RefusalReason,
  Reply,
  Request,
  Role,
  RoleChange,
  Send,
  Server,
  ServerId,
  SnapshotMeta,
  Vote,
} from './types.ts';

/** A request under way. Answers carry the same object back, which is how it is found again. */
export interface Sent {
  readonly request: Request;
  readonly sentAt: number;
  /** The read round that had begun when it left. */
  readonly round: number;
}

/** What a leader knows of one other server. */
export interface Peer {
  server: Server;
  match: number;
  next: number;
  mode: 'probe' | 'replicate' | 'snapshot';
  readonly inflight: Sent[];
  readonly heartbeats: Sent[];
  /** When it last answered; the begin of the leadership until it does. */
  contactAt: number;
  hasAnswered: boolean;
  /** The latest read round it confirmed. */
  ackRound: number;
  /** When the latest request that it accepted was sent. */
  ackSentAt: number;
  /** The highest commit index told to it. */
  commitSent: number;
  /** When it was last sent an append that was no heartbeat. */
  toldAt: number;
  failures: number;
  retryAt: number;
  /** Set once it is no longer in the configuration. */
  removal: { readonly index: number; readonly until: number } | undefined;
}

export interface Transfer {
  readonly to: ServerId;
  readonly until: number;
  isAsked: boolean;
  retryAt: number;
}

export interface WaitingRead {
  readonly id: number;
  readonly index: number;
  readonly round: number;
}

export interface Leading {
  readonly peers: Map<ServerId, Peer>;
  /** The first index of this term. */
  readonly firstIndex: number;
  heartbeatAt: number;
  checkAt: number;
  uncommittedBytes: number;
  round: number;
  reads: WaitingRead[];
  transfer: Transfer | undefined;
  /** A TimeoutNow is out: a successor may be elected at any moment, so no lease holds. */
  isLeaseOff: boolean;
  /** Only acknowledgements of requests sent since then count for the lease. */
  leaseNotBefore: number;
}

export interface Campaign {
  readonly isPre: boolean;
  readonly granted: Set<ServerId>;
}

/** An answer or a vote request that says something not yet durable. */
export interface Promised {
  reply?: Reply;
  readonly send?: Send;
  /** It says that the log is durable up to here. */
  readonly index: number;
}

export interface PendingSave {
  readonly number: number;
  /** The log's last durable index once this is saved; lowered when a later save cuts it. */
  lastIndex: number;
  readonly isSynced: boolean;
  readonly snapshot: SnapshotMeta | undefined;
  readonly held: Promised[];
}

export interface PlacedConfiguration {
  readonly configuration: Configuration;
  readonly index: number;
}

/** What one step produces. */
export interface Out {
  isHardStateNew: boolean;
  snapshot: SnapshotMeta | undefined;
  truncateFrom: number | undefined;
  entries: Entry[];
  compactTo: number | undefined;
  promised: Promised[];
  send: Send[];
  replies: Reply[];
  receive: Receive | undefined;
  restore: SnapshotMeta | undefined;
  reads: ReadResult[];
  outcome: Outcome | undefined;
  roles: RoleChange[];
  configurations: ConfigurationChange[];
  transfer: 'done' | RefusalReason | undefined;
}

export interface State {
  readonly options: RaftOptions;
  readonly self: PeerRef;
  readonly random: Random;
  readonly log: Log;
  now: number;
  term: number;
  vote: Vote | undefined;
  role: Role;
  leader: PeerRef | undefined;
  /** When a node that does not lead stops waiting. */
  electionAt: number;
  /** A reluctant one has forgotten its leader, and gives the others time to find the next. */
  isHoldingBack: boolean;
  /** Until then it acts as if it knew a leader, which may hold a lease; so does who has restarted. */
  quietUntil: number;
  /** The last index that is on the disk. */
  durable: number;
  /** Known to be committed, maybe not yet durable here. */
  known: number;
  commit: number;
  applied: number;
  /** The one committed last, then those after it in the log, in order. Never empty. */
  readonly configurations: PlacedConfiguration[];
  readonly saves: PendingSave[];
  nextSave: number;
  /** The latest save with term and vote. */
  hardSave: number;
  /** An installed snapshot is being saved; until then nothing is committed. */
  isInstalling: boolean;
  readonly receiving: Map<number, SnapshotMeta>;
  leading: Leading | undefined;
  campaign: Campaign | undefined;
  /** Peers that understood a pre-vote. */
  readonly preVoters: Set<ServerId>;
  out: Out;
}

export function emptyOut(): Out {
  return {
    isHardStateNew: false,
    snapshot: undefined,
    truncateFrom: undefined,
    entries: [],
    compactTo: undefined,
    promised: [],
    send: [],
    replies: [],
    receive: undefined,
    restore: undefined,
    reads: [],
    outcome: undefined,
    roles: [],
    configurations: [],
    transfer: undefined,
  };
}

export function latestConfiguration(state: State): PlacedConfiguration {
  const latest = state.configurations[state.configurations.length - 1];
  if (!latest) throw new Error('a Raft state without a configuration');
  return latest;
}

/** A follower has heard what it waits for. */
export function restartElectionTimer(state: State): void {
  const { heartbeatTimeoutMs: base, reluctanceMs } = state.options;
  const waitMs = reluctanceMs === undefined ? between(state.random, base, 2 * base) : base;
  state.electionAt = state.now + waitMs;
  state.isHoldingBack = false;
}

export function announceRole(state: State, because: string): void {
  const { role, term, leader } = state;
  state.out.roles.push({ role, term, leader, because });
}

export function refuse(state: State, reason: RefusalReason, detail?: string): void {
  state.out.outcome =
    detail === undefined ? { isAccepted: false, reason } : { isAccepted: false, reason, detail };
}

/** An answer; it leaves once term and vote, and the log up to `index`, are durable. */
export function answer(state: State, reply: Reply, index = 0): void {
  state.out.promised.push({ reply, index });
}

/** hashicorp's heartbeat, in the exact shape that its receivers take on the short path. */
export function heartbeatRequest(state: State): AppendRequest {
  return {
    kind: 'append',
    from: state.self,
    term: state.term,
    prevIndex: 0,
    prevTerm: 0,
    entries: noEntries,
    commit: 0,
    isHeartbeat: true,
  };
}
const noEntries: readonly Entry[] = [];

/** The leader's own entries go to memory and to the save at once. */
export function appendOwn(state: State, entry: Entry): void {
  state.log.entries.push(entry);
  state.out.entries.push(entry);
}

export function nextIndex(state: State): number {
  return lastIndex(state.log) + 1;
}
