import type { OutgoingHttpHeaders, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { finished } from 'node:stream/promises';
import type { JsonAnswer, StreamReply } from '#api/handler.ts';
import { problems, type ProblemError } from '#services/errors.ts';
import { chooseCoding } from './encoding.ts';
import type { Exchange } from './exchange.ts';
import { matchesTag, type Render } from './rendering.ts';

const compressFromBytes = 1024;
const json = 'application/json; charset=utf-8';

/** Writes a whole answer. Does nothing when the client is gone or has been answered. */
export function send(exchange: Exchange, status: number, answer: Answer = {}): void {
  const { res } = exchange;
  if (res.headersSent || res.destroyed) return;
  const { body, sizeBytes, headers = [] } = answer;
  const length =
    body === undefined ? noBody(status) : ['Content-Length', String(sizeBytes ?? body.length)];
  res.writeHead(status, [...baseHeaders(exchange, answer), ...headers, ...length]);
  if (body !== undefined && exchange.req.method !== 'HEAD') res.end(body);
  else res.end();
}

interface Answer {
  /** Text comes with its size in bytes. */
  body?: Buffer | string | undefined;
  sizeBytes?: number;
  /** True when `headers` holds none that every answer has. */
  plain?: boolean;
  /** Flat: name, value, … */
  headers?: readonly string[];
}

const noBody = (status: number) =>
  status === 204 || status === 304 || status < 200 ? [] : ['Content-Length', '0'];

function baseHeaders(exchange: Exchange, answer: Answer): string[] {
  const base = [...exchange.security, ...exchange.headers];
  const { headers = [], plain = false } = answer;
  if (plain || headers.length === 0) return base;
  const own = new Set<string>();
  for (let i = 0; i < headers.length; i += 2) own.add(headers[i]?.toLowerCase() ?? '');
  const kept: string[] = [];
  for (let i = 0; i < base.length; i += 2) {
    const name = base[i] ?? '';
    // What answers vary by adds up.
    if (name === 'Vary' || !own.has(name.toLowerCase())) kept.push(name, base[i + 1] ?? '');
  }
  return kept;
}

/** Answers JSON: with a tag and 304 for reads, compressed where the client takes it. */
export async function sendJson(
  exchange: Exchange,
  answer: JsonAnswer<unknown>,
  options: { status: number; render: Render },
): Promise<void> {
  const { req } = exchange;
  const status = answer.status ?? options.status;
  const headers = flatten(answer.headers);
  const read = req.method === 'GET' || req.method === 'HEAD';
  const plain = answer.headers === undefined;
  if (answer.body === undefined) return send(exchange, status, { headers, plain });
  const rendered = options.render(answer.body as object);
  const fresh = read && status === 200;
  const own = (name: string) => (plain ? undefined : valueOf(headers, name));
  headers.push('Content-Type', json);
  if (own('cache-control') === undefined) {
    headers.push('Cache-Control', fresh ? 'private, no-cache' : 'no-store');
  }
  if (fresh) {
    const stated = own('etag');
    const etag = stated ?? rendered.etag();
    headers.push('Vary', 'Accept-Encoding');
    if (stated === undefined) headers.push('ETag', etag);
    if (matchesTag(req.headers['if-none-match'], etag)) {
      return send(exchange, 304, { headers, plain });
    }
  }
  const { text, sizeBytes } = rendered;
  const small = sizeBytes < compressFromBytes || req.method === 'HEAD';
  const coding = small ? undefined : chooseCoding(req.headers['accept-encoding']);
  if (!coding) return send(exchange, status, { headers, plain, body: text, sizeBytes });
  headers.push('Content-Encoding', coding);
  send(exchange, status, { headers, plain, body: await rendered.coded(coding) });
}

/** Answers bytes: never compressed, never kept; ends early when the client does. */
export async function sendStream(exchange: Exchange, reply: StreamReply): Promise<void> {
  const { res, req } = exchange;
  const { stream } = reply;
  const headers = flatten(reply.headers);
  if (!(stream instanceof Readable)) {
    if (stream === undefined) return sendHead(exchange, reply.status, headers);
    return send(exchange, reply.status, { headers, body: Buffer.from(stream) });
  }
  if (res.destroyed || res.headersSent || req.method === 'HEAD') {
    stream.destroy();
    return res.destroyed || res.headersSent ? undefined : sendHead(exchange, reply.status, headers);
  }
  res.writeHead(reply.status, [...baseHeaders(exchange, { headers }), ...headers]);
  await pump(stream, res);
}

/**
 * Writes chunk by chunk, so that the memory of one that is written can be used for another. Ends
 * the stream with the client, and rejects when either breaks off.
 */
async function pump(stream: Readable & { recycle?(chunk: Uint8Array): void }, res: ServerResponse) {
  const stop = () => stream.destroy();
  res.once('close', stop);
  try {
    for await (const chunk of stream as AsyncIterable<Uint8Array | string>) {
      await new Promise<void>((resolve, reject) => {
        res.write(chunk, (error) => (error ? reject(error) : resolve()));
      });
      if (typeof chunk !== 'string') stream.recycle?.(chunk);
    }
    res.end();
    await finished(res);
  } finally {
    res.off('close', stop);
  }
}

/** Passes another node's answer on as it is. */
export async function sendHandedOn(
  { res }: Exchange,
  answer: { status: number; headers: OutgoingHttpHeaders; body: Readable },
): Promise<void> {
  if (res.destroyed || res.headersSent) return void answer.body.destroy();
  res.writeHead(answer.status, answer.headers);
  await pump(answer.body, res);
}

/** A head alone keeps the length the handler states: `HEAD` tells what `GET` would send. */
function sendHead(exchange: Exchange, status: number, headers: string[]): void {
  const { res } = exchange;
  if (res.destroyed || res.headersSent) return;
  const stated = valueOf(headers, 'content-length') !== undefined;
  const length = stated || exchange.req.method === 'HEAD' ? [] : noBody(status);
  res.writeHead(status, [...baseHeaders(exchange, { headers }), ...headers, ...length]);
  res.end();
}

/** Answers a failure as `application/problem+json` (RFC 9457). */
export function sendProblem(exchange: Exchange, error: ProblemError): void {
  const { extra, code, status } = error;
  const body = {
    type: `/problems/${code}`,
    title: problems[code].title,
    status,
    detail: error.message,
    instance: exchange.id,
    ...(extra.errors && { errors: extra.errors }),
  };
  const headers = flatten(extra.headers);
  headers.push('Content-Type', 'application/problem+json', 'Cache-Control', 'no-store');
  if (extra.retryAfterSeconds !== undefined) {
    headers.push('Retry-After', String(Math.max(1, Math.ceil(extra.retryAfterSeconds))));
  }
  if (status === 401) headers.push('WWW-Authenticate', 'Bearer realm="revenge"');
  if (status === 413) headers.push('Connection', 'close'); // the rest of the body is not wanted
  send(exchange, status, { headers, body: Buffer.from(JSON.stringify(body)) });
}

function valueOf(headers: readonly string[], wanted: string): string | undefined {
  const at = headers.findIndex((name, i) => i % 2 === 0 && name.toLowerCase() === wanted);
  return at < 0 ? undefined : headers[at + 1];
}

function flatten(headers: Readonly<Record<string, string | number>> = {}): string[] {
  return Object.entries(headers).flatMap(([name, value]) => [name, String(value)]);
}
