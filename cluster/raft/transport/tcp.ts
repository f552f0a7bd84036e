/** hashicorp/raft's TCP transport, both sides of it, with mutual TLS if wanted. */
import { constants } from 'node:crypto';
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
import { createDoorkeeper } from '../../doors/doorkeeper.ts';
import { createMembers } from '../../doors/members.ts';
import { quieten } from '../../doors/quiet.ts';
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
const NOISE_MS = 10_000;

export function createTcpTransport(options: TcpTransportOptions): TcpTransport {
  const { self, tls, log } = options;
  const shared: Shared = {
    ...{ self, log, isAllOurs: options.isAllOurs ?? false },
    noise: quieten(log, NOISE_MS),
    tls: tls ? secure(tls) : undefined,
    timeouts: { ...DEFAULT_TIMEOUTS, ...options.timeouts },
    limits: { ...DEFAULT_TRANSPORT_LIMITS, ...options.limits },
    ...{ outgoing: new Set(), refused: new Set() },
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
    refuse: (ids) => void (shared.refused = new Set(ids)),
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
  return shared.tls
    ? createSecureServer(shared, shared.tls, take)
    : createPlainServer(shared, take);
}

const always = { noDelay: true, keepAlive: true, keepAliveInitialDelay: KEEP_ALIVE_MS };

function createPlainServer({ limits, noise }: Shared, take: (socket: Socket) => void): Server {
  const server = createTcpServer(always, take);
  server.maxConnections = limits.maxConnections;
  server.on('drop', (data?: { readonly remoteAddress?: string | undefined }) => {
    noise.warn('a raft connection was turned away', { remote: data?.remoteAddress });
  });
  return server;
}

/**
 * Strangers are counted until they have shown a certificate: so many of them as may come, they push
 * out each other, and servers of ours get in.
 */
function createSecureServer(
  { limits, timeouts, noise }: Shared,
  { ca, cert, key }: Secured,
  take: (socket: Socket) => void,
): Server {
  const doorkeeper = createDoorkeeper(limits.maxConnections);
  const members = createMembers({
    ...{ doorkeeper, perPeer: limits.maxConnectionsPerPeer },
    onTooMany: (from, omitted) =>
      noise.warn('a raft peer has too many connections', { from, omitted }),
  });
  const server = createTlsServer({
    ...always,
    // Who is refused is told apart by why, which Node says only of those that it lets in.
    ...{ ca, cert, key, requestCert: true, rejectUnauthorized: false },
    // No session is resumed: each connection shows a certificate that is good now.
    secureOptions: constants.SSL_OP_NO_TICKET,
    handshakeTimeout: timeouts.requestMs,
    ALPNCallback: chooseProtocol,
  });
  const refuse = (remote: string | undefined, reason: string, kind?: string) =>
    noise.warn('a raft connection showed no good certificate', { remote, reason, kind });
  server.on('connection', (socket: Socket) => doorkeeper.enter(socket, timeouts.requestMs));
  server.on('secureConnection', (socket) => {
    if (!socket.authorized) {
      refuse(socket.remoteAddress, String(socket.authorizationError));
      socket.destroy();
      return;
    }
    const { subject, fingerprint256 } = socket.getPeerCertificate();
    if (members.admit(socket, String(subject?.CN ?? fingerprint256))) take(socket);
  });
  server.on('tlsClientError', (error: Error & { code?: string }, socket) => {
    refuse(socket.remoteAddress, error.message, error.code);
  });
  return server;
}
