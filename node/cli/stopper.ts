import type { StopLevel } from '../signals.ts';

interface Stoppable {
  stop(level?: StopLevel): void;
}

/**
 * Keeps what was asked while the node was still starting; a start takes seconds, and ends first.
 */
export function createStopper() {
  let asked: StopLevel | undefined;
  let node: Stoppable | undefined;
  return {
    ask(level: StopLevel) {
      asked = level;
      if (node !== undefined) node.stop(level);
      else if (level === 'exit') process.exit(1);
    },
    hand(started: Stoppable) {
      node = started;
      if (asked !== undefined) node.stop(asked);
    },
  };
}

/** For an option that may be given several times. */
export const collect = (value: string, before: readonly string[] = []) => [...before, value];
