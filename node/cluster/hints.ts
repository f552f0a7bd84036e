import { isIPv4 } from 'node:net';
import { networkInterfaces } from 'node:os';
import { readBinding } from '#cluster/addresses.ts';
import { hostsFor } from '#cluster/member/addresses.ts';
import { createBeacon, type Beacon } from '#cluster/member/beacon.ts';
import type { Log } from '#services/log.ts';
import { announcementOf, type AnnouncementWish } from './announcement.ts';
import { resolveAll } from './resolve.ts';

export interface HintsDeps extends AnnouncementWish {
  readonly identity: AnnouncementWish['identity'] & { readonly clusterId: string | undefined };
  readonly log: Log;
}

/** RPC addresses at which some member may be, beside those where they were. */
export interface Hints extends AsyncDisposable {
  readonly ask: () => Promise<readonly string[]>;
}

/** Where settings, DNS and the local network say that members may be. */
export function createHints(deps: HintsDeps): Hints {
  const { config, identity, log } = deps;
  let beacon: Beacon | undefined;
  const callOut = async (): Promise<readonly string[]> => {
    const { clusterId, session } = identity;
    if (!config['cluster.discovery.lan'] || clusterId === undefined) return [];
    const self = () => announcementOf(deps).addresses.rpc;
    const elapsed = () => performance.now();
    // Bound to one address, it calls nowhere else.
    const { host } = readBinding(config['cluster.rpc.bind_addr']);
    const networks = () => hostsFor(host, networkInterfaces()).filter(isIPv4);
    beacon ??= createBeacon({ clusterId, session, self, networks, log, elapsed });
    return beacon.call();
  };
  return {
    async ask() {
      const found = await Promise.all([resolveAll(config['cluster.raft.join_addrs']), callOut()]);
      return [...new Set(found.flat())];
    },
    [Symbol.asyncDispose]: async () => beacon?.close(),
  };
}
