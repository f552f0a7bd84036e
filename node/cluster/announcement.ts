import { hostname, networkInterfaces } from 'node:os';
import { readBinding } from '#cluster/addresses.ts';
import { addressesOf, type Listens } from '#cluster/member/addresses.ts';
import { features } from '#cluster/state/features.ts';
import type { Addresses, Announcement, MemberKind } from '#cluster/state/types.ts';
import type { Identity } from '#cluster/trust/identity.ts';
import type { Config } from '../config/keys.ts';

export interface AnnouncementWish {
  readonly config: Config;
  readonly identity: Pick<Identity, 'nodeId' | 'bootEpoch' | 'session'>;
  readonly version: string;
  /** The port of the API; 0 until it is known. */
  readonly apiPort: () => number;
  /** `node` unless it is said to be a witness. */
  readonly kind?: MemberKind | undefined;
}

/** Where this node listens, and how it is told that others reach it. */
export function listensOf({
  config,
  apiPort,
}: Pick<AnnouncementWish, 'config' | 'apiPort'>): Listens {
  const advertised = config['cluster.raft.advertise_addr'];
  return {
    raft: readBinding(config['cluster.raft.bind_addr']),
    rpc: readBinding(config['cluster.rpc.bind_addr']),
    gossip: readBinding(config['cluster.gossip.bind_addr']),
    api: { host: config['server.host'], port: apiPort() },
    advertise: advertised === undefined ? undefined : readBinding(advertised).host,
  };
}

/** Of a node that is alone: it listens for nobody. */
export const aloneAt = (wish: Pick<AnnouncementWish, 'config' | 'apiPort'>): Addresses => {
  const { api } = addressesOf(listensOf(wish), networkInterfaces());
  return { raft: [], rpc: [], gossip: [], api };
};

/** What this member says of itself, as one that is open to others. */
export function announcementOf(wish: AnnouncementWish): Announcement {
  const { identity, version, kind = 'node' } = wish;
  const addresses = addressesOf(listensOf(wish), networkInterfaces());
  const { nodeId: id, bootEpoch, session } = identity;
  const { min, max } = features;
  return {
    ...{ id, name: hostname(), kind, bootEpoch, session, version },
    // May be held back, so that an update can be taken back for longer.
    features: { min, max: wish.config['cluster.feature_level'] ?? max },
    // A witness tells no hints.
    addresses: kind === 'witness' ? { ...addresses, gossip: [] } : addresses,
  };
}
