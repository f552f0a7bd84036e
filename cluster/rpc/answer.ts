import type { IncomingMessage, ServerResponse } from 'node:http';
import { CallError, type Executed, type WireError } from './errors.ts';
import { HEADERS, textOf } from './wire.ts';

/** Why this layer does not do it; nothing has been executed unless it says so. */
export interface Refusal {
  readonly status: number;
  readonly code: string;
  readonly message: string;
  readonly isRetryable?: boolean;
  readonly executed?: Executed;
  /** What is still to come of the request is not worth reading. */
  readonly mustClose?: boolean;
}

export const REFUSALS = {
  busy: (what: string): Refusal => ({
    ...{ status: 503, code: 'busy', message: `too many ${what} at once`, isRetryable: true },
  }),
  closing: { status: 503, code: 'closing', message: 'the node is stopping', isRetryable: true },
  unknown: { status: 404, code: 'unknown-call', message: 'there is no such call here' },
  notJson: { status: 400, code: 'bad-request', message: 'the input is not JSON' },
  cut: { status: 400, code: 'bad-request', message: 'the input was cut off', mustClose: true },
  tooLarge: { status: 413, code: 'too-large', message: 'the input is too large', mustClose: true },
} as const;

/** Answers in this layer's own name. */
export function refuse(res: ServerResponse, refusal: Refusal): void {
  if (res.headersSent || res.destroyed) return;
  const { status, code, message, isRetryable = false, executed = 'no' } = refusal;
  if (refusal.mustClose) res.setHeader('connection', 'close');
  res.setHeader(HEADERS.error, '1');
  const error: WireError = { code, message, retryable: isRetryable, executed };
  sendJson(res, status, JSON.stringify(error));
}

export function sendJson(res: ServerResponse, status: number, text: string): void {
  const body = Buffer.from(text);
  res.writeHead(status, { 'content-type': 'application/json', 'content-length': body.length });
  res.end(body);
}

/** What a handler threw, as the caller is to hear it; undefined: it is not told what. */
export function refusalOf(error: unknown): Refusal | undefined {
  if (!(error instanceof CallError)) return undefined;
  const { code, message, isRetryable, isExecuted: executed } = error;
  return { status: 422, code, message, isRetryable, executed };
}

/** The input of a call, or why there is none. Bytes above the limit are not kept. */
export function readInput(
  req: IncomingMessage,
  maxBytes: number,
): Promise<{ readonly input: unknown } | { readonly refusal: Refusal }> {
  if (Number(textOf(req.headers, 'content-length') ?? 0) > maxBytes) {
    return Promise.resolve({ refusal: REFUSALS.tooLarge });
  }
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    req.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes <= maxBytes) return void chunks.push(chunk);
      req.pause();
      resolve({ refusal: REFUSALS.tooLarge });
    });
    req.once('end', () => resolve(parse(Buffer.concat(chunks).toString())));
    const cut = () => resolve({ refusal: REFUSALS.cut });
    req.once('error', cut).once('close', cut);
  });
}

function parse(text: string) {
  try {
    return { input: JSON.parse(text) as unknown };
  } catch {
    return { refusal: REFUSALS.notJson };
  }
}

export interface Running {
  readonly signal: AbortSignal;
  readonly deadline: number;
  /** Resolves when nobody waits for the answer any more, with whether it is the deadline. */
  readonly ended: Promise<'deadline' | 'gone'>;
  stop(): void;
}

/** How long a call may run: until its caller is gone, or its deadline over. */
export function startRunning(res: ServerResponse, ms: number, now: number): Running {
  const controller = new AbortController();
  const { promise, resolve } = Promise.withResolvers<'deadline' | 'gone'>();
  const end = (why: 'deadline' | 'gone') => {
    clearTimeout(timer);
    resolve(why);
    controller.abort();
  };
  const timer = setTimeout(() => end('deadline'), ms);
  const onClose = () => end('gone');
  res.once('close', onClose);
  return {
    signal: controller.signal,
    deadline: now + ms,
    ended: promise,
    stop() {
      clearTimeout(timer);
      res.off('close', onClose);
    },
  };
}
