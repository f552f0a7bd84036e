/** hashicorp/raft's TCP transport, both sides of it, with mutual TLS if wanted. */
import {
  createServer as createTcpServer,
  type AddressInfo,
  type Server,
  type Socket,
} from 'node:net';
import {
  createSecureContext,
  createServer as createTlsServer,
  Server as TlsServer,
} from 'node:tls';
import type { FailureReason, Response } from '../core/types.ts';
import { isUnknownCommand, responseFromWire } from '../wire/convert.ts';
import { createBlockCache } from './blocks.ts';
import { OUR_PROTOCOL } from './dial.ts';
import { serve, type Held } from './inbound.ts';
import { createPeer, type Peer } from './peer.ts';
import {
  DEFAULT_TIMEOUTS,
  DEFAULT_TRANSPORT_LIMITS,
  SendError,
  type AddressBook,
  type Outgoing,
  type Secured,
  type Shared,
  type TcpTransport,
  type TcpTransportOptions,
  type TlsOptions,
} from './types.ts';

export { SendError } from './types.ts';
export type { TcpTransport, TcpTransportOptions } from './types.ts';

const KEEP_ALIVE_MS = 30_000;

export function createTcpTransport(options: TcpTransportOptions): TcpTransport {
  const { self, tls, log } = options;
  const shared: Shared = {
    ...{ self, log, isAllOurs: options.isAllOurs ?? false },
    tls: tls ? secure(tls) : undefined,
    timeouts: { ...DEFAULT_TIMEOUTS, ...options.timeouts },
    limits: { ...DEFAULT_TRANSPORT_LIMITS, ...options.limits },
    outgoing: new Set(),
  };
  const peerOf = createPeers(shared, options.book ?? {});
  const incoming = new Set<Socket>();
  const held: Held = { bytes: 0 };
  let server: Server | undefined;

  return {
    async listen(handler, kept) {
      const taken = createServer(shared, (socket) =>
        serve(socket, { shared, handler, kept, held }),
      );
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
    setBook: (book) => peerOf.setBook(book),
    setTls(renewed) {
      if (!shared.tls) throw new Error('this transport speaks without TLS');
      shared.tls = secure(renewed);
      const { ca, cert, key } = renewed;
      if (server instanceof TlsServer) server.setSecureContext({ ca, cert, key });
    },
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
  setBook(book: AddressBook): void;
  close(): void;
}

function createPeers(shared: Shared, first: AddressBook): Peers {
  const blocks = createBlockCache();
  const peers = new Map<string, { readonly peer: Peer; address: string }>();
  let book = new Map(Object.entries(first));
  let isClosed = false;

  function addressesOf(to: string, otherwise: string): readonly string[] {
    const known = book.get(to) ?? [];
    return known.length > 0 ? known : [otherwise];
  }

  function peerOf({ to, address }: Outgoing): Peer | undefined {
    if (isClosed) return undefined;
    const addresses = addressesOf(to, address);
    const known = peers.get(to);
    if (known) {
      known.address = address;
      known.peer.moveTo(addresses);
      return known.peer;
    }
    const peer = createPeer({ to, addresses, shared, blocks });
    peers.set(to, { peer, address });
    return peer;
  }

  return Object.assign(peerOf, {
    setBook(wanted: AddressBook) {
      book = new Map(Object.entries(wanted));
      for (const [to, { peer, address }] of peers) peer.moveTo(addressesOf(to, address));
    },
    close() {
      isClosed = true;
      for (const { peer } of peers.values()) peer.close();
    },
  });
}

/** @throws Error for certificates that cannot be used */
function secure(tls: TlsOptions): Secured {
  const { ca, cert, key } = tls;
  return { ...tls, context: createSecureContext({ ca, cert, key }) };
}

async function ask(peerOf: Peers, outgoing: Outgoing): Promise<Response> {
  try {
    return await exchange(peerOf, outgoing);
  } finally {
    // A stream nobody will read any more must not keep its file open.
    await outgoing.source?.close();
  }
}

function exchange(peerOf: Peers, outgoing: Outgoing): Promise<Response> {
  return new Promise((resolve, reject) => {
    const peer = peerOf(outgoing);
    if (!peer) return reject(new SendError('unreachable', 'this transport is closed'));
    peer.send(outgoing, (error, response) => {
      if (error) return reject(error);
      try {
        resolve(responseFromWire(response!));
      } catch (refused) {
        const reason: FailureReason = isUnknownCommand(response!) ? 'closed' : 'error';
        reject(new SendError(reason, refused instanceof Error ? refused.message : String(refused)));
      }
    });
  });
}

/** A stranger that offers protocols gets its own first one: none at all would be an alert. */
const chooseProtocol = ({ protocols }: { readonly protocols: readonly string[] }) =>
  protocols.includes(OUR_PROTOCOL) ? OUR_PROTOCOL : protocols[0];

function createServer(shared: Shared, take: (socket: Socket) => void): Server {
  const { tls, limits, log } = shared;
  const always = { noDelay: true, keepAlive: true, keepAliveInitialDelay: KEEP_ALIVE_MS };
  const { ca, cert, key } = tls ?? {};
  const server = tls
    ? createTlsServer({
        ...always,
        ...{ ca, cert, key, requestCert: true, rejectUnauthorized: true },
        handshakeTimeout: shared.timeouts.requestMs,
        ALPNCallback: chooseProtocol,
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
