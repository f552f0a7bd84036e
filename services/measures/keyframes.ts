import { MediaError, type Keyframes, type Media } from '#storage/media/media.ts';
import type { Sql } from '#storage/postgres/connect.ts';
import { problem } from '../errors.ts';
import { defineJob, on, type JobHandler } from '../jobs/job.ts';
import type { Log } from '../log.ts';
import { failureOf } from './failure.ts';
import * as rows from './keyframes-store.ts';
import type { Target } from './targets.ts';
import { packTimes, unpackTimes } from './times.ts';
import { workOff, type WhenIdle } from './turn.ts';

/** Reads the keyframes of what is due. */
export const keyframesJob = defineJob<object>('measures.keyframes', {
  queue: 'maintenance',
  attempts: 1,
  timeoutMs: 3 * 3_600_000,
  priority: 'low',
  cron: '*/5 * * * *',
});

/** Looks for videos whose keyframes nobody has asked for: after an update, or a restore. */
export const findKeyframesJob = defineJob<object>('measures.find', {
  queue: 'maintenance',
  attempts: 3,
  timeoutMs: 600_000,
  priority: 'low',
  cron: '47 3 * * *',
});

export interface KeyframesDeps {
  readonly sql: Sql;
  readonly media: Pick<Media, 'keyframes'>;
  /** Files to look into and providers to ask come first. */
  readonly whenIdle: WhenIdle;
  readonly log: Log;
  readonly clock: () => number;
}

/** Who waits for a film to begin waits no longer for this. */
const askedMs = 10_000;
const batchSize = 100;
const deadlineMinMs = 60_000;
const deadlineMaxMs = 2 * 3_600_000;
/** Of a disk that is busy: where no index helps, all of the file is read. */
const bytesPerMs = 20_000;

export interface KeyframeService {
  readonly jobs: readonly JobHandler[];
  readonly keyframesOf: KeyframesOf;
}

/**
 * Where a file may be cut, in milliseconds on its own clock (see storage/media's Keyframes): as it
 * is kept, or found now, which mostly takes milliseconds, and is given up after `withinMs` (10 s
 * unless stated). Undefined where it cannot be told, or not in time. Throws `not-found` for what is no
 * video on record, `media-unavailable` while it cannot be reached, or ffprobe is missing.
 */
export type KeyframesOf = (
  fileId: string,
  options?: { readonly withinMs?: number; readonly signal?: AbortSignal },
) => Promise<readonly number[] | undefined>;

/** Makes the index of keyframes. */
export function createKeyframes(deps: KeyframesDeps): KeyframeService {
  const { sql, clock, whenIdle, log } = deps;
  return {
    jobs: [
      on(keyframesJob, (_payload, context) =>
        workOff(
          {
            ...{ whenIdle, clock },
            next: () => rows.dueKeyframes(sql, batchSize),
            work: (target) => readDue(deps, target, context.signal),
          },
          context,
        ),
      ),
      on(findKeyframesJob, async () => {
        const files = await rows.noteForgotten(sql);
        if (files > 0) log.info('keyframes are to be read', { files });
      }),
    ],
    keyframesOf: (fileId, options = {}) => keyframesOf(deps, fileId, options),
  };
}

async function readDue({ sql, media, log }: KeyframesDeps, target: Target, signal: AbortSignal) {
  const wanted = deadlineMinMs + target.sizeBytes / bytesPerMs;
  const timeoutMs = Math.min(deadlineMaxMs, wanted);
  try {
    const found = await media.keyframes(target.root, target.path, { signal, timeoutMs });
    await save(sql, target, found);
  } catch (error) {
    const failure = failureOf(error, target.tries);
    const { retryMs, tries } = failure;
    log.debug('no keyframes of a file', { fileId: target.id, reason: failure.error });
    if (retryMs === undefined) await rows.refuseKeyframes(sql, target, failure);
    else await rows.postponeKeyframes(sql, target, { retryMs, tries });
  }
}

const save = (sql: Sql, { id }: Target, { timesMs, sizeBytes, mtimeMs }: Keyframes) =>
  rows.saveKeyframes(sql, id, { times: packTimes(timesMs), sizeBytes, mtimeMs });

async function keyframesOf(
  { sql, media }: KeyframesDeps,
  fileId: string,
  { withinMs = askedMs, signal }: { readonly withinMs?: number; readonly signal?: AbortSignal },
): Promise<readonly number[] | undefined> {
  const known = await rows.findKeyframes(sql, fileId);
  if (known === undefined) throw problem('not-found', `There is no video ${fileId}`);
  if (known.isRead) return known.times === null ? undefined : unpackTimes(known.times);
  const call = { priority: 'user', timeoutMs: withinMs, ...(signal && { signal }) } as const;
  try {
    const found = await media.keyframes(known.root, known.path, call);
    await save(sql, known, found);
    return found.timesMs;
  } catch (error) {
    // In the background it has longer: a wait that was too short says nothing of the file.
    if (error instanceof MediaError && error.code === 'timeout') return undefined;
    const failure = failureOf(error, known.tries);
    if (failure.retryMs !== undefined) {
      throw problem('media-unavailable', failure.error, { cause: error });
    }
    await rows.refuseKeyframes(sql, known, failure);
    return undefined;
  }
}
