/** What the leader's time is made of. */
export interface TimeDeps {
  /** Milliseconds since 1970, by the clock on the wall. */
  readonly now: () => number;
  /** Milliseconds, of a clock that never goes back. */
  readonly elapsed: () => number;
  /** The latest time in the cluster's log. */
  readonly latest: () => number;
}

/** However the clock on the wall is moved, this time passes at between half and twice its pace. */
const [slowest, fastest] = [0.5, 2] as const;

/**
 * The time that a leader puts into commands: the clock on the wall, as long as that goes on like a
 * clock. It never goes back, and is never behind what the log has seen; one that was set far ahead,
 * and back again, neither ends what is good for an hour nor keeps it good for ever, since what is
 * too early or too late by now is caught up with slowly.
 */
export function createLeaderTime({ now, elapsed, latest }: TimeDeps): () => number {
  let last: { readonly time: number; readonly at: number } | undefined;
  return () => {
    const at = elapsed();
    const wall = now();
    const time = last ? within(wall, last.time, at - last.at) : wall;
    last = { time: Math.max(Math.round(time), latest()), at };
    return last.time;
  };
}

const within = (wall: number, before: number, passedMs: number): number =>
  Math.min(Math.max(wall, before + slowest * passedMs), before + fastest * passedMs);
