import type { AutopilotConfig } from '#cluster/state/types.ts';
import { complain, type Complaint } from './sayings.ts';
import type { Health, LeaderEnd, PeerReading, PeerState } from './types.ts';

type Threshold = Pick<AutopilotConfig, 'lastContactMs' | 'maxTrailingEntries'>;

/**
 * As hashicorp's autopilot judges: it answers, its last term is the leader's, and it is not far
 * behind. (Source: raft-autopilot, `ServerHealth`; the meaning, not the code.)
 */
export function judge(
  peer: PeerReading | undefined,
  leader: LeaderEnd,
  threshold: Threshold,
): Health {
  const why = complaint(peer, leader, threshold);
  return { isHealthy: why === undefined, why };
}

function complaint(
  peer: PeerReading | undefined,
  leader: LeaderEnd,
  threshold: Threshold,
): Complaint | undefined {
  if (peer?.lastContactMs === undefined) return complain('unheard', {});
  const { lastContactMs, lastTerm, matchIndex } = peer;
  if (lastContactMs > threshold.lastContactMs) {
    return complain('silent', { silentMs: lastContactMs });
  }
  if (lastTerm !== undefined && leader.lastTerm !== undefined && lastTerm !== leader.lastTerm) {
    return complain('otherTerm', { term: lastTerm, leaderTerm: leader.lastTerm });
  }
  const count = leader.lastIndex - matchIndex;
  return count > threshold.maxTrailingEntries ? complain('behind', { count }) : undefined;
}

export interface Reading extends LeaderEnd {
  readonly leaderId: string;
  /** The leader's present term: what an earlier leader saw is not carried over. */
  readonly term: number;
  readonly peers: readonly (PeerReading & { readonly id: string })[];
  readonly config: Threshold;
  /** Milliseconds, of a clock that does not go back. */
  readonly now: number;
}

export interface HealthTracker {
  /** To be called at regular times, several per `config.lastContactMs`. */
  observe(reading: Reading): ReadonlyMap<string, PeerState>;
}

interface Memory {
  readonly firstSeenMs: number;
  healthySinceMs: number | undefined;
}

/** Remembers how long each server has been healthy or silent, for as long as one leader leads. */
export function createHealthTracker(): HealthTracker {
  let leadership = '';
  let memories = new Map<string, Memory>();

  return {
    observe(reading) {
      const { leaderId, term, peers, config, now } = reading;
      const present = `${term} ${leaderId}`;
      const kept = present === leadership ? memories : new Map<string, Memory>();
      leadership = present;
      memories = new Map();
      const states = new Map<string, PeerState>();
      for (const { id, ...peer } of peers) {
        const memory = kept.get(id) ?? { firstSeenMs: now, healthySinceMs: undefined };
        const { isHealthy } = judge(peer, reading, config);
        memory.healthySinceMs = isHealthy ? (memory.healthySinceMs ?? now) : undefined;
        memories.set(id, memory);
        const silentSinceMs = silentSince(peer, memory, reading);
        states.set(id, { ...peer, healthySinceMs: memory.healthySinceMs, silentSinceMs });
      }
      return states;
    },
  };
}

function silentSince(
  { lastContactMs }: PeerReading,
  { firstSeenMs }: Memory,
  { config, now }: Reading,
): number | undefined {
  if (lastContactMs === undefined) return firstSeenMs;
  return lastContactMs > config.lastContactMs ? now - lastContactMs : undefined;
}
