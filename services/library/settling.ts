/** Holds back what changes until it has come to rest: a file that is still written, above all. */

interface Change {
  readonly path: string;
  readonly isGone: boolean;
}

/** Changes that wait to come to rest. Times are milliseconds of one clock. */
export interface Settling {
  readonly heard: (changes: readonly Change[], at: number) => void;
  /** Takes out what has been at rest for long enough. */
  readonly ready: (at: number) => Change[];
  /** How many wait; beyond `max` they are forgotten, and `ready` says nothing of them. */
  readonly size: () => number;
}

/** Makes a settling. `onFlood` is called when more changes wait than it holds; all are forgotten. */
export function createSettling(options: {
  readonly quietMs: number;
  readonly max: number;
  readonly onFlood: () => void;
}): Settling {
  const pending = new Map<string, { isGone: boolean; at: number }>();
  return {
    heard(changes, at) {
      for (const { path, isGone } of changes) pending.set(path, { isGone, at });
      if (pending.size <= options.max) return;
      pending.clear();
      options.onFlood();
    },
    ready(at) {
      const isQuiet = (change: { at: number }) => at - change.at >= options.quietMs;
      // Folders in which something is restless, up to the top: they wait, too.
      const restless = new Set<string>();
      for (const [path, change] of pending) {
        if (isQuiet(change)) continue;
        for (
          let slash = path.lastIndexOf('/');
          slash > 0;
          slash = path.lastIndexOf('/', slash - 1)
        ) {
          restless.add(path.slice(0, slash));
        }
      }
      const taken = [...pending].filter(([path, one]) => isQuiet(one) && !restless.has(path));
      for (const [path] of taken) pending.delete(path);
      return taken.map(([path, { isGone }]) => ({ path, isGone }));
    },
    size: () => pending.size,
  };
}
