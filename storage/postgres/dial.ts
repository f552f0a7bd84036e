import { connect, type Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { hostName, type ClientTls, type Host } from './address.ts';

/** How a host is called. */
export type Line = { timeoutMs: number; tls?: (() => ClientTls | Promise<ClientTls>) | undefined };

/** One connection to one host, for a question on the side; never rejects. */
export function dialHost(host: Host, line: Line): Promise<Duplex> {
  return connectTo(host, line).catch((error: unknown) => refused(error as Error));
}

/**
 * Connects to a host, and where TLS is wanted makes sure that it is the one that was meant.
 * Throws when there is no answer in time, and when somebody else answers.
 */
export async function connectTo(host: Host, { timeoutMs, tls }: Line): Promise<Socket> {
  if ('path' in host) return opened(connect(host.path), host, timeoutMs);
  if (tls) return opened(callTls(host, await tls()), host, timeoutMs);
  const socket = await opened(connect(host.port, host.host), host, timeoutMs);
  // The driver reads `host` for the name it checks in a certificate.
  return Object.assign(socket, { host: host.host });
}

/**
 * TLS from the first byte, as PostgreSQL takes it since 17 (libpq's `sslnegotiation=direct`): there
 * is no word in the clear that anybody could change. Done here and not by the driver, so that a
 * host of the wrong name is one that does not answer, and the next is tried.
 */
function callTls(host: { host: string; port: number }, tls: ClientTls): TLSSocket {
  const { serverName: servername, ca, cert, key } = tls;
  return connectTls({
    ...{ ...host, servername, ca, cert, key },
    minVersion: 'TLSv1.3',
    ALPNProtocols: ['postgresql'],
  });
}

function opened<S extends Socket>(socket: S, host: Host, timeoutMs: number): Promise<S> {
  return new Promise((resolve, reject) => {
    const isTls = 'encrypted' in socket;
    const late = unavailable(`no answer from ${hostName(host)}`);
    const timer = setTimeout(() => socket.destroy(late), timeoutMs);
    socket.once('error', (error) => {
      const isUnclear = isTls && error !== late; // OpenSSL's codes are legion
      reject(isUnclear ? unavailable(`${hostName(host)}: ${error.message}`, error) : error);
    });
    socket.once('close', () => {
      clearTimeout(timer);
      reject(unavailable(`${hostName(host)} hung up`));
    });
    socket.once(isTls ? 'secureConnect' : 'connect', () => {
      clearTimeout(timer);
      resolve(socket);
    });
  });
}

/** A stream that fails the way a connection does: when the driver writes its first message. */
export function refused(error: Error): Duplex {
  return new Duplex({
    read: () => undefined,
    write: (_chunk, _encoding, done) => done(error),
  });
}

/** An error that counts as PostgreSQL being away. */
export function unavailable(message: string, cause?: unknown): Error {
  return Object.assign(new Error(message, { cause }), { code: 'CONNECTION_CLOSED' });
}
