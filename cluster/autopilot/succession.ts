import { haveQuorum } from './standing.ts';
import type { Known, Standing } from './types.ts';

/** The most caught-up node; one that is being drained only if there is no other. */
export function successorOf(standings: readonly Standing[]): Standing | undefined {
  const able = standings.filter(
    ({ isLeader, isVoter, isWitness, membership, health }) =>
      !isLeader && isVoter && !isWitness && membership === 'member' && health.isHealthy,
  );
  const [best] = able.sort(
    (a, b) =>
      Number(a.isDraining) - Number(b.isDraining) ||
      b.matchIndex - a.matchIndex ||
      (a.id < b.id ? -1 : 1),
  );
  return best;
}

export const votersOf = (standings: readonly Standing[]) =>
  standings.filter(({ isVoter }) => isVoter);

/** Whether the others could agree without its vote; never the leader. */
export function mayLose(server: Standing, standings: readonly Standing[]): boolean {
  if (server.isLeader) return false;
  if (!server.isVoter) return true;
  return haveQuorum(votersOf(standings).filter((voter) => voter !== server));
}

/** Whom the policy removes though nobody takes its place: learners first, then the longest dead. */
export function longDead({ config }: Known, standings: readonly Standing[]): Standing[] {
  const { cleanup, deadAfterMs } = config;
  if (!cleanup || deadAfterMs === undefined) return [];
  return standings
    .filter(({ isDead, silentMs }) => isDead && silentMs >= deadAfterMs)
    .sort((a, b) => Number(a.isVoter) - Number(b.isVoter) || b.silentMs - a.silentMs);
}
