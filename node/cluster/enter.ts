import { lookup } from 'node:dns/promises';
import { setTimeout as pause } from 'node:timers/promises';
import { hasCredentials } from '#cluster/member/credentials.ts';
import { formatHostPort } from '#cluster/gossip/addresses.ts';
import { readBinding } from '#cluster/member/addresses.ts';
import { joinBy } from '#cluster/member/joining.ts';
import { RpcError } from '#cluster/rpc/index.ts';
import { announcementOf, type MemberWish } from './member.ts';

export interface EnterWish extends Pick<
  MemberWish,
  'config' | 'identity' | 'version' | 'apiPort' | 'log'
> {
  /** False: fails at once when no member answers, instead of waiting for one. */
  readonly isPatient?: boolean;
  /** Keeps what the members say of their database; throws where this node needs its own setting. */
  readonly keepDatabase: (database: unknown) => Promise<void>;
}

const firstPauseMs = 1_000;
const longestPauseMs = 15_000;

/**
 * Joins the cluster that the configuration names, once in this node's life: afterwards it is a
 * member by its certificate. As long as no member answers it tries again, as machines start in any
 * order.
 * @throws TrustError for what is no token, RpcError for a refusal
 */
export async function enterCluster(wish: EnterWish): Promise<void> {
  const { config, identity, log } = wish;
  const addresses = config['cluster.raft.join_addrs'];
  const token = config['cluster.join_token'];
  if (addresses.length === 0 || token === undefined) return;
  if (await hasCredentials(config['data.dir'])) return;
  const member = announcementOf(wish);
  for (let waitMs = firstPauseMs; ; waitMs = Math.min(2 * waitMs, longestPauseMs)) {
    try {
      const found = await resolveAll(addresses);
      const joined = await joinBy({
        ...{ dataDir: config['data.dir'], token, addresses: found, member },
        async keep({ clusterId, database }) {
          await wish.keepDatabase(database);
          await identity.save({ clusterId });
        },
      });
      log.info('joined a cluster', { clusterId: joined.clusterId, by: joined.by });
      return;
    } catch (error) {
      const isWorthIt = error instanceof RpcError && error.isRetryable && wish.isPatient !== false;
      if (!isWorthIt) throw error;
      log.warn('cannot join yet; it is tried again', { reason: error.message, waitMs });
      await pause(waitMs);
    }
  }
}

/** `dns:name:port` stands for every address of that name; asked anew each time. */
async function resolveAll(addresses: readonly string[]): Promise<string[]> {
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
