import { MediaError } from '#storage/media/media.ts';

/** What becomes of a file that could not be measured. */
export interface Failure {
  readonly error: string;
  /** Milliseconds until another try; undefined: it is a fact about the file. */
  readonly retryMs: number | undefined;
  readonly tries: number;
}

const retryMs = 15 * 60_000;
/** A film that takes too long so often is taken for one that cannot be read. */
const triesMax = 3;

/**
 * Whether a failure says something of the file, or of the moment. Throws what is no failure of the
 * file's: that it is no longer wanted, and whatever nobody expects.
 */
export function failureOf(error: unknown, triesBefore: number): Failure {
  if (!(error instanceof MediaError) || error.code === 'cancelled') throw error;
  const failed = { error: error.message, tries: triesBefore };
  switch (error.code) {
    case 'not-found': // the next scan tells where it is
    case 'unavailable':
    case 'tool-missing':
      return { ...failed, retryMs: error.retryAfterMs ?? retryMs };
    case 'timeout': {
      const tries = triesBefore + 1;
      return { ...failed, tries, retryMs: tries < triesMax ? retryMs : undefined };
    }
    case 'forbidden':
    case 'unreadable':
    case 'too-large':
      return { ...failed, retryMs: undefined };
  }
}
