import type { RaftOptions } from '#cluster/raft/core/types.ts';
import type { Random } from './random.ts';

export const faultNames = [
  'crash',
  'pause',
  'clockRate',
  'loss',
  'duplicates',
  'slowLinks',
  'partition',
  'oneWay',
  'slowDisk',
  'fullDisk',
  'members',
  'transfer',
  'snapshots',
  'wipe',
  'stepDown',
] as const;
export type Fault = (typeof faultNames)[number];

/** What this seed's world is like. */
export interface Profile {
  readonly faults: ReadonlySet<Fault>;
  /** Mean time between two deeds of the nemesis. */
  readonly nemesisMs: number;
  readonly maxDelayMs: number;
  readonly lossRate: number;
  readonly clients: number;
  readonly thinkMs: number;
  readonly maxSyncMs: number;
  readonly maxPadding: number;
  readonly leaseReads: boolean;
  /** What the driver would do by itself: a snapshot every so many entries; 0: never. */
  readonly snapshotEvery: number;
  /** How long the third node, as a witness does, lets others lead; 0: like all. */
  readonly reluctanceMs: number;
  readonly raft: Omit<RaftOptions, 'id' | 'address' | 'seed'>;
}

export const timeoutMs = 150;
/** Clocks run at 0.9 to 1.1: the fastest is 22 % faster than the slowest. */
const maxClockDrift = 0.23;

export function createProfile(random: Random): Profile {
  const share = random.between(0.15, 0.85);
  const faults = new Set(faultNames.filter(() => random.chance(share)));
  return {
    faults,
    reluctanceMs: random.chance(0.25) ? 3 * timeoutMs : 0,
    nemesisMs: random.between(30, 500),
    maxDelayMs: random.pick([2, 5, 10, 30]) ?? 5,
    lossRate: faults.has('loss') ? random.between(0.001, 0.05) : 0,
    clients: 1 + random.below(6),
    thinkMs: random.between(2, 60),
    maxSyncMs: random.pick([1, 3, 10, 25]) ?? 3,
    maxPadding: random.pick([0, 20, 120]) ?? 0,
    leaseReads: random.chance(0.5),
    snapshotEvery: random.pick([0, 10, 40]) ?? 0,
    raft: {
      heartbeatTimeoutMs: timeoutMs,
      electionTimeoutMs: timeoutMs,
      leaderLeaseTimeoutMs: 100,
      maxAppendEntries: random.pick([1, 3, 16, 64]) ?? 16,
      maxAppendBytes: random.pick([200, 1000, 100_000]) ?? 1000,
      maxInflight: 1 + random.below(4),
      maxUncommittedBytes: random.pick([500, 4000, 1_000_000]) ?? 4000,
      trailingEntries: random.pick([0, 3, 20]) ?? 3,
      trailingBytes: random.pick([200, 100_000]) ?? 100_000,
      maxClockDrift,
    },
  };
}
