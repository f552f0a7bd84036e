/**
 * Hints between the nodes of a cluster: fast, and allowed to be lost. Nothing may ever depend on
 * one for being right.
 */

/** `invalidate`: cache tags that became stale. */
export type Topic = 'invalidate';

/** Whoever is in this list is dialled and let in; nobody else is. */
export interface GossipMember {
  /** The node's id. */
  readonly id: string;
  /** What its identity is called on the network (`gossipIdOf`). */
  readonly gossipId: string;
  /** `host:port`, the likeliest first; an IPv6 address in brackets. */
  readonly addresses: readonly string[];
}

export interface Log {
  info(message: string, facts?: object): unknown;
  warn(message: string, facts?: object): unknown;
}

export interface GossipOptions {
  /** The network's 32 secret bytes, the same on all nodes: whoever lacks them cannot even speak. */
  readonly key: Uint8Array;
  /** This node's own key, as `makeGossipIdentity` made it. */
  readonly identity: Uint8Array;
  /** `host` is an IP address; port 0 takes any. */
  readonly listen: { readonly host: string; readonly port: number };
  /** Asked at the start and at each `refresh`; may contain this node. */
  readonly members: () => readonly GossipMember[];
  /** This node's id. */
  readonly self: string;
  readonly log: Log;
  /** Milliseconds; only differences matter. */
  readonly now: () => number;
  /** In [0, 1). */
  readonly random: () => number;
}

export type Listener = (bytes: Uint8Array, fromNodeId: string) => void;

export interface Gossip {
  readonly gossipId: string;
  /** `host:port` that is listened on; undefined when gossip is unusable. */
  readonly address: string | undefined;
  /** Never throws; what could not be sent is counted. */
  publish(topic: Topic, bytes: Uint8Array): void;
  /** What other nodes publish, by its true author; returns a function that ends it. */
  subscribe(topic: Topic, listener: Listener): () => void;
  /** Ids of the nodes that hints are exchanged with at the moment. */
  peers(): readonly string[];
  /** Reads `members` again: cuts off who is gone, dials who is new or has moved. */
  refresh(): void;
  stats(): GossipStats;
  close(): Promise<void>;
}

export interface GossipStats {
  /** False: it did not start, or did not prove itself at the start; `reason` says why. */
  readonly isUsable: boolean;
  readonly reason: string | undefined;
  readonly members: number;
  readonly peers: number;
  /** Waiting to be sent. */
  readonly queued: number;
  readonly sent: number;
  /** Published and not sent, by why. */
  readonly unsent: Counts<'unusable' | 'nobody' | 'tooLarge' | 'tooMany' | 'failed'>;
  readonly received: number;
  /** Arrived and not handed on, by why. */
  readonly dropped: Counts<'stranger' | 'tooLarge' | 'tooMany'>;
  /** Listeners that threw. */
  readonly listenerErrors: number;
  /** Connections of peers that are no members. */
  readonly refused: number;
  /** Times a peer was shut out for a while because it sent far too much. */
  readonly barred: number;
  readonly dials: number;
  readonly failedDials: number;
  /** Connections that were closed because they stood and carried nothing. */
  readonly mended: number;
}

export type Counts<Why extends string> = Readonly<Record<Why, number>>;
