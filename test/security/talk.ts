import { connect, type Socket } from 'node:net';
import { connect as connectTls, type ConnectionOptions, type TLSSocket } from 'node:tls';
import type { Credentials } from './forge.ts';

const host = '127.0.0.1';
/** Longer than any port waits for a first word. */
const patienceMs = 75_000;

/** What came of a connection: all that was answered, then how it ended. */
function fateOf(socket: Socket | TLSSocket): Promise<string> {
  return new Promise((resolve) => {
    let said = '';
    let ended = 'hung up';
    const late = setTimeout(() => {
      ended = 'is still open';
      socket.destroy();
    }, patienceMs);
    socket.on('data', (chunk: Buffer) => (said = (said + chunk.toString('latin1')).slice(0, 2000)));
    socket.on('error', (error: NodeJS.ErrnoException) => (ended = error.code ?? error.message));
    socket.on('close', () => {
      clearTimeout(late);
      const words = said.replace(/[^\x20-\x7e]+/g, ' ').trim();
      resolve([words, ended].filter(Boolean).join(' — '));
    });
  });
}

/** Says this in plain TCP, and waits until the other side has had enough. */
export async function sayPlainly(port: number, bytes: Uint8Array | string): Promise<string> {
  const socket = connect({ port, host });
  const fate = fateOf(socket);
  socket.write(bytes);
  return fate;
}

/** Shows these credentials, if any, says this, and waits until the other side has had enough. */
export async function saySecurely(
  port: number,
  shown: Partial<Credentials>,
  bytes: Uint8Array | string = '',
): Promise<string> {
  const socket = secure(port, shown);
  const fate = fateOf(socket);
  socket.once('secureConnect', () => {
    if (bytes.length > 0) socket.write(bytes);
  });
  return fate;
}

/** Says a byte of this every so often, for as long as it is heard. */
export async function drawl(
  socket: Socket | TLSSocket,
  bytes: Uint8Array | string,
  everyMs: number,
): Promise<string> {
  const fate = fateOf(socket);
  const all = Buffer.from(bytes);
  let at = 0;
  const timer = setInterval(() => {
    if (at < all.length) socket.write(all.subarray(at, (at += 1)));
  }, everyMs);
  try {
    return await fate;
  } finally {
    clearInterval(timer);
  }
}

export const plain = (port: number): Socket => connect({ port, host });

export function secure(
  port: number,
  { ca, cert, key }: Partial<Credentials>,
  more: ConnectionOptions = {},
): TLSSocket {
  const shown = cert === undefined ? {} : { cert, key };
  // Who attacks does not care whose certificate it is shown.
  return connectTls({ host, port, ca, ...shown, rejectUnauthorized: false, ...more });
}

/** Holds so many silent connections open, while `meanwhile` goes on. */
export async function crowd<T>(
  port: number,
  count: number,
  meanwhile: () => Promise<T>,
): Promise<{ result: T; refused: number }> {
  const sockets: Socket[] = [];
  try {
    while (sockets.length < count) {
      const batch = Array.from({ length: Math.min(200, count - sockets.length) }, () => {
        const socket = connect({ port, host });
        sockets.push(socket);
        return new Promise<void>((resolve) => {
          socket.once('connect', () => resolve());
          socket.once('close', () => resolve());
          socket.on('error', () => undefined);
        });
      });
      await Promise.all(batch);
    }
    const result = await meanwhile();
    return { result, refused: sockets.filter(({ closed }) => closed).length };
  } finally {
    for (const socket of sockets) socket.destroy();
  }
}
