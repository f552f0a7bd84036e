import os from 'node:os';

const { PRIORITY_BELOW_NORMAL } = os.constants.priority;

/**
 * Lets others go before this thread, unless they do already: of a node that was started with a
 * lower priority still, only root may raise it. On Linux the priority is the thread's own.
 */
export function beGentle(thread: Priorities = os): void {
  if (thread.getPriority() < PRIORITY_BELOW_NORMAL) thread.setPriority(PRIORITY_BELOW_NORMAL);
}

/** What `node:os` has for it. */
export interface Priorities {
  getPriority(): number;
  setPriority(priority: number): void;
}
