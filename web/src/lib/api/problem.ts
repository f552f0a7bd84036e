/** A failure the server told of, in its own words (RFC 9457), or one of the way to it. */
export class ApiError extends Error {
  /** The stable tail of `/problems/<code>`; `unreachable` when no node answered. */
  readonly code: string;
  readonly status: number;
  readonly title: string;
  /** Faults of single fields, by path. */
  readonly fields: ReadonlyMap<string, string>;

  constructor(status: number, body: ProblemBody | undefined) {
    const title = body?.title ?? `HTTP ${status}`;
    super(body?.detail ?? title);
    this.name = 'ApiError';
    this.status = status;
    this.title = title;
    this.code =
      body?.type?.replace('/problems/', '') ?? (status === 0 ? 'unreachable' : 'internal');
    this.fields = new Map((body?.errors ?? []).map(({ path, message }) => [path, message]));
  }
}

/** What `application/problem+json` holds. */
export interface ProblemBody {
  readonly type?: string;
  readonly title?: string;
  readonly detail?: string;
  readonly errors?: readonly { readonly path: string; readonly message: string }[];
}

/** No node answered within the time a request has. */
export const unreachable = (): ApiError =>
  new ApiError(0, { type: '/problems/unreachable', title: 'No node answers' });

/** Whether there is nothing at an address, as also where it is none that anything could have. */
export function isGone(error: unknown): boolean {
  if (!(error instanceof ApiError)) return false;
  return (
    error.status === 404 || [...error.fields.keys()].some((path) => path.startsWith('/params/'))
  );
}

/** Whether asking again later may help: nothing was wrong with the question. */
export function isPassing(error: unknown): boolean {
  if (!(error instanceof ApiError)) return false;
  return error.status === 0 || error.status === 429 || error.status >= 502;
}
