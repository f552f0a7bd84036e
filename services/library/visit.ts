import { MediaError, type Listing } from '#storage/media/media.ts';
import type { KnownDirectory } from './directories-store.ts';

/** A directory that was read, or that could not be. */
export interface Visit {
  readonly directory: KnownDirectory;
  readonly result: Listing | MediaError;
  /** The time to trust at the next scan; null: none. */
  readonly mtimeMs: number | null;
}

/** A time younger than this when read may hide a change made right after (as git's racy index). */
const racyMs = 2_000;

/** What came of reading a directory; `readAt` is when that began, in milliseconds since 1970. */
export function toVisit(
  directory: KnownDirectory,
  result: Listing | MediaError,
  readAt: number,
): Visit {
  if (result instanceof MediaError) return { directory, result, mtimeMs: null };
  const isSure = result.mtimeMs < readAt - racyMs;
  return { directory, result, mtimeMs: isSure ? result.mtimeMs : null };
}
