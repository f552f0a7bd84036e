/** What Raft knows of how current this node is. */
export interface Sighting {
  /** Milliseconds since a leader was last heard of, or a majority by the leader; undefined: never. */
  readonly contactMs: number | undefined;
  /** The highest index known to be committed. */
  readonly commit: number;
}

export interface CurrencyDeps {
  readonly look: () => Promise<Sighting>;
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

/**
 * A node is current at the moment it last heard of a leader, if it has applied all that was
 * committed as far as it knows. A process that was stopped and goes on finds itself as old as the
 * stop was long.
 */
export function createCurrency({ look, applied, now }: CurrencyDeps): Currency {
  let currentAt = -Infinity;
  let timer: NodeJS.Timeout | undefined;
  let isLooking = false;
  const see = async () => {
    if (isLooking) return;
    isLooking = true;
    // The answer is as old as the question: what was true later is not known.
    const askedAt = now();
    try {
      const { contactMs, commit } = await look();
      if (contactMs !== undefined && applied() >= commit) {
        currentAt = Math.max(currentAt, askedAt - contactMs);
      }
    } catch {
      // No engine runs just now, so nothing was heard of anybody either: the age goes on.
    } finally {
      isLooking = false;
    }
  };
  return {
    ageMs: () => now() - currentAt,
    look: see,
    start(everyMs) {
      timer = setInterval(() => void see(), everyMs);
      timer.unref();
      void see();
    },
    close: () => clearInterval(timer),
  };
}
