/** Remembers the requests of each peer, so that none is run twice. */
export interface ReplayGuard {
  /** Whether it is new; from now on it is not. */
  admit(from: string, requestId: string): boolean;
}

/**
 * Remembers the latest ids of each peer, in their order: who sends many pushes out only its own.
 * @param perPeer how many
 */
export function createReplayGuard(perPeer: number): ReplayGuard {
  const seen = new Map<string, Set<string>>();
  return {
    admit(from, requestId) {
      const ids = seen.get(from) ?? new Set<string>();
      if (ids.has(requestId)) return false;
      ids.add(requestId);
      if (ids.size > perPeer) for (const oldest of ids) return ids.delete(oldest);
      seen.set(from, ids);
      return true;
    },
  };
}
