/** The cluster's clock as HTTP needs it; see `cluster/clock.ts`. */
export interface IndexClock {
  /** The highest index this node reflects. */
  applied(): number;
  /** Resolves to whether the node has applied `index` within the time given. */
  waitFor(index: number, timeoutMs: number): Promise<boolean>;
}
