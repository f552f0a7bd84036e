/** Clusters with real certificates on the loopback interface, for the tests of this folder. */
import { webcrypto } from 'node:crypto';
import { once } from 'node:events';
import { connect as connectTcp, createServer, type AddressInfo, type Server } from 'node:net';
import type { Socket } from 'node:net';
import { connect as connectTls, type ConnectionOptions } from 'node:tls';
import { createAuthority, openAuthority, type Authority } from '../trust/ca.ts';
import { createRequest } from '../trust/certificates.ts';
import { uriOf } from '../trust/names.ts';
import { createKey, x509 } from '../trust/x509.ts';
import { createRpcClient } from './client.ts';
import { RpcError } from './errors.ts';
import { createRpcServer } from './server.ts';
import type { RpcClient, RpcClientOptions, RpcServer, RpcServerOptions } from './types.ts';
import type { TlsMaterial } from './types.ts';

export const clusterId = 'c1';

/** Makes certificates of one authority. */
export interface Issuer {
  readonly authority: Authority;
  issue(nodeId: string, change?: Issued): Promise<TlsMaterial>;
}

interface Issued {
  readonly clusterId?: string;
  /** Signed so many milliseconds from now: negative for one that has ended. */
  readonly shiftMs?: number;
}

export async function createIssuer(): Promise<Issuer> {
  const long = 400 * 86_400_000;
  const files = await createAuthority(clusterId, Date.now() - long);
  return {
    authority: openAuthority(files, Date.now),
    async issue(nodeId, change = {}) {
      const { sign } = openAuthority(files, () => Date.now() + (change.shiftMs ?? 0));
      const key = await createKey();
      const cert = await sign(await createRequest(key, nodeId), { clusterId, ...change, nodeId });
      return { ca: files.certificates, cert, key };
    },
  };
}

const rsa = { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256', modulusLength: 2048 };
const algorithms = [
  { name: 'ECDSA', namedCurve: 'P-521', hash: 'SHA-512' },
  { ...rsa, publicExponent: new Uint8Array([1, 0, 1]) },
  { name: 'Ed25519' },
];

/** Certificates of nobody's but their own, with all the names of a node. */
export function selfSigned(nodeId: string): Promise<readonly Omit<TlsMaterial, 'ca'>[]> {
  const made = algorithms.map(async (algorithm) => {
    const pair = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
    const keys = pair as webcrypto.CryptoKeyPair;
    const certificate = await x509.X509CertificateGenerator.createSelfSigned({
      ...{ keys, signingAlgorithm: algorithm, name: [{ CN: [nodeId] }] },
      extensions: [
        new x509.SubjectAlternativeNameExtension([
          { type: 'url', value: uriOf({ clusterId, nodeId }) },
        ]),
      ],
    });
    const der = await webcrypto.subtle.exportKey('pkcs8', keys.privateKey);
    const key = x509.PemConverter.encode(der, 'PRIVATE KEY');
    return { cert: certificate.toString('pem'), key };
  });
  return Promise.all(made);
}

/** What is open, and closed after each test. */
export function useRpc() {
  const servers: RpcServer[] = [];
  const clients: RpcClient[] = [];
  const sockets: Socket[] = [];
  const mutes: Server[] = [];
  const logged: string[] = [];
  let drawn = 0;
  const note = (message: string, facts?: Record<string, unknown>) =>
    void logged.push(`${message} ${JSON.stringify(facts ?? {})}`);
  const log = { info: note, warn: note };

  afterEach(async () => {
    for (const socket of sockets.splice(0)) socket.destroy();
    for (const client of clients.splice(0)) client.close();
    for (const mute of mutes.splice(0)) mute.close();
    await Promise.all(servers.splice(0).map((server) => server.close()));
    logged.length = 0;
  });

  const server = async (tls: TlsMaterial, options: Partial<RpcServerOptions> = {}) => {
    const opened = await createRpcServer({
      tls: () => tls,
      listen: { host: '127.0.0.1', port: 0 },
      clusterId,
      isMember: () => true,
      calls: { echo: async (input) => input },
      log,
      ...options,
      limits: { closeMs: 50, ...options.limits },
    });
    servers.push(opened);
    return { ...opened, address: `127.0.0.1:${opened.port}` };
  };
  const client = (tls: TlsMaterial, options: Partial<RpcClientOptions> = {}) => {
    const opened = createRpcClient({
      tls: () => tls,
      clusterId,
      candidates: () => [],
      randomId: () => `request-${(drawn += 1)}`,
      ...options,
    });
    clients.push(opened);
    return opened;
  };
  const keep = <S extends Socket>(socket: S): S => {
    socket.on('error', () => undefined); // a server that hangs up is what many tests are about
    sockets.push(socket);
    return socket;
  };
  /** A plain connection, kept open. */
  const tcp = (port: number) => keep(connectTcp({ host: '127.0.0.1', port }));
  /** A handshake by hand. */
  const tls = async (port: number, options: ConnectionOptions) => {
    const checks = { rejectUnauthorized: false, minVersion: 'TLSv1.3' } as const;
    const socket = keep(connectTls({ host: '127.0.0.1', port, ...checks, ...options }));
    await once(socket, 'secureConnect');
    return socket;
  };
  /** The port of something that takes connections and says nothing. */
  const silent = async () => {
    const mute = createServer((socket) => keep(socket).resume()).listen(0, '127.0.0.1');
    mutes.push(mute);
    await once(mute, 'listening');
    return (mute.address() as AddressInfo).port;
  };
  return { server, client, silent, tcp, tls, logged };
}

/** The error of a call; it must have one. */
export async function errorOf(promise: Promise<unknown>): Promise<RpcError> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof RpcError) return error;
    throw error;
  }
  throw new Error('it was answered');
}

/** Waits until something is so. */
export async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((resolve) => setTimeout(resolve, 5));
}

/** All that comes until the other side hangs up. */
export async function allOf(socket: Socket): Promise<string> {
  let text = '';
  socket.on('data', (chunk: Buffer) => (text += chunk.toString()));
  if (!socket.closed) await once(socket, 'close');
  return text;
}
