import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import type { BarredError } from '#cluster/member/barred.ts';
import { hasCredentials, signHere } from '#cluster/member/credentials.ts';
import { createJoinHandler } from '#cluster/member/joining.ts';
import { createMember, type Member } from '#cluster/member/member.ts';
import { pause } from '#cluster/member/pause.ts';
import type { Doing } from '#cluster/member/pulse.ts';
import { createRenewal, type Renewal } from '#cluster/member/renewal.ts';
import { openNetwork, type Network, type NetworkDeps } from '#cluster/member/network.ts';
import type { MeetingPlace } from '#cluster/member/rendezvous.ts';
import { sightingShape } from '#cluster/member/rumours.ts';
import type { Call } from '#cluster/rpc/index.ts';
import type { Identity } from '#cluster/trust/identity.ts';
import type { Log } from '#services/log.ts';
import { createNodeRegistry } from '#storage/cluster/nodes.ts';
import type { Outbox } from '#storage/cluster/outbox.ts';
import { createOwnership } from '#storage/cluster/owner.ts';
import type { Sql } from '#storage/postgres/connect.ts';
import type { Config } from '../config/keys.ts';
import { aloneAt, announcementOf, listensOf } from './announcement.ts';
import { startDriver } from './driver.ts';
import { forgetRecovered, isRecovered } from './recovered.ts';
import { isRestored, sinceEpoch } from './restored.ts';

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
  /** What members may ask of this node beside what is about Raft, by name. */
  readonly calls?: Readonly<Record<string, Call>> | undefined;
  /** RPC addresses at which some member may be. */
  readonly hints: () => Promise<readonly string[]>;
  /** The doors to others are open. */
  readonly onNetwork?: ((network: Network) => void) | undefined;
  /** This node may not take part; it has to end. */
  readonly onBarred: (error: BarredError) => void;
  /** Told to the leader; absent: nothing. */
  readonly doing?: (() => Doing) | undefined;
  /** See MemberDeps. */
  readonly raiseAfterMs?: number | undefined;
  readonly log: Log;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

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
  const { epoch = 0 } = (await owners.read()) ?? {};
  const isJoiner = await hasCredentials(config['data.dir']);
  const tell = (gossipId: string | undefined) => ({
    ...announcementOf(wish),
    // Alone it listens for nobody.
    ...(gossipId === undefined ? { addresses: aloneAt(wish) } : { gossipId }),
  });
  const member: Member = createMember({
    self: { id: nodeId, bootEpoch, session },
    ...{ tell, outbox, log, now, elapsed, pause, onBarred: wish.onBarred },
    ...{ random: Math.random, hints: wish.hints, calls: wish.calls },
    place: meetingPlace(wish, () => member),
    maxStalenessMs: config['cluster.max_staleness'],
    ...{ maxLevel: config['cluster.feature_level'], doing: wish.doing },
    raiseAfterMs: wish.raiseAfterMs,
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
    isRestored: (logEpoch) => isRestored(owners, logEpoch),
    onEpochBegun: () => forgetRecovered(config['data.dir']),
    async found(after) {
      const clusterId = identity.clusterId ?? randomUUID();
      // Kept first: a database that is claimed by nobody who remembers it is lost to all.
      await identity.save({ clusterId });
      return owners.claim(clusterId, after);
    },
  });
  const renewal = renewalOf(wish, { member, log });
  // One that ended while this node was away is renewed before anybody is shown it.
  await renewal.start();
  const close = async () => {
    renewal.close();
    await member.close();
  };
  const clock = sinceEpoch(member.clock, epoch);
  return { ...member, clock, close, [Symbol.asyncDispose]: close };
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
  const network = await openNetwork({
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
  wish.onNetwork?.(network);
  return network;
}

/** Members find each other by the database, when nothing else is where it was. */
function meetingPlace(
  { sql, identity, version }: MemberWish,
  member: () => Pick<Member, 'offices' | 'state'>,
): MeetingPlace {
  const registry = createNodeRegistry(sql);
  return {
    async tell({ id, gossipId, addresses, bootEpoch, saidAt }) {
      const { clusterId = '' } = identity;
      const row = { id, name: hostname(), bootEpoch, version, saidAt };
      await registry.tell(clusterId, { ...row, addresses: { ...addresses, gossipId } });
      const { offices, state } = member();
      if (offices.current()) await registry.keep(clusterId, [...state.view().members.keys()]);
    },
    async hear() {
      const rows = await registry.read(identity.clusterId ?? '');
      return rows.flatMap(({ id, addresses, bootEpoch, saidAt }) => {
        const { gossipId } = addresses as { gossipId?: unknown };
        const read = sightingShape.safeParse({ id, gossipId, addresses, bootEpoch, saidAt });
        return read.success ? [read.data] : [];
      });
    },
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
      if (member.network()) await database();
    },
  });
}
