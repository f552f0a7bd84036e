import type { Known, Standing } from './types.ts';

/**
 * Who should vote: an odd number, since an even one survives no more failures than one less (1 of
 * up to 2 servers, 3 of up to 4, 5 of more; never above `maxVoters`). A dead voter keeps its vote
 * until somebody is ready to take it, as fewer voters are no better; so it counts like a living one
 * here, and comes last. Witnesses are always the minority: with no node left, nobody could serve.
 *
 * The leader is among them in any case, since it is never demoted.
 */
export function wantedVoters({ config }: Known, standings: readonly Standing[]): Standing[] {
  const eligible = standings.filter((server) => isEligible(server));
  const nodes = eligible.filter(({ isWitness }) => !isWitness).length;
  const voters = standings.filter(({ isVoter }) => isVoter);
  if (nodes === 0) return voters;
  const witnesses = Math.min(eligible.length - nodes, nodes - 1);
  const count = oddUpTo(Math.min(nodes + witnesses, config.maxVoters));
  const wanted = pick([...eligible].sort(byMerit(config.cleanup)), count);
  const leader = standings.find(({ isLeader }) => isLeader);
  return leader && !wanted.includes(leader) ? [...wanted, leader] : wanted;
}

function isEligible({ isVoter, membership, isStable, isDraining }: Standing): boolean {
  if (isVoter) return membership !== 'retired';
  return membership === 'member' && isStable && !isDraining;
}

const oddUpTo = (count: number) => (count % 2 === 1 ? count : count - 1);

function pick(ranked: readonly Standing[], count: number): Standing[] {
  let witnesses = Math.floor(count / 2);
  const picked: Standing[] = [];
  for (const server of ranked) {
    if (picked.length === count) break;
    if (server.isWitness && witnesses === 0) continue;
    if (server.isWitness) witnesses -= 1;
    picked.push(server);
  }
  return picked;
}

/**
 * Reasons to prefer one to another, the weightiest first: it leads; it is not dead (where the dead
 * may be replaced); it can lead; it has the vote already (so that nothing changes without need); it
 * is well; it has been for longer. The id decides between equals, so that all leaders agree.
 */
function byMerit(isReplacing: boolean) {
  const merits = ({ isLeader, isWitness, isDead, isVoter, health }: Standing) => [
    isLeader && !isWitness,
    !(isReplacing && isDead),
    !isWitness,
    isVoter,
    !isDead,
    health.isHealthy,
  ];
  return (a: Standing, b: Standing): number => {
    const [ofA, ofB] = [merits(a), merits(b)];
    const at = ofA.findIndex((merit, place) => merit !== ofB[place]);
    if (at >= 0) return ofA[at] ? -1 : 1;
    if (a.healthySinceMs !== b.healthySinceMs) return a.healthySinceMs < b.healthySinceMs ? -1 : 1;
    return a.id < b.id ? -1 : 1;
  };
}
