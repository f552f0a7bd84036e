import { X509Certificate } from 'node:crypto';
import { connect as connectTls } from 'node:tls';
import { setTimeout as pause } from 'node:timers/promises';
import { dnsNameOf } from '#cluster/trust/names.ts';
import type { Database } from '#storage/postgres/connect.ts';

/** Certificates and key of a member, PEM. */
export type Pems = { ca: string; cert: string; key: string };

/** The error that comes of a query. Throws when there is none. */
export async function failure(query: PromiseLike<unknown>): Promise<unknown> {
  try {
    await query;
  } catch (error) {
    return error;
  }
  throw new Error('it has not failed');
}

/** Three that write one row after the other, each trying again at once, until they are stopped. */
export function write({ sql }: Database) {
  const errors: unknown[] = [];
  let id = 0;
  let written = 0;
  let stopped = false;
  let latest = performance.now();
  let outageMs = 0;
  const one = async () => {
    while (!stopped) {
      try {
        await sql`insert into written (id) values (${++id})`;
        written++;
        outageMs = Math.max(outageMs, performance.now() - latest);
        latest = performance.now();
      } catch (error) {
        errors.push(error);
      }
      await pause(2);
    }
  };
  const all = [one(), one(), one()];
  return {
    written: () => written,
    async some(count: number) {
      const wanted = written + count;
      while (written < wanted) await pause(2);
    },
    async stop() {
      stopped = true;
      await Promise.all(all);
      return { errors, outageMs: Math.round(outageMs) };
    },
  };
}

/** The fingerprint of what a server shows, or why it does not. */
export function shownTo(options: Pems & { port: number; maxVersion?: 'TLSv1.2' }): Promise<string> {
  return new Promise((resolve) => {
    const socket = connectTls({
      ...{ ...options, host: '127.0.0.1', servername: dnsNameOf('one') },
      ALPNProtocols: ['postgresql'],
    });
    socket.once('error', (error: Error) => resolve(error.message));
    socket.once('secureConnect', () => {
      resolve(socket.getPeerX509Certificate()!.fingerprint256);
      socket.destroy();
    });
  });
}

export const fingerprint = (pem: string) => new X509Certificate(pem).fingerprint256;
