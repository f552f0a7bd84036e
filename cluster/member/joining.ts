import { z } from 'zod';
import { CallError, joinCluster, RpcError, type Join } from '../rpc/index.ts';
import type { Announcement, MemberKind, RefusedWhy, View } from '../state/types.ts';
import { createRequest } from '../trust/certificates.ts';
import { ensureKey, readTrust } from '../trust/folder.ts';
import { parseToken } from '../trust/tokens.ts';
import { UnannouncedError, type Proposer } from './announce.ts';
import { acceptGift, giftFor, signHere } from './credentials.ts';
import { savePeers } from './peers-file.ts';

const addresses = z.array(z.string().min(1).max(300)).max(32);
const announcement = z.object({
  id: z.string().min(1).max(128),
  name: z.string().min(1).max(200),
  kind: z.enum(['node', 'witness']),
  addresses: z.object({ raft: addresses, rpc: addresses, gossip: addresses, api: addresses }),
  bootEpoch: z.number().int().min(1),
  session: z.string().min(1).max(200),
  version: z.string().min(1).max(64),
  features: z.object({ min: z.number().int(), max: z.number().int() }),
});
const wish = z.object({ request: z.string().max(8192), member: announcement });

const gift = z.object({
  certificate: z.string(),
  authorities: z.string(),
  authorityKey: z.string().optional(),
  gossipNetwork: z.string().optional(),
});
const welcome = z.object({
  gift,
  peers: z.array(
    z.object({
      id: z.string(),
      gossipId: z.string().optional(),
      addresses: announcement.shape.addresses,
    }),
  ),
  /** How to reach the database that the members share; absent: every node is told by its owner. */
  database: z.unknown().optional(),
});

export interface JoinHandlerDeps {
  readonly dataDir: string;
  readonly clusterId: string;
  readonly propose: Proposer;
  readonly members: () => View['members'];
  readonly database: () => Promise<unknown>;
  readonly onJoined: (member: Pick<Announcement, 'id' | 'name' | 'kind'>) => void;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

const refusals: Partial<Record<RefusedWhy, string>> = {
  'unknown-token':
    'the token is not known, or was revoked: make another with `cluster token create`',
  'token-expired': 'the token has expired: make another with `cluster token create`',
  'token-used': 'the token has been used: make another with `cluster token create`',
  retired: 'this node was removed from the cluster; `cluster rejoin` makes it a new one',
  'restored-copy': 'a later start of this node is known: its data folder is a copy of before',
  'features-unsupported': 'this version cannot work with the cluster: update it',
  full: 'the cluster has as many members as it may have',
};

/** Lets newcomers in by token; on any member that keeps the authority. */
export function createJoinHandler(deps: JoinHandlerDeps): Join {
  return async (input, { tokenId, secretHash, formerly }) => {
    const read = wish.safeParse(input);
    if (!read.success) throw new CallError('bad-request', z.prettifyError(read.error));
    const { request, member } = read.data;
    const known = deps.members().get(member.id);
    const isAgain = known?.session === member.session && known.bootEpoch === member.bootEpoch;
    if (known && !isAgain && formerly !== member.id) {
      // Who has a token may come in, and may not become somebody who is in already.
      const message =
        `${member.id} is a member, and this node has not shown its certificate; ` +
        '`cluster rejoin` makes it a new one';
      throw new CallError('id-taken', message);
    }
    const id = { clusterId: deps.clusterId, nodeId: member.id, now: deps.now };
    // Before the token is used up: a request that cannot be signed should not cost one.
    const certificate = await signHere(deps.dataDir, request, id);
    await admit(deps, { member, tokenId, secretHash });
    deps.onJoined(member);
    return {
      gift: await giftFor(deps.dataDir, certificate, member.kind),
      peers: [...deps.members().values()],
      database: member.kind === 'node' ? await deps.database() : undefined,
    };
  };
}

const admitMs = 8_000;

/** Each kind has a command of its own, as each has other things to do. */
const otherKind: Record<MemberKind, string> = {
  node: 'the token is for a witness, or this id is one: start it with `revenge witness`',
  witness: 'the token is for a node: make one with `cluster token create --kind witness`',
};

async function admit(
  { propose, now }: JoinHandlerDeps,
  { member, ...token }: { member: Announcement; tokenId: string; secretHash: string },
): Promise<void> {
  try {
    const result = await propose({ type: 'admit', member, ...token, at: now() }, admitMs);
    if (result.isDone) return;
    const { kind } = member;
    const advice = result.why === 'token-wrong-kind' ? otherKind[kind] : refusals[result.why];
    throw new CallError(result.why, advice ?? `refused: ${result.why}`);
  } catch (error) {
    if (!(error instanceof UnannouncedError)) throw error;
    const message = 'no node leads the cluster just now: try again when it is healthy';
    throw new CallError('no-leader', message, { isRetryable: true, isExecuted: 'unknown' });
  }
}

export interface JoinDeps {
  readonly dataDir: string;
  readonly token: string;
  /** RPC addresses of members, `host:port`. */
  readonly addresses: readonly string[];
  readonly member: Announcement;
  /** Keeps what else belongs to it, before the credentials: with those it is a member. */
  readonly keep: (joined: Joined) => Promise<void>;
}

export interface Joined {
  readonly clusterId: string;
  readonly by: string;
  /** As the member's `database` gave it; to be checked by who reads it. */
  readonly database: unknown;
}

/**
 * Asks the members given, one after the other, to be let in, and keeps what makes this node one of
 * them.
 * @throws TrustError for what is no token, RpcError for the last refusal
 */
export async function joinBy(deps: JoinDeps): Promise<Joined> {
  const { dataDir, member } = deps;
  const token = parseToken(deps.token);
  const key = await ensureKey(dataDir);
  const { certificate: cert } = await readTrust(dataDir);
  const request = await createRequest(key, member.id);
  let last: unknown = new RpcError('unreachable', 'no address of a member was given');
  for (const address of deps.addresses) {
    try {
      const shown = cert === undefined ? undefined : { cert, key };
      const { answer, ...by } = await joinCluster({
        ...{ address, token, shown },
        input: { request, member },
      });
      const { gift: given, peers, database } = welcome.parse(answer);
      const joined = { clusterId: by.clusterId, by: by.nodeId, database };
      await deps.keep(joined);
      await savePeers(dataDir, peers);
      await acceptGift(dataDir, given);
      return joined;
    } catch (error) {
      last = error;
      const isWorthAnother = error instanceof RpcError && (error.isRetryable || isElsewhere(error));
      if (!isWorthAnother) throw error;
    }
  }
  throw last;
}

const isElsewhere = ({ code }: RpcError): boolean =>
  code === 'unreachable' || code === 'wrong-authority';
