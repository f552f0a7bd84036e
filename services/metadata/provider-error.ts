import { problem, type ProblemError } from '../errors.ts';

export type ProviderFailure =
  /** It is away, or so slow or so broken that it has not been asked. */
  | 'unavailable'
  /** The budget of requests is spent for now. */
  | 'busy'
  /** It does not take our key. */
  | 'refused'
  /** What it says makes no sense. */
  | 'broken';

/** Why a provider gave no answer. */
export class ProviderError extends Error {
  readonly provider: string;
  readonly failure: ProviderFailure;
  /** Milliseconds after which asking again makes sense; undefined where only that record fails. */
  readonly retryAfterMs: number | undefined;

  constructor(
    provider: string,
    what: {
      failure: ProviderFailure;
      detail: string;
      retryAfterMs?: number | undefined;
      cause?: unknown;
    },
  ) {
    super(`${provider}: ${what.detail}`, { cause: what.cause });
    this.name = 'ProviderError';
    this.provider = provider;
    this.failure = what.failure;
    this.retryAfterMs = what.retryAfterMs;
  }
}

/** What who wants something of providers is told where there are none. */
export const noProvider = (): ProblemError =>
  problem('unavailable', 'No provider is configured: set metadata.tmdb.api_key');
