import type { NetworkInterfaceInfo } from 'node:os';
import { formatHostPort, isAny, type HostPort } from '../addresses.ts';
import { limits } from '../state/limits.ts';
import type { Addresses } from '../state/types.ts';

/** What this node listens on, and what it is told of how others reach it. */
export interface Listens {
  readonly raft: HostPort;
  readonly rpc: HostPort;
  readonly gossip: HostPort;
  readonly api: HostPort;
  /** The host under which others reach this node; undefined: every address it has. */
  readonly advertise?: string | undefined;
}

type Interfaces = Readonly<Record<string, readonly NetworkInterfaceInfo[] | undefined>>;

/** Where others may reach this node, the likeliest first. */
export function addressesOf(listens: Listens, interfaces: Interfaces): Addresses {
  const of = ({ host, port }: HostPort): string[] => {
    const all = listens.advertise ? [listens.advertise] : hostsFor(host, interfaces);
    // A machine full of containers has more of them than anybody would try.
    return all.slice(0, limits.addresses).map((each) => formatHostPort({ host: each, port }));
  };
  const { raft, rpc, gossip, api } = listens;
  return { raft: of(raft), rpc: of(rpc), gossip: of(gossip), api: of(api) };
}

/** The addresses under which a listener on this host is reached. */
export const hostsFor = (host: string, interfaces: Interfaces): string[] =>
  isAny(host) ? hostsOf(interfaces) : [host];

/**
 * IPv4 before IPv6; a link-local address means nothing elsewhere, and loopback is somebody else.
 */
function hostsOf(interfaces: Interfaces): string[] {
  const all = Object.values(interfaces)
    .flatMap((each) => each ?? [])
    .filter(({ internal, address }) => !internal && !/^(fe80:|169\.254\.)/i.test(address));
  const rank = ({ family }: NetworkInterfaceInfo) => (family === 'IPv4' ? 0 : 1);
  const sorted = all.sort((one, other) => rank(one) - rank(other));
  return [...new Set(sorted.map(({ address }) => address))];
}
