import type { Log } from '#services/log.ts';
import type { StopLevel } from '../signals.ts';

interface Stoppable {
  stop(level?: StopLevel): void;
}

export interface StopperDeps {
  readonly log: Pick<Log, 'warn'>;
  /** Ends the process at once. */
  readonly exit: (code: number) => void;
  /** Calls once after so many milliseconds, unless what it returns is called before. */
  readonly after: (ms: number, then: () => void) => () => void;
}

/** Orchestrators wait 30 s and more before they kill. */
const patienceMs = 10_000;

/**
 * Keeps what was asked while the node was still starting. A start takes seconds, and ends first;
 * one that waits for a database or for a cluster may wait for days, and nothing is lost with it.
 */
export function createStopper({ log, exit, after }: StopperDeps) {
  let asked: StopLevel | undefined;
  let node: Stoppable | undefined;
  let cancel: (() => void) | undefined;
  const leave = () => {
    log.warn('stopped while it was still starting', { afterMs: patienceMs });
    exit(0);
  };
  return {
    ask: (level: StopLevel) => {
      asked = level;
      if (node !== undefined) node.stop(level);
      else if (level === 'exit') exit(1);
      else cancel ??= after(patienceMs, leave);
    },
    hand: (started: Stoppable) => {
      cancel?.();
      node = started;
      if (asked !== undefined) node.stop(asked);
    },
  };
}

/** In this process. */
export const stopperHere = (log: Pick<Log, 'warn'>) =>
  createStopper({
    log,
    exit: (code) => process.exit(code),
    after(ms, then) {
      const timer = setTimeout(then, ms);
      return () => clearTimeout(timer);
    },
  });

/** For an option that may be given several times. */
export const collect = (value: string, before: readonly string[] = []) => [...before, value];
