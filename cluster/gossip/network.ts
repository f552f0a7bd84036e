import type { HostPort } from '../addresses.ts';

/** The small part of a peer-to-peer library that gossip needs; libp2p.ts is the only one so far. */
export interface Network {
  readonly id: string;
  /** Undefined when nothing is listened on. */
  readonly port: number | undefined;
  /** Signs and sends to all who listen; resolves to how many it was handed to. */
  publish(topic: string, bytes: Uint8Array): Promise<number>;
  /** Resolves once connected to exactly this peer. */
  dial(id: string, address: HostPort, signal: AbortSignal): Promise<void>;
  /** Ends all connections of the peer at once. */
  cut(id: string): void;
  /** Listens to this topic no more. */
  leave(topic: string): void;
  links(): readonly Link[];
  close(): Promise<void>;
}

export interface Link {
  readonly id: string;
  /** Milliseconds since the oldest open connection of the peer was made. */
  readonly ageMs: number;
  /** It has told us what it listens to: only then do messages pass. */
  readonly isHeard: boolean;
}

export interface Incoming {
  readonly topic: string;
  /** Who signed it; the signature was checked. */
  readonly author: string;
  /** Who brought it. */
  readonly carrier: string;
  readonly bytes: Uint8Array;
}

export interface NetworkOptions {
  readonly key: Uint8Array;
  readonly identity: Uint8Array;
  /** Undefined: only dials. */
  readonly listen: { readonly host: string; readonly port: number } | undefined;
  readonly topics: readonly string[];
  /** Asked for whoever has proven to be `id`, in both directions. */
  readonly mayConnect: (id: string) => boolean;
  /** Told of each that came and was not let in: from which host, and why. */
  readonly onTurnedAway: (from: string, reason: string) => void;
  /** Whether a message is good: only then is it received and passed on to others. */
  readonly judge: (message: Incoming) => boolean;
  readonly onMessage: (message: Incoming) => void;
  readonly onOpen: (id: string) => void;
  /** The last connection of the peer has ended. */
  readonly onClose: (id: string) => void;
}

export type OpenNetwork = (options: NetworkOptions) => Promise<Network>;
