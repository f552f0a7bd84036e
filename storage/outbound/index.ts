import { Agent as HttpAgent, request as httpRequest, type IncomingMessage } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import type { Readable } from 'node:stream';
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib';
import { checkUrl, publicLookup } from './guard.ts';
import {
  OutboundError,
  type Outbound,
  type OutboundAnswer,
  type OutboundRequest,
} from './outbound.ts';

export {
  OutboundError,
  type Outbound,
  type OutboundAnswer,
  type OutboundCode,
  type OutboundRequest,
} from './outbound.ts';

export interface OutboundOptions {
  /** Origins an operator has configured: these alone may be inside the home. */
  readonly trusted?: readonly string[];
  /** Who asks, as servers see it. */
  readonly userAgent: string;
}

const redirectsMax = 3;
const socketsPerHost = 8;
const idleMs = 30_000;

/**
 * A client for what others say: addresses, redirects, time and size are all bounded, as is every
 * name behind a redirect. It sends no cookies and follows no proxy of the environment.
 */
export function createOutbound(options: OutboundOptions): Outbound {
  const trusted = new Set((options.trusted ?? []).map((url) => new URL(url).origin));
  const pool = { keepAlive: true, maxSockets: socketsPerHost, timeout: idleMs };
  const agents = { http: new HttpAgent(pool), https: new HttpsAgent(pool) };
  const lookup = publicLookup();
  const ask: Ask = (url, request, signal) => {
    const isTrusted = trusted.has(url.origin);
    checkUrl(url, isTrusted);
    const isTls = url.protocol === 'https:';
    const headers = {
      'user-agent': options.userAgent,
      'accept-encoding': 'gzip, deflate, br',
      ...request.headers,
    };
    const settings = {
      ...{ method: request.method ?? 'GET', headers, signal },
      agent: isTls ? agents.https : agents.http,
      ...(isTrusted ? {} : { lookup }),
    };
    return new Promise((resolve, reject) => {
      const sent = (isTls ? httpsRequest : httpRequest)(url, settings, resolve);
      sent.on('error', reject);
      sent.end(request.body);
    });
  };
  return {
    fetch: (url, request) => fetchWhole(ask, url, request),
    async [Symbol.asyncDispose]() {
      agents.http.destroy();
      agents.https.destroy();
    },
  };
}

type Ask = (url: URL, request: OutboundRequest, signal: AbortSignal) => Promise<IncomingMessage>;

async function fetchWhole(
  ask: Ask,
  address: string,
  request: OutboundRequest,
): Promise<OutboundAnswer> {
  const late = AbortSignal.timeout(request.timeoutMs);
  const signal = request.signal === undefined ? late : AbortSignal.any([late, request.signal]);
  let url = parse(address);
  let wanted = request;
  try {
    for (let hop = 0; hop <= redirectsMax; hop++) {
      const response = await ask(url, wanted, signal);
      const next = redirectOf(response, url);
      if (next === undefined) return await readWhole(response, request.maxBytes);
      response.destroy();
      if (next.origin !== url.origin) wanted = forAnother(wanted, url);
      url = next;
    }
  } catch (error) {
    throw toOutboundError(error, { host: url.host, late, given: request.signal });
  }
  throw new OutboundError('broken', `${url.host} redirects in circles`);
}

/** What proves who asks, and what was said, is for the one who was asked. */
function forAnother(request: OutboundRequest, asked: URL): OutboundRequest {
  if (request.body === undefined) return { ...request, headers: {} };
  throw new OutboundError('refused', `${asked.host} sends what it was told on to another`);
}

function parse(address: string, base?: URL): URL {
  const url = URL.parse(address, base?.href);
  if (url === null) throw new OutboundError('refused', 'not an address');
  return url;
}

function redirectOf({ statusCode = 0, headers }: IncomingMessage, from: URL): URL | undefined {
  const isRedirect = [301, 302, 303, 307, 308].includes(statusCode);
  return isRedirect && headers.location !== undefined ? parse(headers.location, from) : undefined;
}

async function readWhole(response: IncomingMessage, maxBytes: number): Promise<OutboundAnswer> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  try {
    for await (const chunk of unpacked(response) as AsyncIterable<Uint8Array>) {
      size += chunk.length;
      if (size > maxBytes) throw new OutboundError('too-large', `more than ${maxBytes} bytes`);
      chunks.push(chunk);
    }
  } finally {
    response.destroy();
  }
  const headers = Object.entries(response.headers).map(([name, value]) => [name, String(value)]);
  return {
    status: response.statusCode ?? 0,
    headers: Object.fromEntries(headers) as Record<string, string>,
    bytes: Buffer.concat(chunks),
  };
}

/** The body as it was before it was packed; counted there, so that no small one bursts. */
function unpacked(response: IncomingMessage): Readable {
  const unpack = unpackers[response.headers['content-encoding']?.trim().toLowerCase() ?? '']?.();
  if (unpack === undefined) return response;
  response.on('error', (error) => unpack.destroy(error));
  response.on('aborted', () => unpack.destroy(new Error('it stopped in the middle')));
  return response.pipe(unpack);
}

const unpackers: Readonly<Record<string, () => ReturnType<typeof createGunzip>>> = {
  gzip: createGunzip,
  'x-gzip': createGunzip,
  deflate: createInflate,
  br: createBrotliDecompress,
};

const brokenCodes: ReadonlySet<string> = new Set([
  'ECONNRESET',
  'EPIPE',
  'ERR_STREAM_PREMATURE_CLOSE',
]);

function toOutboundError(
  error: unknown,
  asked: { host: string; late: AbortSignal; given: AbortSignal | undefined },
): OutboundError {
  if (error instanceof OutboundError) return error;
  const { host, late, given } = asked;
  if (given?.aborted === true) return new OutboundError('cancelled', 'given up', { cause: error });
  if (late.aborted) {
    return new OutboundError('timeout', `${host} did not answer in time`, { cause: error });
  }
  const code = (error as NodeJS.ErrnoException).code ?? '';
  const isBroken = brokenCodes.has(code) || /^(?:HPE_|Z_|ERR_BUFFER|ERR__ERROR)/.test(code);
  const said = code === '' && error instanceof Error ? error.message : code;
  return new OutboundError(isBroken ? 'broken' : 'unreachable', `${host}: ${said}`, {
    cause: error,
  });
}
