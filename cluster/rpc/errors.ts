/** Whether what was asked for can have been done: `no` may be asked of anybody, once more. */
export type Executed = 'no' | 'unknown';

/** What a caller gets instead of an answer. */
export class RpcError extends Error {
  override readonly name = 'RpcError';
  /**
   * The handler's own, or: `unreachable`, `not-member`, `removed`, `busy`, `closing`, `unknown-call`,
   * `bad-request`, `too-large`, `too-many-hops`, `bad-token` (all but surely not executed),
   * `replayed`, `deadline`, `aborted`, `broken` (the connection, in the middle), `bad-answer`,
   * `internal`.
   */
  readonly code: string;
  /** Asking again, later or elsewhere, can help. */
  readonly isRetryable: boolean;
  readonly isExecuted: Executed;

  constructor(code: string, message: string, facts: ErrorFacts = {}) {
    super(message, { cause: facts.cause });
    this.code = code;
    this.isRetryable = facts.isRetryable ?? false;
    this.isExecuted = facts.isExecuted ?? 'unknown';
  }
}

interface ErrorFacts {
  readonly isRetryable?: boolean;
  readonly isExecuted?: Executed;
  readonly cause?: unknown;
}

/** Thrown by a call's handler: a refusal that the caller is to hear. */
export class CallError extends Error {
  override readonly name = 'CallError';
  readonly code: string;
  readonly isRetryable: boolean;
  readonly isExecuted: Executed;

  /** Unless it says otherwise, a handler that refuses has done nothing. */
  constructor(code: string, message: string, facts: Omit<ErrorFacts, 'cause'> = {}) {
    super(message);
    this.code = code;
    this.isRetryable = facts.isRetryable ?? false;
    this.isExecuted = facts.isExecuted ?? 'no';
  }
}

/** An error as it crosses. */
export interface WireError {
  readonly code: string;
  readonly message: string;
  readonly retryable: boolean;
  readonly executed: Executed;
}

/** @throws RpcError always: the one that crossed, or that nothing sensible did */
export function throwWireError(text: string, status: number): never {
  const { code, message, retryable, executed } = readWireError(text);
  if (code === undefined) throw new RpcError('bad-answer', `the node answered ${status}`);
  const isExecuted = executed === 'no' ? 'no' : 'unknown';
  throw new RpcError(code, message ?? code, { isRetryable: retryable === true, isExecuted });
}

function readWireError(text: string): Partial<WireError> {
  try {
    const found: unknown = JSON.parse(text);
    if (typeof found === 'object' && found !== null) return found;
  } catch {
    // Not of this protocol: that is said by having no code.
  }
  return {};
}
