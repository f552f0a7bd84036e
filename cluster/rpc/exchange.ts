import { request, type Agent, type ClientRequest, type IncomingMessage } from 'node:http';
import type { OutgoingHttpHeaders, RequestOptions } from 'node:http';
import { pipeline, type Readable } from 'node:stream';
import { RpcError } from './errors.ts';

/** How long one may take, and whether somebody has stopped waiting. */
export interface Patience {
  /** Milliseconds that are left. */
  left(): number;
  /** Undefined while there is still somebody waiting. */
  over(): 'deadline' | 'aborted' | undefined;
  /** Called at most once; with undefined nothing is called. */
  onOver(then: (() => void) | undefined): void;
  /** Ends the watch; nothing is called any more. */
  stop(): void;
}

export function createPatience(ms: number, signal: AbortSignal | undefined): Patience {
  const until = performance.now() + ms;
  let why: 'deadline' | 'aborted' | undefined = signal?.aborted ? 'aborted' : undefined;
  let then: (() => void) | undefined;
  const end = (reason: 'deadline' | 'aborted') => {
    why ??= reason;
    then?.();
  };
  const timer = setTimeout(() => end('deadline'), ms);
  const onAbort = () => end('aborted');
  signal?.addEventListener('abort', onAbort, { once: true });
  return {
    left: () => Math.max(1, Math.ceil(until - performance.now())),
    over: () => why,
    onOver: (next) => void (then = next),
    stop() {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
      then = undefined;
    },
  };
}

export interface Outgoing {
  readonly agent: Agent;
  readonly nodeId: string;
  readonly method: string;
  readonly path: string;
  readonly headers: OutgoingHttpHeaders;
  readonly body?: Readable | Uint8Array | undefined;
  readonly patience: Patience;
}

/**
 * Sends a request and waits for the headers of its answer. Until it has a connection whose other
 * side is the right node, nothing of it has left this process; from then on it may be executed.
 * @throws RpcError
 */
export function send(outgoing: Outgoing): Promise<IncomingMessage> {
  const { agent, nodeId, method, path, headers, body, patience } = outgoing;
  return new Promise((resolve, reject) => {
    let isSent = false;
    // The agent keeps connections by host: here a node's id, which is nowhere looked up.
    const req = begin({ agent, host: nodeId, method, path, headers });
    const fail = (error: Error) => {
      patience.onOver(undefined);
      reject(asRpcError(error, { nodeId, isSent, over: patience.over() }));
    };
    patience.onOver(() => req.destroy(new Error('given up')));
    req.once('socket', () => (isSent = true));
    req.on('error', fail);
    req.once('response', (res) => {
      // From here on the stream of the answer says whether all is well.
      req.off('error', fail).on('error', () => undefined);
      patience.onOver(undefined);
      res.once('close', () => req.writableFinished || req.destroy());
      resolve(res);
    });
    if (body === undefined || body instanceof Uint8Array) req.end(body);
    // An error of either ends both; the caller hears of it by the request.
    else pipeline(body, req, (error) => error && req.destroy(error));
    if (patience.over()) req.destroy(new Error('given up'));
  });
}

/** @throws RpcError for a path or a header that cannot be sent */
function begin(options: RequestOptions): ClientRequest {
  try {
    return request(options);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new RpcError('bad-request', reason, { isExecuted: 'no', cause: error });
  }
}

interface Circumstances {
  readonly nodeId: string;
  readonly isSent: boolean;
  readonly over: 'deadline' | 'aborted' | undefined;
}

function asRpcError(error: Error, { nodeId, isSent, over }: Circumstances): RpcError {
  if (error instanceof RpcError) return error;
  const isExecuted = isSent ? 'unknown' : 'no';
  if (over) return overdue(over, isExecuted);
  return new RpcError('broken', `the connection to ${nodeId} broke: ${error.message}`, {
    ...{ isRetryable: true, isExecuted, cause: error },
  });
}

export function overdue(over: 'deadline' | 'aborted', isExecuted: 'no' | 'unknown'): RpcError {
  const message = over === 'aborted' ? 'the call was aborted' : 'the deadline is over';
  return new RpcError(over, message, { isExecuted });
}

/** A whole answer as text. @throws RpcError `too-large`, `broken`, `deadline`, `aborted` */
export function readText(
  res: IncomingMessage,
  maxBytes: number,
  patience: Patience,
): Promise<string> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    const fail = (error: RpcError) => {
      res.destroy();
      reject(error);
    };
    patience.onOver(() => fail(overdue(patience.over() ?? 'aborted', 'unknown')));
    if (patience.over()) return fail(overdue(patience.over() ?? 'aborted', 'unknown'));
    res.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes <= maxBytes) chunks.push(chunk);
      else fail(new RpcError('too-large', 'the answer is too large'));
    });
    res.once('end', () => resolve(Buffer.concat(chunks).toString()));
    const onBroken = () =>
      fail(new RpcError('broken', 'the connection broke in the answer', { isRetryable: true }));
    res.on('error', onBroken).once('close', () => res.readableEnded || onBroken());
  });
}
