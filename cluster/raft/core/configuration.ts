import type { Change, Configuration, PeerRef, RefusalReason, Server, ServerId } from './types.ts';

/** The rules of membership on plain values: who votes, and what a change makes of the members. */
export function findServer(configuration: Configuration, id: ServerId): Server | undefined {
  return configuration.servers.find((server) => server.id === id);
}

export function isVoter(configuration: Configuration, id: ServerId): boolean {
  return findServer(configuration, id)?.suffrage === 'voter';
}

export function voterCount(configuration: Configuration): number {
  let count = 0;
  for (const server of configuration.servers) if (server.suffrage === 'voter') count += 1;
  return count;
}

/** Peers before hashicorp/raft 1.3.7 send no id: the address says who they are. */
export function resolveServer(configuration: Configuration, peer: PeerRef): Server | undefined {
  if (peer.id !== undefined) return findServer(configuration, peer.id);
  return configuration.servers.find((server) => server.address === peer.address);
}

/** The same server, as far as both sides say. */
export function isSamePeer(a: PeerRef, b: PeerRef): boolean {
  return a.id !== undefined && b.id !== undefined ? a.id === b.id : a.address === b.address;
}

export type Changed =
  | { readonly configuration: Configuration }
  | { readonly reason: RefusalReason; readonly detail: string };

/** hashicorp's nextConfiguration, but a server nobody knows cannot be removed or demoted. */
export function changedConfiguration(configuration: Configuration, change: Change): Changed {
  const known = findServer(configuration, change.id);
  const changed =
    change.kind === 'addVoter' || change.kind === 'addNonvoter'
      ? withAdded(configuration, change)
      : known
        ? { configuration: { servers: withoutOrDemoted(configuration, change) } }
        : { reason: 'unknown-server' as const, detail: `no server has the id ${change.id}` };
  if ('configuration' in changed && voterCount(changed.configuration) === 0) {
    return { reason: 'no-voters-left', detail: `${change.id} is the last voter` };
  }
  return changed;
}

function withAdded(configuration: Configuration, change: Change): Changed {
  const address = change.address ?? '';
  if (change.id === '' || address === '') {
    return { reason: 'bad-address', detail: 'a server needs an id and an address' };
  }
  const holder = configuration.servers.find((server) => server.address === address);
  if (holder && holder.id !== change.id) {
    return { reason: 'bad-address', detail: `${address} is the address of ${holder.id}` };
  }
  const known = findServer(configuration, change.id);
  const suffrage = change.kind === 'addVoter' ? 'voter' : (known?.suffrage ?? 'nonvoter');
  const server: Server = { id: change.id, address, suffrage };
  const servers = known
    ? configuration.servers.map((each) => (each.id === change.id ? server : each))
    : [...configuration.servers, server];
  return { configuration: { servers } };
}

function withoutOrDemoted(configuration: Configuration, change: Change): Server[] {
  if (change.kind === 'removeServer') {
    return configuration.servers.filter((server) => server.id !== change.id);
  }
  return configuration.servers.map((server) =>
    server.id === change.id ? { ...server, suffrage: 'nonvoter' } : server,
  );
}
