/** Keeps from asking something that does not answer; one call in a while finds out if it is back. */
export interface Breaker {
  /** Whether to ask now. When it was open long enough, exactly one caller is told yes. */
  mayTry(): boolean;
  succeeded(): void;
  failed(): void;
  readonly state: () => 'closed' | 'open';
}

/** Opens after `failuresMax` failures in a row, for `openMs` at a time. */
export function createBreaker(
  deps: { now: () => number },
  options: { failuresMax: number; openMs: number },
): Breaker {
  let failures = 0;
  let retryAt = 0;
  const isOpen = () => failures >= options.failuresMax;
  return {
    mayTry() {
      if (!isOpen()) return true;
      if (deps.now() < retryAt) return false;
      retryAt = deps.now() + options.openMs;
      return true;
    },
    succeeded() {
      failures = 0;
    },
    failed() {
      failures += 1;
      retryAt = deps.now() + options.openMs;
    },
    state: () => (isOpen() ? 'open' : 'closed'),
  };
}
