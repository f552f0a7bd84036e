import type { Socket } from 'node:net';
import { Readable } from 'node:stream';
import type { TLSSocket } from 'node:tls';
import type { PeerRef } from '../core/types.ts';
import { RefusedError, installSize, requestFromWire, responseToWire } from '../wire/convert.ts';
import {
  encodeResponse,
  type Kind,
  type WireRequest,
  type WireResponse,
} from '../wire/messages.ts';
import { DEFAULT_LIMITS } from '../wire/msgpack.ts';
import { keptToWire, resumedFromWire, resumedToWire } from '../wire/resume.ts';
import { createRequestReader, type RequestReader } from '../wire/stream.ts';
import type { KeptOf, RequestHandler, Shared } from './types.ts';

/** A sender may run ahead of the handler by about this much; then its socket waits. */
const AHEAD_BYTES = 256 * 1024;
/** Answers are small: a peer that lets so many lie does not read them. */
const MAX_UNREAD_ANSWERS = 1024 * 1024;

/** Bytes that wait in memory, over all connections. */
export interface Held {
  bytes: number;
}

interface Serving {
  readonly shared: Shared;
  readonly handler: RequestHandler;
  readonly kept: KeptOf | undefined;
  readonly held: Held;
}

/** The stream behind an install request. */
interface Stream {
  left: number;
  /** Undefined: nobody wants the rest. */
  body: Readable | undefined;
}

/** A connection from another node: a request is read, handled to its end and answered, then the next. */
interface Connection extends Serving {
  readonly socket: Socket;
  readonly remote: string;
  readonly reader: RequestReader;
  readonly verify: (id: string | undefined) => boolean;
  /** By the id it says, or the name that it shows. */
  readonly isRefused: (id: string | undefined) => boolean;
  /** It has said something that is a request. */
  hasAsked: boolean;
  isBusy: boolean;
  /** Ready, and waiting for the end of the stream. */
  answer: Uint8Array | undefined;
  stream: Stream | undefined;
  /** What of `held` is this connection's. */
  counted: number;
  /** When the frame that is being read began. */
  begun: number | undefined;
}

export function serve(socket: Socket, serving: Serving): void {
  const { timeouts, limits, noise } = serving.shared;
  const remote = `${socket.remoteAddress}:${socket.remotePort}`;
  const c: Connection = {
    ...serving,
    socket,
    remote,
    reader: createRequestReader({ ...DEFAULT_LIMITS, maxFrameBytes: limits.maxFrameBytes }),
    verify: createVerifier(socket, serving.shared),
    isRefused: createRefusal(socket, serving.shared),
    hasAsked: false,
    isBusy: false,
    answer: undefined,
    stream: undefined,
    counted: 0,
    begun: undefined,
  };
  socket.on('data', (chunk: Buffer) => take(c, chunk));
  socket.setTimeout(timeouts.requestMs, () => {
    const isStreaming = c.stream !== undefined && !socket.isPaused();
    if (c.reader.isInside || isStreaming) giveUp(c, 'a request stopped halfway');
    // Peers connect when they have something to say; others would keep their places from them.
    else if (!c.hasAsked) giveUp(c, 'it asks nothing');
  });
  socket.on('error', (error) => {
    noise.info('a raft connection broke', { remote, reason: String(error) });
  });
  socket.on('close', () => {
    count(c, 0);
    c.stream?.body?.destroy(new Error('the connection ended inside a snapshot'));
  });
}

function count(c: Connection, bytes: number): void {
  c.held.bytes += bytes - c.counted;
  c.counted = bytes;
}

function giveUp({ socket, shared, remote }: Connection, reason: string): void {
  shared.noise.warn('a raft connection was closed', { remote, reason });
  socket.destroy();
}

function take(c: Connection, chunk: Uint8Array): void {
  const { limits, timeouts } = c.shared;
  c.reader.push(chunk);
  advance(c);
  if (c.socket.destroyed) return;
  count(c, c.reader.buffered);
  if (c.held.bytes > limits.maxIncomingBytes) giveUp(c, 'too many bytes wait in memory');
  else if (!c.reader.isInside) c.begun = undefined;
  else if (c.begun === undefined) c.begun = performance.now();
  else if (performance.now() - c.begun > timeouts.frameMs) giveUp(c, 'a request comes too slowly');
}

/** Goes on until it needs more bytes or the handler's answer. */
function advance(c: Connection): void {
  try {
    while (!c.socket.destroyed) {
      if (c.stream) {
        if (!feed(c, c.stream)) return;
      } else if (c.isBusy) {
        if (c.reader.buffered > AHEAD_BYTES) c.socket.pause();
        return;
      } else {
        const request = c.reader.next();
        if (!request) return;
        begin(c, request);
      }
    }
  } catch (error) {
    giveUp(c, error instanceof Error ? error.message : String(error));
  }
}

/** False: the stream is not over and there are no bytes of it. */
function feed(c: Connection, stream: Stream): boolean {
  const bytes = c.reader.raw(stream.left);
  const { body } = stream;
  if (bytes) {
    stream.left -= bytes.length;
    if (body && !body.destroyed && !body.push(bytes)) c.socket.pause();
  }
  if (stream.left > 0) return bytes !== undefined;
  body?.push(null);
  c.stream = undefined;
  if (c.answer) reply(c, c.answer);
  return true;
}

function begin(c: Connection, wire: WireRequest): void {
  const { shared, remote } = c;
  c.isBusy = true;
  c.hasAsked = true;
  if (wire.kind === 'install') c.stream = { left: installSize(wire.body), body: undefined };
  let asked: Asked;
  try {
    asked = readAsked(c, wire);
  } catch (error) {
    if (!(error instanceof RefusedError)) throw error;
    const reason = error.message;
    shared.noise.warn('a raft request was refused', { remote, kind: wire.kind, reason });
    return reply(c, refusal(wire.kind, reason));
  }
  if (!c.verify(asked.from.id)) return giveUp(c, 'its certificate does not speak for its sender');
  if (c.isRefused(asked.from.id)) return giveUp(c, 'its sender was removed from the cluster');
  asked.answer().then(
    (response) => settle(c, encodeResponse(response)),
    (error: unknown) => {
      const reason = error instanceof Error ? error.message : String(error);
      shared.noise.warn('a raft request failed', { remote, kind: wire.kind, reason });
      settle(c, refusal(wire.kind, reason));
    },
  );
}

interface Asked {
  readonly from: PeerRef;
  answer(): Promise<WireResponse>;
}

/** @throws RefusedError */
function readAsked(c: Connection, wire: WireRequest): Asked {
  const { handler, kept } = c;
  const { self } = c.shared;
  const body = () => {
    if (c.stream) c.stream.body = createBody(c.socket);
    return c.stream?.body;
  };
  // Who cannot go on with a snapshot answers as Go does: this version is not known here.
  const resumed = kept ? resumedFromWire(wire) : undefined;
  if (!kept || !resumed) {
    const request = requestFromWire(wire);
    return {
      from: request.from,
      answer: async () => responseToWire(await handler(request, body(), undefined), self),
    };
  }
  const { request, rest, isQuestion } = resumed;
  return {
    from: request.from,
    answer: async () =>
      isQuestion
        ? keptToWire(await kept(request, rest.crc), self)
        : resumedToWire(await handler(request, body(), rest), self),
  };
}

function createBody(socket: Socket): Readable {
  const body = new Readable({
    read: () => void socket.resume(),
    destroy(error, then) {
      socket.resume(); // the rest is drained
      then(error);
    },
  });
  return body.on('error', () => undefined); // the handler meets it while reading
}

function settle(c: Connection, bytes: Uint8Array): void {
  if (c.socket.destroyed) return;
  reply(c, bytes);
  advance(c);
  if (!c.socket.destroyed) count(c, c.reader.buffered);
}

/** Sends the answer, or keeps it until the last byte of a stream has come. */
function reply(c: Connection, bytes: Uint8Array): void {
  const { socket, stream } = c;
  if (stream) {
    const unwanted = stream.body;
    c.answer = bytes;
    stream.body = undefined;
    unwanted?.destroy();
    socket.resume();
    return;
  }
  c.answer = undefined;
  c.isBusy = false;
  socket.write(bytes);
  if (socket.writableLength > MAX_UNREAD_ANSWERS) giveUp(c, 'it does not read its answers');
  else if (socket.isPaused()) socket.resume();
}

const refusal = (kind: Kind, error: string) => encodeResponse({ kind, error, body: null });

/** Whether the other side's certificate may speak as this id; asked once per id and connection. */
function createVerifier(socket: Socket, { tls }: Shared): (id: string | undefined) => boolean {
  const verifyPeer = tls?.verifyPeer;
  if (!verifyPeer) return () => true;
  const certificate = (socket as TLSSocket).getPeerCertificate();
  const known = new Set<string | undefined>();
  return (id) => {
    if (known.has(id)) return true;
    if (!verifyPeer(id, certificate)) return false;
    if (known.size < 16) known.add(id);
    return true;
  };
}

/** A certificate also speaks for the later ids of its server; that of a removed one for none. */
function createRefusal(socket: Socket, shared: Shared): (id: string | undefined) => boolean {
  const name = shared.tls ? (socket as TLSSocket).getPeerCertificate().subject?.CN : undefined;
  return (id) => [id, name].flat().some((each) => each !== undefined && shared.refused.has(each));
}
