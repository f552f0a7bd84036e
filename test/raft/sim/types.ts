import type {
  Boot,
  Configuration,
  Effects,
  Entry,
  FailureReason,
  HardState,
  Input,
  Raft,
  RaftOptions,
  ReadResult,
  Request,
  Response,
  Save,
  ServerId,
  SnapshotMeta,
  Status,
} from '#cluster/raft/core/types.ts';
import type { Call, ListOp, RegisterOp } from '../linearizable.ts';
import type { Heap } from './heap.ts';
import type { Machine, Wish } from './machine.ts';
import type { Mirror } from './mirror.ts';
import type { Profile } from './profile.ts';
import type { Streams } from './random.ts';

/** One machine: what its disk holds lives on, the rest ends with each crash. */
export interface SimNode {
  readonly id: ServerId;
  readonly address: string;
  readonly disk: Disk;
  raft: Raft | undefined;
  /** After its latest step. */
  status: Status;
  /** Counts its starts: what was planned for an earlier one no longer holds. */
  epoch: number;
  /** Its disk is gone for good, and its id with it. */
  isGone: boolean;
  isPaused: boolean;
  readonly inbox: (() => void)[];
  clock: { readonly at: number; readonly local: number; readonly rate: number };
  timerAt: number;
  /** The log in memory, as its saves tell it. */
  mirror: Mirror;
  machine: Machine;
  /** Configurations it knows, ascending: for its snapshots. */
  known: { readonly index: number; readonly configuration: Configuration }[];
  isTakingSnapshot: boolean;
  /** Steps it was given at one and the same moment, without time going on. */
  stillSteps: number;
}

export interface World {
  readonly seed: number;
  readonly profile: Profile;
  readonly random: Streams;
  readonly heap: Heap;
  readonly createRaft: CreateRaft;
  now: number;
  steps: number;
  /** Of all that happened, in order. */
  hash: number;
  readonly nodes: SimNode[];
  readonly ledger: Ledger;
  readonly network: Network;
  readonly diskEvents: DiskEvents;
  readonly clients: Clients;
  readonly listeners: Listeners;
  readonly story: Story | undefined;
  readonly counts: Record<string, number>;
  /** All faults have ended. */
  isHealed: boolean;
}

export type CreateRaft = (options: RaftOptions, boot: Boot, now: number) => Raft;

/** Who waits for what a node does: told by the node, which does not know them. */
export interface Listeners {
  readonly onApplied: (world: World, node: SimNode, applied: AppliedEntry) => void;
  readonly onReads: (world: World, node: SimNode, results: readonly ReadResult[]) => void;
  readonly onRestored: (world: World, node: SimNode) => void;
  readonly onStopped: (world: World, node: SimNode) => void;
}

export interface AppliedEntry {
  readonly entry: Entry;
  readonly isSwapped: boolean;
}

export interface Stored {
  readonly meta: SnapshotMeta;
  readonly content: Machine;
}

/** What a crash leaves is the image; what is pending it takes, from some save on. */
export interface Disk {
  hardState: HardState;
  snapshot: Stored | undefined;
  readonly log: Mirror;
  pending: Save[];
  isSyncing: boolean;
  isSlow: boolean;
  isFull: boolean;
  /** Received snapshots, durable as files, by place. */
  readonly files: Map<string, Machine>;
  /** Every vote that was ever durable here, by term. */
  readonly votes: Map<number, string>;
}

export interface DiskEvents {
  readonly onSaved: (node: SimNode, number: number) => void;
  readonly onFull: (node: SimNode) => void;
}

/** What is true of the cluster as a whole, gathered from every step of every node. */
export interface Ledger {
  /** Who led a term: id and start. */
  readonly leaders: Map<number, string>;
  /** By index and term: content, and the term before. */
  readonly contents: Map<number, { readonly hash: number; readonly previous: number | undefined }>;
  /** By index: the entry's term, and the term of the leader that committed it. */
  readonly committed: { readonly term: number; readonly by: number }[];
  /** By index: the state after it, and the command's serial. */
  readonly applied: { readonly hash: number; readonly serial: number }[];
  /** The highest index whose write a client was told of. */
  acknowledged: number;
  /** By the index of a configuration: what it says. */
  readonly configurations: Map<number, string>;
}

export interface Question {
  readonly request: Request;
  isDone: boolean;
  answer: Response | undefined;
  isAnswerSent: boolean;
}

/** One TCP connection: order is kept in each direction, and an end loses what is under way. */
export interface Connection {
  readonly from: SimNode;
  readonly fromEpoch: number;
  readonly to: SimNode;
  readonly toEpoch: number;
  readonly slowness: number;
  isOpen: boolean;
  readonly waiting: Question[];
  thereAt: number;
  backAt: number;
}

/** A request on its receiver: where its answer goes. */
export interface Asked {
  readonly connection: Connection;
  readonly question: Question;
  readonly content: Machine | undefined;
}

export interface Network {
  /** "from>to" of addresses. */
  readonly cuts: Set<string>;
  lossRate: number;
  readonly connections: Map<string, Connection>;
  readonly asked: Map<number, Asked>;
  nextToken: number;
  readonly events: NetworkEvents;
}

export interface NetworkEvents {
  readonly onRequest: (node: SimNode, token: number, request: Request) => void;
  readonly onAnswer: (node: SimNode, from: string, pair: Pair) => void;
  readonly onFailed: (node: SimNode, to: string, failure: Failure) => void;
}

export interface Pair {
  readonly request: Request;
  readonly response: Response;
}

export interface Failure {
  readonly request: Request;
  readonly reason: FailureReason;
}

/** A wish under way at a node. */
export interface Waiting {
  readonly client: Client;
  readonly wish: Wish;
  readonly epoch: number;
  /** A write: where it was put. A read: from where on it may be answered, once that is known. */
  index: number;
  term: number;
  /** A read: the highest acknowledged index when it began. */
  readonly seen: number;
}

export interface Client {
  readonly number: number;
  node: SimNode | undefined;
  /** The serial it waits for: the answer to an earlier one comes too late. */
  current: number;
  callAt: number;
  lastRead: number;
}

export type Fate = 'done' | 'failed' | 'unknown';

export interface Clients {
  readonly wishes: Wish[];
  readonly fates: Fate[];
  readonly registers: Call<RegisterOp<number>>[][];
  readonly list: Call<ListOp>[];
  readonly clients: Client[];
  /** By node. */
  readonly writes: Map<SimNode, Waiting[]>;
  readonly reads: Map<SimNode, Waiting[]>;
}

interface Message {
  readonly from: string;
  readonly to: string;
  readonly request: Request | undefined;
  readonly response: Response | undefined;
}

export interface Stepped {
  readonly input: Input;
  readonly effects: Effects;
}

/** What happened, for people. Only kept when a seed is run again to be told. */
export interface Story {
  note(at: number, text: string): void;
  message(at: number, message: Message): void;
  step(at: number, node: SimNode, what: Stepped): void;
  lines(last: number): string[];
  chart(last: number): string[];
}
