/** What is known of how current this node can be. */
export interface Horizon {
  /** Milliseconds since a leader was sure of a majority, when it was asked; undefined: not known. */
  readonly contactMs: number | undefined;
  /** The highest index that was committed by then. */
  readonly commit: number;
}

export interface CurrencyDeps {
  /** Rejects while nobody can say. */
  readonly look: () => Promise<Horizon>;
  /** The Raft index up to which entries are applied. */
  readonly applied: () => number;
  /** Milliseconds, of a clock that never goes back. */
  readonly now: () => number;
}

/** How old what this node knows may be at most. */
export interface Currency {
  /** Milliseconds; Infinity until it was current for the first time. */
  ageMs(): number;
  /** Looks once; resolves when it is done. */
  look(): Promise<void>;
  /** Looks every so often. */
  start(everyMs: number): void;
  close(): void;
}

const [shortestMs, longestMs, looksPerStaleness] = [100, 1_000, 20] as const;

/** How often to look, in milliseconds, for a node whose knowledge may be so old at most. */
export const lookEvery = (maxStalenessMs: number): number =>
  Math.min(Math.max(maxStalenessMs / looksPerStaleness, shortestMs), longestMs);

/** Looks whose index is not applied yet; one that is far behind need not remember all of them. */
const openMax = 64;

/**
 * A node was current at the moment it asked, as soon as it has applied all that was committed when
 * it was answered. So its age is a bound, whatever the network or a pause held back: a process that
 * was stopped and goes on finds itself as old as the stop was long.
 */
export function createCurrency({ look, applied, now }: CurrencyDeps): Currency {
  const open: { readonly commit: number; readonly at: number }[] = [];
  let currentAt = -Infinity;
  let timer: NodeJS.Timeout | undefined;
  let isLooking = false;
  const settle = () => {
    const index = applied();
    for (let first = open[0]; first && first.commit <= index; first = open[0]) {
      open.shift();
      currentAt = Math.max(currentAt, first.at);
    }
  };
  const see = async () => {
    if (isLooking) return;
    isLooking = true;
    // The answer is as old as the question: what was true later is not known.
    const askedAt = now();
    try {
      const { contactMs, commit } = await look();
      if (contactMs !== undefined && open.length < openMax) {
        open.push({ commit, at: askedAt - contactMs });
      }
      settle();
    } catch {
      // Nobody said how far the log is, so nothing is known of it either: the age goes on.
    } finally {
      isLooking = false;
    }
  };
  return {
    ageMs() {
      settle();
      return now() - currentAt;
    },
    look: see,
    start(everyMs) {
      timer = setInterval(() => void see(), everyMs);
      timer.unref();
      void see();
    },
    close: () => clearInterval(timer),
  };
}
