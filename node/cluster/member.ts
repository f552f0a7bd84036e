import { randomUUID } from 'node:crypto';
import { hostname, networkInterfaces } from 'node:os';
import { addressesOf, readBinding, type Listens } from '#cluster/member/addresses.ts';
import type { BarredError } from '#cluster/member/barred.ts';
import { hasCredentials, signHere } from '#cluster/member/credentials.ts';
import { createJoinHandler } from '#cluster/member/joining.ts';
import { createMember, type Member } from '#cluster/member/member.ts';
import { pause } from '#cluster/member/pause.ts';
import { createRenewal, type Renewal } from '#cluster/member/renewal.ts';
import { openNetwork, type NetworkDeps } from '#cluster/member/network.ts';
import type { Addresses, Announcement } from '#cluster/state/types.ts';
import type { Identity } from '#cluster/trust/identity.ts';
import type { Log } from '#services/log.ts';
import type { Outbox } from '#storage/cluster/outbox.ts';
import { createOwnership } from '#storage/cluster/owner.ts';
import type { Sql } from '#storage/postgres/connect.ts';
import type { Config } from '../config/keys.ts';
import { startDriver } from './driver.ts';
import { forgetRecovered, isRecovered } from './recovered.ts';

export interface MemberWish {
  readonly config: Config;
  readonly identity: Identity;
  readonly version: string;
  readonly sql: Sql;
  readonly outbox: Outbox;
  /** The port of the API; 0 until it is known. */
  readonly apiPort: () => number;
  readonly onHandedOn: NetworkDeps['onHandedOn'];
  /** What a newcomer is told of the database; undefined: it has its own setting. */
  readonly database: () => Promise<unknown>;
  /** This node may not take part; it has to end. */
  readonly onBarred: (error: BarredError) => void;
  readonly log: Log;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/** The levels of the cluster's features that this version works with. */
const features = { min: 1, max: 1 } as const;

const elapsed = () => performance.now();

/**
 * This node's part in its cluster; it takes part once it is started.
 * @throws ForeignDatabaseError when the database is another cluster's
 */
export async function openMember(wish: MemberWish): Promise<Member> {
  const { config, identity, sql, outbox, now } = wish;
  const { nodeId, bootEpoch, session } = identity;
  const log = wish.log.child({ module: 'cluster' });
  const owners = createOwnership(sql);
  await owners.check(identity.clusterId);
  const isJoiner = await hasCredentials(config['data.dir']);
  const tell = (gossipId: string | undefined) => ({
    ...announcementOf(wish),
    // Alone it listens for nobody.
    ...(gossipId === undefined ? { addresses: aloneAt(wish) } : { gossipId }),
  });
  const member: Member = createMember({
    self: { id: nodeId, bootEpoch, session },
    ...{ tell, outbox, log, now, elapsed, pause, onBarred: wish.onBarred },
    maxStalenessMs: config['cluster.max_staleness'],
    openDriver: (machine, has, network) =>
      startDriver({ config, nodeId, isFounder: !isJoiner, machine, has, network, log }),
    openNetwork: (calls) => openDoors(wish, { calls, member: () => member, log }),
    onAnnounced: (announced) =>
      log.info('is known to the cluster', { addresses: announced.addresses }),
    sign: async (id, request) => {
      const clusterId = identity.clusterId ?? '';
      return signHere(config['data.dir'], request, { clusterId, nodeId: id, now });
    },
    isRecovered: () => isRecovered(config['data.dir']),
    onEpochBegun: () => forgetRecovered(config['data.dir']),
    async found() {
      const clusterId = identity.clusterId ?? randomUUID();
      // Kept first: a database that is claimed by nobody who remembers it is lost to all.
      await identity.save({ clusterId });
      return owners.claim(clusterId);
    },
  });
  const renewal = renewalOf(wish, { member, log });
  renewal.start();
  const close = async () => {
    renewal.close();
    await member.close();
  };
  return { ...member, close, [Symbol.asyncDispose]: close };
}

type Calls = NetworkDeps['calls'];

async function openDoors(
  wish: MemberWish,
  { calls, member, log }: { calls: Calls; member: () => Member; log: Log },
) {
  const { config, identity, now } = wish;
  const { nodeId, clusterId, bootEpoch, session } = identity;
  const dataDir = config['data.dir'];
  if (clusterId === undefined || !(await hasCredentials(dataDir))) return undefined;
  const { rpc, gossip } = listensOf(wish);
  const { state, propose } = member();
  return openNetwork({
    ...{ dataDir, calls, state, log, now, elapsed },
    self: { nodeId, clusterId, bootEpoch, session },
    listens: { rpc, gossip },
    onHandedOn: wish.onHandedOn,
    random: Math.random,
    randomId: randomUUID,
    join: createJoinHandler({
      ...{ dataDir, clusterId, propose, now },
      members: () => state.view().members,
      database: wish.database,
      onJoined: ({ id, name, kind }) => log.info('a member joins', { id, name, kind }),
    }),
  });
}

function listensOf({ config, apiPort }: Pick<MemberWish, 'config' | 'apiPort'>): Listens {
  const advertised = config['cluster.raft.advertise_addr'];
  return {
    raft: readBinding(config['cluster.raft.bind_addr']),
    rpc: readBinding(config['cluster.rpc.bind_addr']),
    gossip: readBinding(config['cluster.gossip.bind_addr']),
    api: { host: config['server.host'], port: apiPort() },
    advertise: advertised === undefined ? undefined : readBinding(advertised).host,
  };
}

const aloneAt = (wish: MemberWish): Addresses => {
  const { api } = addressesOf(listensOf(wish), networkInterfaces());
  return { raft: [], rpc: [], gossip: [], api };
};

/** What this node says of itself, as one that is open to others. */
export function announcementOf(
  wish: Pick<MemberWish, 'config' | 'identity' | 'version' | 'apiPort'>,
): Announcement {
  const { identity, version } = wish;
  return {
    id: identity.nodeId,
    name: hostname(),
    kind: 'node',
    addresses: addressesOf(listensOf(wish), networkInterfaces()),
    bootEpoch: identity.bootEpoch,
    session: identity.session,
    version,
    features,
  };
}

/** Keeps this node's certificate from running out, also one that it gets later. */
function renewalOf(wish: MemberWish, { member, log }: { member: Member; log: Log }): Renewal {
  const { config, identity, database, now } = wish;
  const peers = () => member.network()?.peers() ?? [];
  return createRenewal({
    ...{ dataDir: config['data.dir'], nodeId: identity.nodeId, log, now },
    clusterId: () => identity.clusterId ?? '',
    members: () => peers().map(({ id }) => id),
    ask: async (id, request) => member.network()?.client.call(id, 'renew', { request }),
    async onRenewed() {
      await member.network()?.reloadTls();
      await member.consensus.reloadTls();
      // An embedded PostgreSQL shows it to members too.
      await database();
    },
  });
}
