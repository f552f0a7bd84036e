import { ProblemError } from '../errors.ts';
import { GiveUpError } from './job.ts';

const messageMax = 500;

/** What a failed try leaves behind. */
export interface Failure {
  readonly message: string;
  /** False when another try cannot help. */
  readonly retry: boolean;
  /** At least this long before the next try, when the other side said so. */
  readonly retryAfterMs: number | undefined;
}

/** Reads a handler's error; whatever was thrown, the message is safe to store and to show. */
export function failureOf(error: unknown): Failure {
  const seconds = error instanceof ProblemError ? error.extra.retryAfterSeconds : undefined;
  return {
    message: safeMessage(error),
    retry: !(error instanceof GiveUpError),
    retryAfterMs: seconds === undefined ? undefined : Math.min(seconds, 86_400) * 1_000,
  };
}

/**
 * An error's message without what looks like a credential (user info in addresses, query strings,
 * bearer tokens, key=value secrets) and without what PostgreSQL's text cannot hold; one line of
 * at most 500 characters.
 */
export function safeMessage(error: unknown): string {
  const text = error instanceof Error ? error.message || error.name : String(error);
  const cleaned = text
    .slice(0, 4 * messageMax)
    .replaceAll(/\p{Cc}+/gu, ' ')
    .replaceAll(/([a-z][a-z0-9+.-]*:\/\/)[^\s/@]*@/gi, '$1…@')
    .replaceAll(/(\?)[^\s"'<>]*=[^\s"'<>]*/g, '$1…')
    .replaceAll(/\b(bearer|basic)\s+[\w.~+/=-]+/gi, '$1 …')
    .replaceAll(
      /\b((?:api|access)?[-_]?(?:key|token|secret|password|authorization))(["']?\s*[:=]\s*["']?)[^\s"',;]+/gi,
      '$1$2…',
    )
    .trim()
    .toWellFormed();
  return cleaned.length > messageMax ? `${cleaned.slice(0, messageMax - 1)}…` : cleaned;
}
