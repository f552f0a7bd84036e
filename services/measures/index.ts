import type { Media } from '#storage/media/media.ts';
import type { Tx } from '#storage/postgres/connect.ts';
import type { Store } from '../changes.ts';
import type { JobHandler } from '../jobs/job.ts';
import type { Log } from '../log.ts';
import { createKeyframes, type KeyframesOf } from './keyframes.ts';
import { noteDue } from './keyframes-store.ts';
import { createLoudness } from './loudness.ts';
import type { WhenIdle } from './turn.ts';

export interface MeasuresDeps {
  readonly store: Store;
  readonly media: Pick<Media, 'keyframes' | 'loudness'>;
  /** All of this waits for whatever else is to be done with files. */
  readonly whenIdle: WhenIdle;
  readonly log: Log;
  /** Milliseconds on a clock that only runs forward. */
  readonly clock: () => number;
}

/** What of files takes more than a look at their heads. */
export interface Measures {
  readonly jobs: readonly JobHandler[];
  /** Notes, in the transaction that says what these videos are, that they are to be measured. */
  readonly filesProbed: (tx: Tx, fileIds: readonly string[]) => Promise<void>;
  readonly keyframesOf: KeyframesOf;
}

/** Makes them. */
export function createMeasures({ store, media, whenIdle, clock, ...deps }: MeasuresDeps): Measures {
  const log = deps.log.child({ module: 'measures' });
  const keyframes = createKeyframes({ sql: store.sql, media, whenIdle, clock, log });
  const loudness = createLoudness({ store, media, whenIdle, clock, log });
  return {
    jobs: [...keyframes.jobs, ...loudness.jobs],
    filesProbed: noteDue,
    keyframesOf: keyframes.keyframesOf,
  };
}
