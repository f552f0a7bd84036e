/** hashicorp/raft's TCP transport, both sides of it, with mutual TLS if wanted. */
import {
  createServer as createTcpServer,
  type AddressInfo,
  type Server,
  type Socket,
} from 'node:net';
import { Readable } from 'node:stream';
import { createServer as createTlsServer } from 'node:tls';
import type { FailureReason, Response } from '../core/types.ts';
import { isUnknownCommand, responseFromWire } from '../wire/convert.ts';
import { createBlockCache } from './blocks.ts';
import { serve, type Held } from './inbound.ts';
import { createPeer, type Peer } from './peer.ts';
import {
  DEFAULT_TIMEOUTS,
  DEFAULT_TRANSPORT_LIMITS,
  SendError,
  type Bytes,
  type Outgoing,
  type Shared,
  type TcpTransport,
  type TcpTransportOptions,
} from './types.ts';

export { SendError } from './types.ts';
export type { TcpTransport, TcpTransportOptions } from './types.ts';

const KEEP_ALIVE_MS = 30_000;

export function createTcpTransport(options: TcpTransportOptions): TcpTransport {
  const { self, tls, log } = options;
  const shared: Shared = {
    ...{ self, tls, log },
    timeouts: { ...DEFAULT_TIMEOUTS, ...options.timeouts },
    limits: { ...DEFAULT_TRANSPORT_LIMITS, ...options.limits },
    outgoing: new Set(),
  };
  const peerOf = createPeers(shared);
  const incoming = new Set<Socket>();
  const held: Held = { bytes: 0 };
  let server: Server | undefined;

  return {
    async listen(handler) {
      const taken = createServer(shared, (socket) => serve(socket, { shared, handler, held }));
      server = taken;
      taken.on('connection', (socket: Socket) => {
        incoming.add(socket);
        socket.once('close', () => incoming.delete(socket));
      });
      await new Promise<void>((resolve, reject) => {
        taken.once('error', reject);
        taken.listen({ ...options.listen }, () => {
          taken.off('error', reject);
          resolve();
        });
      });
      taken.on('error', (error) => log.error('raft listening failed', { reason: String(error) }));
    },
    address() {
      const { address, port } = server?.address() as AddressInfo;
      return { host: address, port };
    },
    send: (outgoing) => ask(peerOf, outgoing),
    stats: () => ({
      incoming: incoming.size,
      outgoing: shared.outgoing.size,
      incomingBytes: held.bytes,
    }),
    async close() {
      peerOf.close();
      const ended = new Promise<void>((resolve) => {
        if (server?.listening) server.close(() => resolve());
        else resolve();
      });
      for (const socket of incoming) socket.destroy();
      await ended;
    },
  };
}

interface Peers {
  (outgoing: Outgoing): Peer | undefined;
  close(): void;
}

function createPeers(shared: Shared): Peers {
  const blocks = createBlockCache();
  const peers = new Map<string, Peer>();
  let isClosed = false;

  function peerOf({ to, address }: Outgoing): Peer | undefined {
    if (isClosed) return undefined;
    const known = peers.get(to);
    if (known?.address === address) return known;
    known?.close(); // it has moved
    const peer = createPeer({ to, address, shared, blocks });
    peers.set(to, peer);
    return peer;
  }

  return Object.assign(peerOf, {
    close() {
      isClosed = true;
      for (const peer of peers.values()) peer.close();
    },
  });
}

function ask(peerOf: Peers, outgoing: Outgoing): Promise<Response> {
  return new Promise((resolve, reject) => {
    const fail = (error: SendError) => {
      discard(outgoing.body);
      reject(error);
    };
    const peer = peerOf(outgoing);
    if (!peer) return fail(new SendError('unreachable', 'this transport is closed'));
    peer.send(outgoing, (error, response) => {
      if (error) return fail(error);
      try {
        resolve(responseFromWire(response!));
      } catch (refused) {
        const reason: FailureReason = isUnknownCommand(response!) ? 'closed' : 'error';
        fail(new SendError(reason, refused instanceof Error ? refused.message : String(refused)));
      }
    });
  });
}

function createServer(shared: Shared, take: (socket: Socket) => void): Server {
  const { tls, limits, log } = shared;
  const always = { noDelay: true, keepAlive: true, keepAliveInitialDelay: KEEP_ALIVE_MS };
  const { ca, cert, key } = tls ?? {};
  const server = tls
    ? createTlsServer({
        ...always,
        ...{ ca, cert, key, requestCert: true, rejectUnauthorized: true },
        handshakeTimeout: shared.timeouts.requestMs,
      })
    : createTcpServer(always);
  server.maxConnections = limits.maxConnections;
  server.on(tls ? 'secureConnection' : 'connection', take);
  server.on('drop', (data?: { readonly remoteAddress?: string | undefined }) => {
    log.warn('a raft connection was turned away', { remote: data?.remoteAddress });
  });
  server.on('tlsClientError', (error: Error) => {
    log.warn('a raft connection showed no good certificate', { reason: error.message });
  });
  return server;
}

/** A stream nobody will read any more must not keep its file open. */
function discard(body: Bytes | undefined): void {
  if (!body) return;
  if (body instanceof Readable) body.destroy();
  else
    body[Symbol.asyncIterator]()
      .return?.()
      .then(undefined, () => undefined);
}
