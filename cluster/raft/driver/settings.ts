import type { Configuration } from '../core/types.ts';
import type { HostPort } from '../../addresses.ts';
import type { AddressBook } from '../transport/types.ts';

export interface Profile {
  readonly heartbeatTimeoutMs: number;
  readonly electionTimeoutMs: number;
  readonly leaderLeaseTimeoutMs: number;
  /** For one that had better not lead; see `RaftOptions`. */
  readonly reluctanceMs?: number;
  readonly maxAppendEntries: number;
  readonly maxAppendBytes: number;
  readonly maxInflight: number;
}

const batches = { maxAppendBytes: 256 * 1024, maxInflight: 2 };

/** `hashicorp` has the library's own defaults, for clusters with Go peers in them. */
export const profiles = {
  lan: {
    ...batches,
    heartbeatTimeoutMs: 500,
    electionTimeoutMs: 1000,
    leaderLeaseTimeoutMs: 250,
    maxAppendEntries: 512,
  },
  hashicorp: {
    ...batches,
    heartbeatTimeoutMs: 1000,
    electionTimeoutMs: 1000,
    leaderLeaseTimeoutMs: 500,
    maxAppendEntries: 64,
  },
} as const satisfies Record<string, Profile>;

/** Paths of PEM files; with them, both ends of every connection must show a certificate with their id. */
export interface TlsFiles {
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

/** Plain data, so that it may be given to another process. */
export interface EngineSettings {
  readonly id: string;
  /** `host:port`, where the others reach this one. */
  readonly address: string;
  /** Without it there is no network: for a cluster of one. */
  readonly listen?: HostPort;
  /** Where the others are dialed, whatever address the members' configuration has for them. */
  readonly book?: AddressBook;
  /**
   * No Go peer takes part. Only then do peers that speak without TLS, where nobody can show what it
   * is, go on with a snapshot where its stream broke off.
   */
  readonly isAllOurs?: boolean;
  readonly dir: string;
  readonly profile: Profile;
  readonly trailingEntries: number;
  readonly snapshotIntervalMs: number;
  readonly snapshotThreshold: number;
  /** Used when the directory is empty; without it an empty node waits to be contacted. */
  readonly bootstrap?: Configuration;
  readonly tls?: TlsFiles;
  /** How long the host may be silent before leadership is given up; 0: engine and host share a process. */
  readonly hostTimeoutMs: number;
}
