/** hashicorp/raft's TCP transport, both sides of it, with mutual TLS if wanted. */
import type { AddressInfo, Server, Socket } from 'node:net';
import { createSecureContext } from 'node:tls';
import { quieten } from '#storage/quiet.ts';
import type { FailureReason, Response } from '../core/types.ts';
import { isUnknownCommand, responseFromWire } from '../wire/convert.ts';
import { createBlockCache } from './blocks.ts';
import { createDoor, type Door } from './door.ts';
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

export function createTcpTransport(options: TcpTransportOptions): TcpTransport {
  const { self, tls, log } = options;
  const shared: Shared = {
    ...{ self, log, isAllOurs: options.isAllOurs ?? false },
    noise: quieten(log),
    tls: tls ? secure(tls) : undefined,
    timeouts: { ...DEFAULT_TIMEOUTS, ...options.timeouts },
    limits: { ...DEFAULT_TRANSPORT_LIMITS, ...options.limits },
    ...{ outgoing: new Set(), refused: new Set() },
  };
  const peerOf = createPeers(shared, options.book ?? {});
  const incoming = new Set<Socket>();
  const held: Held = { bytes: 0 };
  let server: Server | undefined;
  let door: Door | undefined;

  return {
    async listen(handler, kept) {
      door = createDoor(shared, (socket) => serve(socket, { shared, handler, kept, held }));
      const taken = (server = door.server);
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
      door?.setTls(renewed);
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
