/** The side of node RPC that answers: who may ask what, and how much of it at once. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import { constants } from 'node:crypto';
import type { AddressInfo, Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { createDoorkeeper, type Doorkeeper } from '../doors/doorkeeper.ts';
import { createMembers, type Members } from '../doors/members.ts';
import { peerOf, type Peer } from './peers.ts';
import { createResponder, type Responder } from './responder.ts';
import { quieten, type QuietLog } from '#storage/quiet.ts';
import {
  DEFAULT_RPC_LIMITS,
  type RpcLimits,
  type RpcServer,
  type RpcServerOptions,
  type TlsMaterial,
} from './types.ts';

/** What its parts share. */
interface Shared {
  readonly options: RpcServerOptions;
  readonly limits: RpcLimits;
  readonly server: Server;
  readonly doorkeeper: Doorkeeper;
  readonly peers: WeakMap<Socket, Peer>;
  readonly members: Members;
  readonly responder: Responder;
  /** For what others can cause. */
  readonly noise: QuietLog;
  material: TlsMaterial;
  /** What each connection began with. */
  readonly shownTo: WeakMap<Socket, TlsMaterial>;
  /** Answers under way. */
  readonly open: Set<ServerResponse>;
}

const maxHeaderBytes = 32 * 1024;
const timeoutCheckMs = 1_000;
/** A silent connection is asked so late whether its other side is still there. */
const probeMs = 15_000;

/**
 * Listens for other nodes. Resolves once connections are taken.
 * @throws when the port is taken or the certificate no good
 */
export async function createRpcServer(options: RpcServerOptions): Promise<RpcServer> {
  const limits = { ...DEFAULT_RPC_LIMITS, ...options.limits };
  const material = options.tls();
  const server = createServer({
    ...secure(material),
    // Strangers get in to join; who is none of us is found out at the door, and at each request.
    ...{ requestCert: true, rejectUnauthorized: false },
    ...{ handshakeTimeout: limits.greetingMs, headersTimeout: limits.greetingMs },
    // Streams last; a call has its own deadline.
    ...{ requestTimeout: 0, connectionsCheckingInterval: timeoutCheckMs },
    ...{ keepAliveTimeout: limits.idleMs, maxHeaderSize: maxHeaderBytes, noDelay: true },
    ...{ keepAlive: true, keepAliveInitialDelay: probeMs },
  });
  const peers = new WeakMap<Socket, Peer>();
  const doorkeeper = createDoorkeeper(limits.strangers);
  const noise = quieten(options.log);
  const members = createMembers({
    ...{ doorkeeper, perPeer: limits.connectionsPerPeer },
    onTooMany: (from) => noise.warn('node rpc: a member has too many connections', { from }),
  });
  const responder = createResponder({ options, limits, peers, doorkeeper, members, noise });
  const shared: Shared = {
    ...{ options, limits, server, doorkeeper, peers, members, responder, noise },
    ...{ material, shownTo: new WeakMap(), open: new Set() },
  };
  watch(shared);
  await listen(server, options);
  return {
    port: (server.address() as AddressInfo).port,
    reloadTls() {
      const fresh = options.tls();
      server.setSecureContext(secure(fresh));
      shared.material = fresh;
      for (const res of shared.open) res.shouldKeepAlive = false;
      server.closeIdleConnections();
    },
    stats: () => ({
      ...responder.stats(),
      members: members.size(),
      strangers: doorkeeper.size,
      dropped: doorkeeper.dropped,
    }),
    close: () => close(shared),
  };
}

/** No session is resumed: each connection shows a certificate that is good now. */
function secure({ ca, cert, key }: TlsMaterial) {
  const secureOptions = constants.SSL_OP_NO_TICKET;
  return { ca, cert, key, minVersion: 'TLSv1.3', secureOptions } as const;
}

function listen(server: Server, { listen: where, log }: RpcServerOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ ...where }, () => {
      server.off('error', reject);
      server.on('error', (error) => {
        log.warn('node rpc: listening failed', { reason: error.message });
      });
      resolve();
    });
  });
}

function watch(shared: Shared): void {
  const { server, doorkeeper, limits, responder, noise } = shared;
  server.on('connection', (socket: Socket) => {
    socket.on('error', () => socket.destroy());
    doorkeeper.enter(socket, limits.greetingMs);
  });
  server.on('secureConnection', (socket) => greet(shared, socket));
  const noteStranger = (what: string, { message: reason, code: kind }: NodeJS.ErrnoException) =>
    noise.info(`node rpc: ${what}`, { reason, kind });
  server.on('tlsClientError', (error) => noteStranger('no handshake', error));
  server.on('clientError', (error, socket) => {
    noteStranger('no request', error);
    socket.destroy();
  });
  server.on('request', (req: IncomingMessage, res: ServerResponse) => {
    res.on('error', () => res.destroy());
    if (shared.shownTo.get(req.socket) !== shared.material) res.shouldKeepAlive = false;
    shared.open.add(res);
    // Of a server that closes, a connection ends with its last answer.
    res.once('close', () => {
      shared.open.delete(res);
      if (!server.listening) setImmediate(() => server.closeIdleConnections());
    });
    responder.answer(req, res);
  });
}

/** A handshake is done: whose connection is it? Of who is no member, the door goes on counting. */
function greet({ options, members, peers, ...shared }: Shared, socket: TLSSocket): void {
  const { clusterId, isMember, now = Date.now } = options;
  const { material, shownTo } = shared;
  const peer = peerOf(socket, { clusterId, trusted: material.ca, now: now() });
  shownTo.set(socket, material);
  peers.set(socket, peer);
  if (peer.nodeId !== undefined && isMember(peer.nodeId)) members.admit(socket, peer.nodeId);
}

async function close({ server, doorkeeper, responder, limits }: Shared): Promise<void> {
  responder.close();
  const ended = new Promise<void>((resolve) => server.close(() => resolve()));
  server.closeIdleConnections();
  doorkeeper.closeAll();
  const timer = setTimeout(() => server.closeAllConnections(), limits.closeMs);
  await ended;
  clearTimeout(timer);
}
