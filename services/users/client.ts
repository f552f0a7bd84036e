import { isIP, isIPv6 } from 'node:net';

/** Where a credential is used from. */
export interface Client {
  /** Undefined when the connection has none (a socket in the file system). */
  readonly ip: string | undefined;
  readonly userAgent: string | undefined;
}

const userAgentMax = 300;

/** What is kept of a request's sender: a plain IP address, and the first part of its name. */
export function clientOf(request: { ip: string; userAgent: string | undefined }): Client {
  return { ip: plainIp(request.ip), userAgent: request.userAgent?.slice(0, userAgentMax) };
}

/** An address without zone, IPv4 in its own form; undefined for what is no address. */
export function plainIp(ip: string): string | undefined {
  const bare = ip.split('%')[0] ?? '';
  const v4 = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(bare)?.[1] ?? bare;
  return isIP(v4) === 0 ? undefined : v4.toLowerCase();
}

/** One household: an IPv4 address, or the network of 64 bits of an IPv6 one. */
export function placeOf(ip: string | undefined): string {
  if (ip === undefined) return 'nowhere';
  if (!isIPv6(ip)) return ip;
  const [head = '', tail] = ip.split('::');
  const left = groupsOf(head);
  const right = groupsOf(tail ?? '');
  const gap = Array<string>(Math.max(0, 8 - left.length - right.length)).fill('0');
  const network = [...left, ...gap, ...right].slice(0, 4);
  return `${network.map((group) => parseInt(group, 16).toString(16)).join(':')}::/64`;
}

const groupsOf = (text: string): string[] => (text === '' ? [] : text.split(':'));
