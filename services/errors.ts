/**
 * Every expected failure has one code here. The code is the stable tail of the problem's `type`
 * (`/problems/<code>`, RFC 9457), the status is what HTTP answers, the title never varies.
 */
export const problems = {
  'bad-request': { status: 400, title: 'The request is not valid' },
  'invalid-cursor': { status: 400, title: 'The cursor is not one this server issued' },
  unauthenticated: { status: 401, title: 'Sign in first' },
  'invalid-credentials': { status: 401, title: 'Wrong user name or password' },
  'token-expired': { status: 401, title: 'The token has expired' },
  'token-invalid': { status: 401, title: 'The token is not valid' },
  'token-reused': { status: 401, title: 'The refresh token was used before; the session is ended' },
  'account-disabled': { status: 403, title: 'The account is disabled' },
  forbidden: { status: 403, title: 'Not permitted' },
  'setup-required': { status: 403, title: 'The server has no administrator yet' },
  'setup-done': { status: 409, title: 'The server already has an administrator' },
  'not-found': { status: 404, title: 'Not found' },
  'method-not-allowed': { status: 405, title: 'Method not allowed' },
  'not-acceptable': { status: 406, title: 'No representation the client accepts' },
  'too-slow': { status: 408, title: 'The request came too slowly' },
  conflict: { status: 409, title: 'Conflicts with the current state' },
  gone: { status: 410, title: 'No longer available' },
  'precondition-failed': { status: 412, title: 'The item has changed since it was read' },
  'too-large': { status: 413, title: 'The request body is too large' },
  'unsupported-media-type': { status: 415, title: 'Content type not supported' },
  'range-not-satisfiable': { status: 416, title: 'The range lies outside the file' },
  unprocessable: { status: 422, title: 'The request is understood but cannot be carried out' },
  'too-many-requests': { status: 429, title: 'Too many requests' },
  internal: { status: 500, title: 'Something went wrong on the server' },
  unavailable: { status: 503, title: 'A service this needs is not available' },
  'database-unavailable': { status: 503, title: 'The database is not available' },
  'media-unavailable': { status: 503, title: 'The media folder does not answer' },
  'tool-missing': { status: 503, title: 'A program this needs is not installed' },
  'no-leader': { status: 503, title: 'The cluster has no leader' },
  'not-leader': { status: 421, title: 'This node does not lead the cluster' },
  'outcome-unknown': { status: 503, title: 'It may have been carried out' },
  behind: { status: 503, title: 'This node has not caught up yet' },
  timeout: { status: 504, title: 'It took too long' },
} as const satisfies Record<string, { status: number; title: string }>;

/** The stable name of an expected failure; see `problems`. */
export type ProblemCode = keyof typeof problems;

/** What a problem may carry beside its detail. */
export interface ProblemExtra {
  /** Seconds after which a retry makes sense; becomes `Retry-After`. */
  retryAfterSeconds?: number;
  /** Faults of single fields, by JSON pointer or parameter name. */
  errors?: readonly { path: string; message: string }[];
  /** Response headers that belong to the failure (`Allow`, `Content-Range` …). */
  headers?: Readonly<Record<string, string>>;
  cause?: unknown;
}

/** An expected failure: rendered as `application/problem+json`, or one line by the CLI. */
export class ProblemError extends Error {
  readonly code: ProblemCode;
  readonly status: number;
  readonly extra: ProblemExtra;

  constructor(code: ProblemCode, detail: string, extra: ProblemExtra = {}) {
    super(detail, extra.cause === undefined ? undefined : { cause: extra.cause });
    this.name = 'ProblemError';
    this.code = code;
    this.status = problems[code].status;
    this.extra = extra;
  }
}

/** Makes the error for an expected failure; `detail` is for people: ids, never secrets. */
export const problem = (code: ProblemCode, detail: string, extra?: ProblemExtra): ProblemError =>
  new ProblemError(code, detail, extra);
