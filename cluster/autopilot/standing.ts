import { judge } from './health.ts';
import type { Known, PeerState, Server, Standing } from './types.ts';

/** Every server of the configuration by id, with all that the rules ask about it. */
export function standingsOf(known: Known): Standing[] {
  return known.configuration.servers
    .map((server) => standingOf(known, server))
    .sort((a, b) => (a.id < b.id ? -1 : 1));
}

function standingOf(known: Known, { id, suffrage }: Server): Standing {
  const { leaderId, view } = known;
  const member = view.members.get(id);
  const isLeader = id === leaderId;
  return {
    id,
    label: labelOf(known, id),
    isLeader,
    isVoter: suffrage === 'voter',
    isWitness: member?.kind === 'witness',
    isDraining: member?.isDraining ?? false,
    membership: member ? 'member' : view.retired.has(id) ? 'retired' : 'stranger',
    ...(isLeader ? leaderOf(known) : followerOf(known, known.peers.get(id))),
  };
}

type Seen = Pick<
  Standing,
  | 'health'
  | 'isUnsettled'
  | 'isAlive'
  | 'isDead'
  | 'silentMs'
  | 'isStable'
  | 'healthySinceMs'
  | 'matchIndex'
>;

const leaderOf = ({ lastIndex }: Known): Seen => ({
  health: { isHealthy: true, why: undefined },
  isAlive: true,
  isDead: false,
  silentMs: 0,
  isStable: true,
  healthySinceMs: -Infinity,
  isUnsettled: false,
  matchIndex: lastIndex,
});

function followerOf(known: Known, peer: PeerState | undefined): Seen {
  const { config, now } = known;
  const health = judge(peer, known, config);
  const healthySinceMs = peer?.healthySinceMs ?? Infinity;
  const silentMs = now - (peer?.silentSinceMs ?? now);
  const isAlive = (peer?.lastContactMs ?? Infinity) <= config.lastContactMs;
  const isDead = !isAlive && peer !== undefined && silentMs >= config.stabilizationMs;
  const isStable = health.isHealthy && now - healthySinceMs >= config.stabilizationMs;
  return {
    health,
    isAlive,
    isDead,
    silentMs,
    isStable,
    healthySinceMs,
    isUnsettled: health.isHealthy ? !isStable : !isAlive && !isDead,
    matchIndex: peer?.matchIndex ?? 0,
  };
}

export function labelOf({ view }: Pick<Known, 'view'>, id: string): string {
  const name = view.members.get(id)?.name ?? '';
  if (name === '') return id;
  const namesakes = [...view.members.values()].filter((other) => other.name === name);
  return namesakes.length > 1 ? `${name} (${id})` : name;
}

export const quorumOf = (voters: number) => Math.floor(voters / 2) + 1;

/** Whether these voters could agree on something right now. */
export function haveQuorum(voters: readonly Standing[]): boolean {
  return voters.filter(({ isAlive }) => isAlive).length >= quorumOf(voters.length);
}
