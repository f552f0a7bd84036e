import type { JobContext } from '../jobs/job.ts';

/** Resolves to true once there is nothing better to do, to false where that takes long. */
export type WhenIdle = (signal: AbortSignal) => Promise<boolean>;

/** After so long a job ends, and is begun anew only where background work may run. */
const turnMs = 10 * 60_000;
/** Between two looks whether there is something better to do. */
const lookMs = 5_000;

interface Turn<Item> {
  readonly whenIdle: WhenIdle;
  readonly next: () => Promise<readonly Item[]>;
  readonly work: (item: Item) => Promise<void>;
  /** Milliseconds on a clock that only runs forward. */
  readonly clock: () => number;
}

/** Works off what is due, one after the other, as long as nothing better is to be done. */
export async function workOff<Item>(
  { whenIdle, next, work, clock }: Turn<Item>,
  { signal, progress }: Pick<JobContext, 'signal' | 'progress'>,
): Promise<void> {
  const begun = clock();
  let lookedAt = -Infinity;
  for (let done = 0; ;) {
    const items = await next();
    if (items.length === 0) return;
    for (const item of items) {
      signal.throwIfAborted();
      if (clock() - lookedAt > lookMs) {
        if (clock() - begun > turnMs || !(await whenIdle(signal))) return;
        lookedAt = clock();
      }
      await work(item);
      progress((done += 1), done);
    }
  }
}
