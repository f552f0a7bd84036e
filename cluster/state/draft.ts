import { tokenGraceMs } from './limits.ts';
import type { AutopilotConfig, JoinToken, Member } from './types.ts';

/** The state while it is changed. Maps are replaced, never changed in place: a view may hold them. */
export interface Draft {
  clusterId: string | undefined;
  epoch: number;
  raftIndex: number;
  /** The latest `at` seen. */
  time: number;
  members: ReadonlyMap<string, Member>;
  retired: ReadonlySet<string>;
  tokens: ReadonlyMap<string, JoinToken>;
  featureLevel: number;
  autopilot: AutopilotConfig;
  /** Replaced, never changed in place. */
  told: readonly string[];
  /** Counts what changed besides index and time. */
  changes: number;
  /** Nothing expires before this; derived, not part of the state. */
  nextSweep: number;
}

/** For a home: a node may be slow for a moment, and may be off for days and keep its place. */
export const defaultAutopilot: AutopilotConfig = {
  promote: true,
  cleanup: true,
  lastContactMs: 2000,
  maxTrailingEntries: 250,
  stabilizationMs: 10_000,
  deadAfterMs: undefined,
  maxVoters: 5,
};

export function emptyDraft(): Draft {
  return {
    clusterId: undefined,
    epoch: 0,
    raftIndex: 0,
    time: 0,
    members: new Map(),
    retired: new Set(),
    tokens: new Map(),
    featureLevel: 0,
    autopilot: defaultAutopilot,
    told: [],
    changes: 0,
    nextSweep: Infinity,
  };
}

export function withEntry<V>(map: ReadonlyMap<string, V>, key: string, value: V) {
  return new Map(map).set(key, value);
}

export function withoutEntry<V>(map: ReadonlyMap<string, V>, key: string) {
  const copy = new Map(map);
  copy.delete(key);
  return copy;
}

const forgottenAt = ({ expiresAt }: JoinToken) =>
  expiresAt === undefined ? Infinity : expiresAt + tokenGraceMs;

/** Time goes on, never back; what expires by it goes in the same step, on every node alike. */
export function advance(draft: Draft, at: number): void {
  if (at > draft.time) draft.time = at;
  if (draft.time < draft.nextSweep) return;
  const kept = [...draft.tokens].filter(([, token]) => forgottenAt(token) > draft.time);
  if (kept.length < draft.tokens.size) {
    draft.tokens = new Map(kept);
    draft.changes += 1;
  }
  scheduleSweep(draft);
}

/** To be called when the whole state is new, too. */
export function scheduleSweep(draft: Draft): void {
  draft.nextSweep = Infinity;
  for (const token of draft.tokens.values()) expectToken(draft, token);
}

export function expectToken(draft: Draft, token: JoinToken): void {
  draft.nextSweep = Math.min(draft.nextSweep, forgottenAt(token));
}
