import type { Member } from '#cluster/member/member.ts';
import { parseReadings, readingsOf, type Readings } from '#cluster/member/readings.ts';
import { plainly } from '#cluster/notices.ts';
import { RpcError } from '#cluster/rpc/index.ts';
import type { Member as Known, View } from '#cluster/state/types.ts';
import type { ClusterStatus, MemberStatus } from './control.ts';
import { note, type ClusterNote } from './sayings.ts';

const readingsMs = 2_000;

/** What its status is read from, of a node or a witness. */
export type Seated = Pick<
  Member,
  'state' | 'consensus' | 'offices' | 'currency' | 'pulses' | 'network'
> & { readonly autopilot: Pick<Member['autopilot'], 'assessment'> };

/** What the leader knows, from the leader; undefined while there is none or it does not answer. */
export async function askReadings(member: Seated): Promise<Readings | undefined> {
  if (member.offices.current()) {
    return readingsOf(member.autopilot.assessment(), member.pulses.known());
  }
  const leader = member.consensus.leadership().leader?.id;
  const network = member.network();
  if (leader === undefined || !network) return undefined;
  try {
    const answer = await network.client.call(leader, 'readings', {}, { timeoutMs: readingsMs });
    return answer === null ? undefined : parseReadings(answer);
  } catch (error) {
    if (error instanceof RpcError) return undefined;
    throw error;
  }
}

export interface StatusDeps {
  readonly nodeId: string;
  readonly now: () => number;
  readonly databaseNote: () => ClusterNote | undefined;
}

export async function readStatus(
  member: Seated,
  { nodeId, now, databaseNote }: StatusDeps,
): Promise<ClusterStatus> {
  const { state, consensus, currency } = member;
  const [raft, readings] = await Promise.all([consensus.lastStatus(), askReadings(member)]);
  const view = state.view();
  const isOpen = member.network() !== undefined;
  // Who votes is known without a leader too, as of what this node has last heard.
  const servers = readings?.servers ?? raft.configuration.servers;
  const members = [...view.members.values()].map((known) =>
    memberStatus(known, { readings, servers, now: now() }),
  );
  const leader = consensus.leadership().leader?.id;
  return {
    ...(view.clusterId === undefined ? {} : { clusterId: view.clusterId }),
    epoch: view.epoch,
    nodeId,
    isOpen,
    term: raft.term,
    ...(leader === undefined ? {} : { leader }),
    commit: raft.commit,
    applied: consensus.applied(),
    index: view.index,
    hash: state.hash(),
    ageMs: Math.min(Math.round(currency.ageMs()), Number.MAX_SAFE_INTEGER),
    featureLevel: view.featureLevel,
    isHealthy: readings !== undefined && members.every((each) => each.isHealthy),
    failureTolerance: readings?.failureTolerance ?? 0,
    members,
    notes: [
      ...notesOf({ isOpen, leader, readings, database: databaseNote() }),
      ...levelNotes(view),
    ],
  };
}

function notesOf({
  isOpen,
  leader,
  readings,
  database,
}: {
  isOpen: boolean;
  leader: string | undefined;
  readings: Readings | undefined;
  database: ClusterNote | undefined;
}): ClusterNote[] {
  if (!isOpen) return [note('alone', {})];
  if (leader === undefined) return [note('noLeader', {})];
  const told = readings?.notices ?? readings?.notes.map(plainly) ?? [];
  return [...told, ...(database === undefined ? [] : [database])];
}

/** As long as some members are of an older release, what is new waits for them. */
function levelNotes({ members, featureLevel }: View): ClusterNote[] {
  const all = [...members.values()];
  const level = Math.max(featureLevel, ...all.map(({ features }) => features.max));
  const names = all.filter(({ features }) => features.max < level).map(({ name }) => name);
  return names.length === 0 ? [] : [note('oldMembers', { level, names })];
}

interface Heard {
  readonly readings: Readings | undefined;
  readonly servers: readonly Pick<Readings['servers'][number], 'id' | 'suffrage'>[];
  /** Milliseconds since 1970. */
  readonly now: number;
}

function memberStatus(known: Known, { readings, servers, now }: Heard): MemberStatus {
  const { id, name, kind, isDraining, version, joinedAt, addresses } = known;
  const server = servers.find((each) => each.id === id);
  const peer = readings?.peers.find((each) => each.id === id);
  const health = readings?.health.find((each) => each.id === id);
  const isLeader = readings?.leaderId === id;
  const doing = readings?.doing.find((each) => each.id === id);
  return {
    ...{ id, name, kind, isDraining, version, joinedAt },
    state: stateOf(readings, { isServer: server !== undefined, isHealthy: health?.isHealthy }),
    role: isLeader ? 'leader' : roleOf(server?.suffrage),
    isVoter: server?.suffrage === 'voter',
    isHealthy: health?.isHealthy ?? false,
    addresses: { raft: addresses.raft, rpc: addresses.rpc, api: addresses.api },
    ...(health?.why === undefined ? {} : { problem: health.complaint ?? plainly(health.why) }),
    ...(doing ? { work: { jobs: doing.jobs, streams: doing.streams } } : {}),
    ...(doing?.aheadMs === undefined ? {} : { clockAheadMs: doing.aheadMs }),
    ...(isLeader ? { lastContactMs: 0, lag: 0, lastIndex: readings.lastIndex } : {}),
    ...progressOf(peer, readings, now),
  };
}

function progressOf(
  peer: Readings['peers'][number] | undefined,
  readings: Readings | undefined,
  now: number,
): Pick<MemberStatus, 'lastContactMs' | 'lastIndex' | 'lag' | 'stableSince'> {
  if (!peer || !readings) return {};
  const { matchIndex, lastContactMs, healthyForMs } = peer;
  return {
    lastIndex: matchIndex,
    lag: Math.max(0, readings.lastIndex - matchIndex),
    ...(lastContactMs === undefined ? {} : { lastContactMs: Math.round(lastContactMs) }),
    ...(healthyForMs === undefined ? {} : { stableSince: now - healthyForMs }),
  };
}

function roleOf(suffrage: string | undefined): MemberStatus['role'] {
  if (suffrage === undefined) return 'none';
  return suffrage === 'voter' ? 'follower' : 'learner';
}

function stateOf(
  readings: Readings | undefined,
  { isServer, isHealthy }: { isServer: boolean; isHealthy: boolean | undefined },
): MemberStatus['state'] {
  if (!readings) return 'unknown';
  if (!isServer) return 'joining';
  return isHealthy ? 'alive' : 'silent';
}
