import { setTimeout as pause } from 'node:timers/promises';
import { hasCredentials } from '#cluster/member/credentials.ts';
import { joinBy } from '#cluster/member/joining.ts';
import { RpcError } from '#cluster/rpc/index.ts';
import type { MemberKind } from '#cluster/state/types.ts';
import { readLeaf } from '#cluster/trust/certificates.ts';
import { TrustError } from '#cluster/trust/errors.ts';
import { readTrust } from '#cluster/trust/folder.ts';
import type { Identity } from '#cluster/trust/identity.ts';
import { isTokenOf } from '#cluster/trust/tokens.ts';
import type { Log } from '#services/log.ts';
import type { Config } from '../config/keys.ts';
import { announcementOf } from './announcement.ts';
import { resolveAll } from './resolve.ts';

export interface EnterWish {
  readonly config: Config;
  readonly identity: Identity;
  readonly version: string;
  /** The port of the API; 0 until it is known. */
  readonly apiPort: () => number;
  /** `node` unless it is said to be a witness. */
  readonly kind?: MemberKind | undefined;
  /** False: fails at once when no member answers, instead of waiting for one. */
  readonly isPatient?: boolean;
  /** Keeps what the members say of their database; throws where this node needs its own setting. */
  readonly keepDatabase: (database: unknown) => Promise<void>;
  readonly log: Log;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

const firstPauseMs = 1_000;
const longestPauseMs = 15_000;

/**
 * Joins the cluster that the configuration names, once in this node's life: afterwards it is a
 * member by its certificate, and needs a token again only when that has run out while it was away.
 * As long as no member answers it tries again, as machines start in any order.
 * @throws TrustError for what is no token, or a certificate that ended with no token given,
 * RpcError for a refusal
 */
export async function enterCluster(wish: EnterWish): Promise<void> {
  const { config, log } = wish;
  const token = await neededToken(wish);
  if (token === undefined) return;
  for (let waitMs = firstPauseMs; ; waitMs = Math.min(2 * waitMs, longestPauseMs)) {
    try {
      const addresses = await resolveAll(config['cluster.raft.join_addrs']);
      const joined = await joinBy({
        ...{ dataDir: config['data.dir'], token, addresses, member: announcementOf(wish) },
        keep: (told) => keepJoined(wish, told),
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

async function keepJoined(
  { identity, keepDatabase, kind }: EnterWish,
  { clusterId, database }: { clusterId: string; database: unknown },
): Promise<void> {
  await keepDatabase(database);
  await identity.save({ clusterId, ...(kind === 'witness' ? { kind } : {}) });
}

/** The token to join with; undefined where this node is a member, or is to be alone. */
async function neededToken(wish: EnterWish): Promise<string | undefined> {
  const { config, kind } = wish;
  const token = config['cluster.join_token'];
  const given = config['cluster.raft.join_addrs'].length > 0 ? token : undefined;
  if (!(await hasCredentials(config['data.dir'], kind))) return given;
  const end = await endedAt(wish);
  if (end === undefined) return undefined;
  if (given !== undefined) return checkedToken(wish, given);
  throw new TrustError(
    'expired',
    `this member was away for long: its certificate ended at ${end}; have it renewed with a join ` +
      'token of the cluster (--join HOST:PORT --token …), which `cluster token create` makes',
  );
}

/** When its certificate ended, if it did and this node cannot sign itself another. */
async function endedAt({ config, now }: EnterWish): Promise<string | undefined> {
  const { certificate, authorityKey } = await readTrust(config['data.dir']);
  if (certificate === undefined || authorityKey !== undefined) return undefined;
  const { validTo } = readLeaf(certificate);
  return now() > validTo ? new Date(validTo).toISOString() : undefined;
}

/** What this node voted on in one cluster means nothing in another. */
async function checkedToken({ config }: EnterWish, token: string): Promise<string> {
  const { authorities } = await readTrust(config['data.dir']);
  if (authorities !== undefined && isTokenOf(token, authorities)) return token;
  throw new TrustError(
    'wrong-cluster',
    'the token is of another cluster than this node is a member of: `cluster rejoin` makes its ' +
      'folder a new node first',
  );
}
