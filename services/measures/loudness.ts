import type { Media } from '#storage/media/media.ts';
import type { Store } from '../changes.ts';
import { defineJob, on, type JobHandler } from '../jobs/job.ts';
import type { Log } from '../log.ts';
import { failureOf } from './failure.ts';
import * as rows from './loudness-store.ts';
import type { Target } from './targets.ts';
import { workOff, type WhenIdle } from './turn.ts';

/** Measures what is due, of libraries that ask for it. */
export const loudnessJob = defineJob<object>('measures.loudness', {
  queue: 'maintenance',
  attempts: 1,
  timeoutMs: 26 * 3_600_000,
  priority: 'low',
  cron: '*/15 * * * *',
});

export interface LoudnessDeps {
  readonly store: Store;
  readonly media: Pick<Media, 'loudness'>;
  readonly whenIdle: WhenIdle;
  readonly log: Log;
  readonly clock: () => number;
}

const batchSize = 50;
/** Beside what a film of this length takes to play: at the lowest priority it may get little. */
const spareMs = 10 * 60_000;
/** Of a file that does not say how long it is. */
const unknownMs = 4 * 3_600_000;

/** Makes the job that measures loudness. */
export function createLoudness(deps: LoudnessDeps): { readonly jobs: readonly JobHandler[] } {
  const { store, clock, whenIdle } = deps;
  return {
    jobs: [
      on(loudnessJob, (_payload, context) =>
        workOff(
          {
            ...{ whenIdle, clock },
            next: () => rows.dueLoudness(store.sql, batchSize),
            work: (target) => measure(deps, target, context.signal),
          },
          context,
        ),
      ),
    ],
  };
}

async function measure({ store, media, log }: LoudnessDeps, target: Target, signal: AbortSignal) {
  const { id, kind, itemId } = target;
  const timeoutMs = (target.durationMs ?? unknownMs) + spareMs;
  try {
    const found = await media.loudness(target.root, target.path, { signal, timeoutMs });
    await store.write(async (tx, stale) => {
      await rows.saveLoudness(tx, id, found);
      if (itemId !== null) stale(`${kind}:${itemId}`);
    });
  } catch (error) {
    const failure = failureOf(error, target.tries);
    log.debug('no loudness of a file', { fileId: id, reason: failure.error });
    await rows.failLoudness(store.sql, target, failure);
  }
}
