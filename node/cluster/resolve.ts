import { lookup } from 'node:dns/promises';
import { formatHostPort, readBinding } from '#cluster/addresses.ts';

/**
 * Addresses as `cluster.raft.join_addrs` has them, as `host:port`: `dns:name:port` stands for every
 * address of that name, asked anew each time.
 */
export async function resolveAll(addresses: readonly string[]): Promise<string[]> {
  const each = addresses.map(async (address) => {
    if (!address.startsWith('dns:')) return [address];
    const { host, port } = readBinding(address.slice('dns:'.length));
    try {
      const found = await lookup(host, { all: true });
      return found.map((one) => formatHostPort({ host: one.address, port }));
    } catch {
      // A name that nobody has yet, as when all nodes start at once: the next attempt may find it.
      return [];
    }
  });
  return (await Promise.all(each)).flat();
}
