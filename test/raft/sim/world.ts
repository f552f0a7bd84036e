import type {
  Boot,
  Configuration,
  Raft,
  RaftOptions,
  ServerId,
  Status,
} from '#cluster/raft/core/types.ts';
import type { Clients } from './clients.ts';
import type { Disk, DiskEvents } from './disk.ts';
import type { Heap } from './heap.ts';
import type { Ledger } from './ledger.ts';
import type { Machine } from './machine.ts';
import type { Mirror } from './mirror.ts';
import type { Network } from './network.ts';
import type { Profile } from './profile.ts';
import type { Streams } from './random.ts';
import type { Story } from './story.ts';

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
  readonly story: Story | undefined;
  readonly counts: Record<string, number>;
  /** All faults have ended. */
  isHealed: boolean;
}

export type CreateRaft = (options: RaftOptions, boot: Boot, now: number) => Raft;

/** A property that does not hold. */
export class BrokenError extends Error {
  readonly property: string;
  constructor(property: string, message: string) {
    super(message);
    this.property = property;
  }
}

export function must(holds: boolean, property: string, message: () => string): void {
  if (!holds) throw new BrokenError(property, message());
}

export function after(world: World, delayMs: number, run: () => void): void {
  world.heap.push(world.now + delayMs, run);
}

/** Runs only if the node has not crashed meanwhile; while it is paused, once it goes on. */
export function onNode(world: World, node: SimNode, run: () => void): () => void {
  const { epoch } = node;
  const work = () => {
    if (node.epoch !== epoch || !node.raft) return;
    if (node.isPaused) node.inbox.push(work);
    else run();
  };
  return work;
}

export function count(world: World, what: string): void {
  world.counts[what] = (world.counts[what] ?? 0) + 1;
}

export function trace(world: World, value: number): void {
  world.hash = Math.imul(world.hash ^ value, 0x01000193) >>> 0;
}

export function localTime(world: World, node: SimNode): number {
  const { at, local, rate } = node.clock;
  return local + (world.now - at) * rate;
}

export function nodeAt(world: World, address: string): SimNode | undefined {
  return world.nodes.findLast((node) => node.address === address && !node.isGone);
}

export function nodeOf(world: World, id: ServerId): SimNode | undefined {
  return world.nodes.find((node) => node.id === id);
}
