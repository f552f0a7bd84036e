import { isIPv6 } from 'node:net';

/** Where something listens, or is dialled. */
export interface HostPort {
  readonly host: string;
  readonly port: number;
}

const form = /^(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/;

function split(text: string): HostPort | undefined {
  const [, bracketed, plain, digits] = form.exec(text) ?? [];
  const [host, port] = [bracketed ?? plain, Number(digits)];
  return host !== undefined && port < 65_536 ? { host, port } : undefined;
}

/** `host:port`, with an IPv6 address in brackets; undefined for what nobody could dial. */
export function readAddress(text: string): HostPort | undefined {
  const found = split(text);
  return found && found.port > 0 ? found : undefined;
}

/** The same as settings have it, where port 0 takes any. @throws TypeError */
export function readBinding(text: string): HostPort {
  const found = split(text);
  if (!found) throw new TypeError(`${text} is not host:port`);
  return found;
}

export const formatHostPort = ({ host, port }: HostPort): string =>
  isIPv6(host) ? `[${host}]:${port}` : `${host}:${port}`;

/** Whether who listens there listens on all addresses of the machine. */
export const isAny = (host: string): boolean => host === '0.0.0.0' || host === '::' || host === '';
