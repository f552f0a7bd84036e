import { ProblemError, problem } from '#services/errors.ts';
import type { Log } from '#services/log.ts';
import { KeyTakenError } from '#storage/cluster/idempotency.ts';
import { FencedError } from '#storage/cluster/outbox.ts';
import { isBrokenReference, isUnavailable } from '#storage/postgres/errors.ts';
import type { Exchange } from './exchange.ts';
import { sendProblem } from './reply.ts';

const networkCalls: ReadonlySet<string> = new Set(['connect', 'read', 'write', 'getaddrinfo']);
const retryAfterSeconds = 5;
/** Somebody has to make room first. */
const fullRetryAfterSeconds = 60;
const fullCodes: ReadonlySet<unknown> = new Set(['ENOSPC', 'EDQUOT']);

/**
 * What a client is told of an error: problems as they are, a database that is away or a full disk
 * as 503, what was deleted while it was written about as 409, all else as `internal` without
 * details. `expected` is false where somebody must read a stack.
 */
export function toProblem(error: unknown): { problem: ProblemError; expected: boolean } {
  if (error instanceof ProblemError) return { problem: error, expected: true };
  if (isUnavailable(error) && !isFromFiles(error)) {
    const detail = 'The database does not answer; it is being tried again';
    const cause = { retryAfterSeconds, cause: error };
    return { problem: problem('database-unavailable', detail, cause), expected: true };
  }
  if (error instanceof FencedError) {
    const detail = 'This node was the leader and no longer is; nothing was changed';
    return { problem: problem('no-leader', detail, { retryAfterSeconds: 1 }), expected: true };
  }
  if (error instanceof KeyTakenError) {
    return { problem: problem('conflict', `${error.message}`, { cause: error }), expected: true };
  }
  if (isBrokenReference(error)) {
    const detail = 'What this is about was deleted meanwhile; read it again';
    return { problem: problem('conflict', detail, { cause: error }), expected: true };
  }
  if (fullCodes.has((error as { code?: unknown } | undefined)?.code)) {
    const detail = 'There is no room left on the disk of this node';
    const cause = { retryAfterSeconds: fullRetryAfterSeconds, cause: error };
    return { problem: problem('unavailable', detail, cause), expected: false };
  }
  const detail = 'The log of this node has the details under the id of this request';
  return { problem: problem('internal', detail, { cause: error }), expected: false };
}

/** A file that is not there has the same code as a database socket that is not there. */
function isFromFiles(error: unknown): boolean {
  const { syscall } = error as { syscall?: unknown };
  return typeof syscall === 'string' && !networkCalls.has(syscall);
}

/** Ends a request that has failed, with a problem if the client can still be told. */
export type Fail = (exchange: Exchange, error: unknown) => void;

/** Logs what nobody expected once, with its stack; a client that went away is no failure. */
export function createFail(log: Log): Fail {
  return (exchange, error) => {
    const { res, id } = exchange;
    if (res.destroyed || res.writableFinished) return;
    if (!res.headersSent) {
      const { problem, expected } = toProblem(error);
      if (!expected) log.error('request failed', { requestId: id, error });
      return sendProblem(exchange, problem);
    }
    // The answer has begun: all that is left is to let the client see that it is not whole.
    if (!isGone(error)) log.error('answer broke off', { requestId: id, error });
    res.destroy();
  };
}

/** What writing to a client that has left ends with; whoever reads files does not write. */
const goneCodes: ReadonlySet<unknown> = new Set([
  'ERR_STREAM_PREMATURE_CLOSE',
  'EPIPE',
  'ECONNRESET',
  'ECANCELED',
]);

const isGone = (error: unknown): boolean =>
  goneCodes.has((error as { code?: unknown } | undefined)?.code);
