import { createServer, maxHeaderSize, STATUS_CODES, type Server } from 'node:http';
import { isIPv6, Server as NetServer, type AddressInfo, type Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { randomUUID } from 'node:crypto';
import { problems, type ProblemCode } from '#services/errors.ts';
import type { App } from './app.ts';
import { limitArrival } from './arriving.ts';

/** Where to listen, and how patient to be with slow clients. */
export interface ListenOptions {
  /** 0 takes any free port. */
  port: number;
  host: string;
  /** For the whole of the headers. */
  headersTimeoutMs?: number;
  /**
   * For the whole of a request, body included but for large ones, which have a pace to keep
   * (large-bodies.ts); answers may take as long as they like.
   */
  requestTimeoutMs?: number;
  /** A connection on which nothing moves for so long is closed: a player that was forgotten. */
  idleTimeoutMs?: number;
  keepAliveMs?: number;
  headersMaxBytes?: number;
  connectionsMax?: number;
  /** At the end: how long requests that run may go on. */
  drainMs?: number;
}

/** A socket that listens; disposing of it stops accepting and lets what runs finish. */
export interface Listening extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  close(): Promise<void>;
}

const requestTimeoutMs = 150_000;
const lookAtArrivalsMs = 5_000;

/** Serves an app over HTTP/1.1. Rejects when the address is taken or may not be used. */
export async function listen(app: App, options: ListenOptions): Promise<Listening> {
  const headersTimeout = options.headersTimeoutMs ?? 15_000;
  const server = createServer(
    {
      headersTimeout,
      requestTimeout: 0,
      keepAliveTimeout: options.keepAliveMs ?? 65_000,
      connectionsCheckingInterval: Math.min(lookAtArrivalsMs, headersTimeout),
      maxHeaderSize: options.headersMaxBytes ?? maxHeaderSize,
      noDelay: true,
    },
    app.express,
  );
  server.setTimeout(options.idleTimeoutMs ?? 900_000);
  server.maxConnections = options.connectionsMax ?? 10_000;
  server.on('checkContinue', (req, res) => {
    // The body reader says when to go on. Who is answered before may keep the body back, and then
    // what follows on the connection would be taken for it: it ends here.
    res.shouldKeepAlive = false;
    app.express(req, res);
  });
  server.on('clientError', refuse);
  const timeoutMs = options.requestTimeoutMs ?? requestTimeoutMs;
  const everyMs = Math.min(lookAtArrivalsMs, timeoutMs);
  server.on('close', limitArrival(server, { timeoutMs, everyMs }));
  const arrivals = watchArrivals(server);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ port: options.port, host: options.host }, () => {
      server.off('error', reject);
      resolve();
    });
  });
  const { port } = server.address() as AddressInfo;
  const host = isIPv6(options.host) ? `[${options.host}]` : options.host;
  const url = `http://${host}:${port}`;
  app.log.info('listening', { url });
  const warming = new AbortController();
  app.warm(warming.signal).catch((error: unknown) => {
    app.log.error('a validator does not compile', { error });
  });
  let closing: Promise<void> | undefined;
  const close = () => {
    warming.abort();
    return (closing ??= end(server, { app, arrivals, drainMs: options.drainMs ?? 10_000 }));
  };
  return { url, port, close, [Symbol.asyncDispose]: close };
}

/** For the first bytes on connections that were just made: clients may be busy too. */
const arrivingMaxMs = 1_000;
const lookMs = 20;
/** Of a crowd that never ends the rest is turned away. */
const acceptedMax = 2_000;

interface Closing {
  readonly app: App;
  readonly arrivals: Arrivals;
  readonly drainMs: number;
}

async function end(server: Server, { app, arrivals, drainMs }: Closing): Promise<void> {
  // What the kernel has taken in is accepted first, one a turn: closing would reset it.
  for (let before = -1, turns = 0; before < arrivals.all() && turns < acceptedMax; turns += 1) {
    before = arrivals.all();
    await new Promise((resolve) => setImmediate(resolve));
  }
  // Its own `close` ends idle connections at once, also one on which a request is about to arrive.
  const closed = new Promise<void>((resolve) => {
    NetServer.prototype.close.call(server, () => resolve());
  });
  for (let waitedMs = 0; arrivals.silent() > 0 && waitedMs < arrivingMaxMs; waitedMs += lookMs) {
    await pause(lookMs);
  }
  server.close(() => undefined);
  await app.inFlight.drain(drainMs);
  server.closeAllConnections();
  await closed;
  app.log.info('stopped listening');
}

interface Arrivals {
  /** Connections that were accepted so far. */
  all(): number;
  /** Those open on which nothing has come yet. */
  silent(): number;
}

function watchArrivals(server: Server): Arrivals {
  const open = new Set<Socket>();
  let count = 0;
  server.on('connection', (socket: Socket) => {
    count += 1;
    open.add(socket);
    socket.once('close', () => open.delete(socket));
  });
  return {
    all: () => count,
    silent: () => [...open].filter(({ bytesRead }) => bytesRead === 0).length,
  };
}

/** What never became a request is answered on the bare socket, in the same form. */
function refuse(error: Error & { code?: string }, socket: Socket): void {
  if (!socket.writable || error.code === 'ECONNRESET') {
    socket.destroy();
    return;
  }
  const [status, code, detail] = meaningOf(error.code ?? '');
  const body = JSON.stringify({
    type: `/problems/${code}`,
    title: problems[code].title,
    status,
    detail,
    instance: randomUUID(),
  });
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n` +
      'Content-Type: application/problem+json\r\n' +
      `Content-Length: ${Buffer.byteLength(body)}\r\n` +
      `Cache-Control: no-store\r\nConnection: close\r\n\r\n${body}`,
  );
}

function meaningOf(code: string): [number, ProblemCode, string] {
  switch (code) {
    case 'HPE_HEADER_OVERFLOW':
      return [431, 'bad-request', 'The headers are too large'];
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return [408, 'too-slow', 'The request did not arrive in time'];
    case 'HPE_CHUNK_EXTENSIONS_OVERFLOW':
      return [413, 'too-large', 'The chunk extensions are too large'];
    default:
      return [400, 'bad-request', 'This is not HTTP'];
  }
}
