/** A request to somebody else's server. */
export interface OutboundRequest {
  readonly method?: 'GET' | 'POST';
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly signal?: AbortSignal;
  /** Milliseconds for all of it, the body and redirects included. */
  readonly timeoutMs: number;
  /** The largest body taken, unpacked. */
  readonly maxBytes: number;
}

/** What came back, whole. */
export interface OutboundAnswer {
  readonly status: number;
  /** By lower-case name. */
  readonly headers: Readonly<Record<string, string>>;
  readonly bytes: Uint8Array;
}

/** Asks servers outside the home, and none inside it unless it was named. */
export interface Outbound extends AsyncDisposable {
  /** Any status is an answer; throws OutboundError where there is none. */
  fetch(url: string, request: OutboundRequest): Promise<OutboundAnswer>;
}

export type OutboundCode =
  /** Not an address that may be asked. */
  | 'refused'
  | 'unreachable'
  | 'timeout'
  | 'too-large'
  /** It answered something that is no HTTP, or stopped in the middle. */
  | 'broken'
  | 'cancelled';

/** Why there is no answer. The message names the host, never path or query: those hold keys. */
export class OutboundError extends Error {
  readonly code: OutboundCode;

  constructor(code: OutboundCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'OutboundError';
    this.code = code;
  }
}
