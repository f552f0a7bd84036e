import { constants } from 'node:crypto';
import { createServer as createTcpServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer, type Server as TlsServer } from 'node:tls';
import { createBuckets } from '../../doors/buckets.ts';
import { createDoorkeeper } from '../../doors/doorkeeper.ts';
import { createMembers } from '../../doors/members.ts';
import { OUR_PROTOCOL } from './dial.ts';
import type { Secured, Shared, TlsOptions } from './types.ts';

const KEEP_ALIVE_MS = 30_000;
/** Handshakes that one address may begin: each costs as much as many heartbeats. */
const HANDSHAKES = { perSecond: 50, burst: 250 };
const MAX_ADDRESSES = 1_024;

/** Where others come in. */
export interface Door {
  readonly server: Server;
  /** Shown to those who come from now on; only where it speaks TLS. */
  setTls(tls: TlsOptions): void;
}

/** @param take a connection of whom may be heard; with TLS, of who has shown a good certificate */
export function createDoor(shared: Shared, take: (socket: Socket) => void): Door {
  const { tls } = shared;
  if (!tls) return { server: createPlainServer(shared, take), setTls: () => undefined };
  const secure = createSecureServer(shared, tls);
  const guard = createGuard(shared, { secure, take });
  return {
    server: createTcpServer(always, guard),
    setTls: ({ ca, cert, key }) => secure.setSecureContext({ ca, cert, key }),
  };
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

/** It listens nowhere: who comes is handed to it. */
const createSecureServer = ({ timeouts }: Shared, { ca, cert, key }: Secured): TlsServer =>
  createTlsServer({
    // Who is refused is told apart by why, which Node says only of those that it lets in.
    ...{ ca, cert, key, requestCert: true, rejectUnauthorized: false },
    // No session is resumed: each connection shows a certificate that is good now.
    secureOptions: constants.SSL_OP_NO_TICKET,
    handshakeTimeout: timeouts.requestMs,
    ALPNCallback: chooseProtocol,
  });

/** A stranger that offers protocols gets its own first one: none at all would be an alert. */
const chooseProtocol = ({ protocols }: { readonly protocols: readonly string[] }) =>
  protocols.includes(OUR_PROTOCOL) ? OUR_PROTOCOL : protocols[0];

/**
 * Strangers are counted until they have shown a certificate: so many of them as may come, they push
 * out each other, and servers of ours get in. Who comes too often is not even listened to.
 */
function createGuard(
  { limits, timeouts, noise }: Shared,
  { secure, take }: { readonly secure: TlsServer; readonly take: (socket: Socket) => void },
): (socket: Socket) => void {
  const doorkeeper = createDoorkeeper(limits.maxConnections);
  const members = createMembers({
    ...{ doorkeeper, perPeer: limits.maxConnectionsPerPeer },
    onTooMany: (from) => noise.warn('a raft peer has too many connections', { from }),
  });
  const refuse = (remote: string | undefined, reason: string, kind?: string) =>
    noise.warn('a raft connection showed no good certificate', { remote, reason, kind });
  secure.on('secureConnection', (socket) => {
    if (!socket.authorized) {
      refuse(socket.remoteAddress, String(socket.authorizationError));
      socket.destroy();
      return;
    }
    const { subject, fingerprint256 } = socket.getPeerCertificate();
    if (members.admit(socket, String(subject?.CN ?? fingerprint256))) take(socket);
  });
  secure.on('tlsClientError', (error: Error & { code?: string }, socket) => {
    refuse(socket.remoteAddress, error.message, error.code);
  });
  const mayBegin = createPace();
  return (socket) => {
    const { remoteAddress: remote } = socket;
    if (!mayBegin(remote ?? '')) {
      noise.warn('a raft connection was turned away', { remote, reason: 'it comes too often' });
      socket.destroy();
      return;
    }
    doorkeeper.enter(socket, timeouts.requestMs);
    secure.emit('connection', socket);
  };
}

/** Whether an address may begin another handshake; the addresses are forgotten when they are many. */
function createPace(): (address: string) => boolean {
  const make = () => createBuckets({ ...HANDSHAKES, now: () => performance.now() });
  let known = new Set<string>();
  let buckets = make();
  return (address) => {
    if (known.size >= MAX_ADDRESSES && !known.has(address)) {
      known = new Set();
      buckets = make();
    }
    known.add(address);
    return buckets.take(address);
  };
}
