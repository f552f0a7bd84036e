/**
 * The order of invalidations. One counter for a node alone, the Raft log for a cluster: what is
 * made stale at index `i` is stale on every node that has applied `i`.
 */
export interface InvalidationClock {
  /** The highest index this node has applied. */
  applied(): number;
  /** Below this nothing is remembered: a value stamped earlier cannot be trusted. */
  floor(): number;
  /** Makes tags stale everywhere; resolves to the index once this node has applied it. */
  invalidate(tags: readonly string[]): Promise<number>;
  /** Called in order for each index applied; returns a function that stops it. */
  onInvalidate(listener: (index: number, tags: readonly string[]) => void): () => void;
  /** Resolves to whether `index` was applied within the time given. */
  waitFor(index: number, timeoutMs: number): Promise<boolean>;
}
