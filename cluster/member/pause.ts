import { setTimeout as sleep } from 'node:timers/promises';

/** Waits, in milliseconds; not longer than until the signal. */
export type Pause = (ms: number, signal?: AbortSignal) => Promise<void>;

export const pause: Pause = async (ms, signal) => {
  // That it was cut short is no failure: who has the signal looks at it.
  await sleep(ms, undefined, signal ? { signal } : {}).catch(() => undefined);
};
