import { randomUUID } from 'node:crypto';
import type { Request, Response } from 'express';
import type { Principal } from '#services/principal.ts';
import { handedOnFrom, type HandedOnFrom } from './handed-on.ts';
import type { FlatHeaders } from './headers.ts';
import type { Route } from './operations.ts';

/** One request and its answer, from the first byte to the last. */
export interface Exchange {
  readonly req: Request;
  readonly res: Response;
  readonly id: string;
  readonly startedAt: number;
  readonly path: string;
  readonly search: string;
  readonly ip: string;
  readonly bytesBefore: number;
  route: Route | undefined;
  /** The body as it came, where it was read before its operation was known to be ours. */
  body: Buffer | undefined;
  /** It waits for its turn: the time it may take has not begun. */
  isWaiting: boolean;
  /** Set when another node has handed this request to us, the leader. */
  readonly handedOn: HandedOnFrom | undefined;
  principal: Principal | undefined;
  /** What every answer to this request carries (request id, rate limits, security). */
  headers: string[];
  security: FlatHeaders;
  /** Aborted when the client is gone, on time-out, and at the node's end. */
  readonly signal: AbortSignal;
  abort(reason: Error): void;
}

const saneId = /^[\w.:-]{8,64}$/;

/** A client's own request id when it is harmless in logs and headers; otherwise a new one. */
export function requestId(given: string | undefined, make: () => string = randomUUID): string {
  return given !== undefined && saneId.test(given) ? given : make();
}

/** The client's address, without the IPv6 wrapping of an IPv4 one. */
export function plainIp(ip: string | undefined): string {
  if (ip === undefined) return 'unknown';
  return ip.startsWith('::ffff:') ? ip.slice(7) : ip;
}

/** What an exchange begins with. */
export interface ExchangeOptions {
  now: () => number;
  makeId: (() => string) | undefined;
  security: FlatHeaders;
  trustProxy: boolean;
}

/** Opens an exchange; its signal is made only when somebody asks for it. */
export function openExchange(req: Request, res: Response, options: ExchangeOptions): Exchange {
  const { path, search } = splitUrl(req.url);
  const handedOn = handedOnFrom(req);
  const id = requestId(req.headers['x-request-id'] as string | undefined, options.makeId);
  let controller: AbortController | undefined;
  let reason: Error | undefined;
  return {
    req,
    res,
    id,
    startedAt: options.now(),
    path,
    search,
    ip: handedOn?.ip ?? plainIp(options.trustProxy ? req.ip : req.socket.remoteAddress),
    bytesBefore: req.socket.bytesWritten,
    route: undefined,
    body: undefined,
    isWaiting: false,
    handedOn,
    principal: undefined,
    headers: ['X-Request-Id', id],
    security: options.security,
    get signal() {
      controller ??= new AbortController();
      if (reason && !controller.signal.aborted) controller.abort(reason);
      return controller.signal;
    },
    abort(because) {
      reason ??= because;
      controller?.abort(because);
    },
  };
}

/** Path and query of a request target; an absolute one (RFC 9112 §3.2.2) loses its origin. */
export function splitUrl(url: string): { path: string; search: string } {
  const target = url.startsWith('/') ? url : url.replace(/^[a-z]+:\/\/[^/?#]*/i, '');
  const at = target.indexOf('?');
  const path = at < 0 ? target : target.slice(0, at);
  return { path: path === '' ? '/' : path, search: at < 0 ? '' : target.slice(at + 1) };
}
