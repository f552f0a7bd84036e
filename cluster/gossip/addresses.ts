import { isIP } from 'node:net';
import type { HostPort } from '../addresses.ts';

/** `host:port` as others may say it: undefined for what is no name or address of the network. */
export function parseHostPort(address: string): HostPort | undefined {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([A-Za-z0-9_.-]{1,253})):(\d{1,5})$/.exec(address);
  const port = Number(match?.[3]);
  if (!match || port < 1 || port > 65_535) return undefined;
  if (match[1] !== undefined && isIP(match[1]) !== 6) return undefined;
  return { host: (match[1] ?? match[2])!, port };
}

/** As libp2p writes it, `/ip4/10.0.0.1/tcp/7002`. A name is resolved when it is dialled. */
export function toMultiaddr({ host, port }: HostPort): string {
  const family = isIP(host);
  return `/${family === 4 ? 'ip4' : family === 6 ? 'ip6' : 'dns'}/${host}/tcp/${port}`;
}

/** Where this machine reaches a socket of its own that listens on `host`. */
export function fromWithin(host: string): string {
  if (host === '0.0.0.0') return '127.0.0.1';
  return host === '::' ? '::1' : host;
}
