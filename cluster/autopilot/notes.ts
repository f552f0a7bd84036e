import { labelOf } from './standing.ts';
import { longDead, mayLose, successorOf, votersOf } from './succession.ts';
import type { Known, Standing } from './types.ts';
import { counted, duration, list } from './words.ts';

export interface Findings {
  readonly known: Known;
  readonly standings: readonly Standing[];
  readonly failureTolerance: number;
}

/** What an operator should know and may have to do, in sentences; nothing when all is well. */
export function notesOf(findings: Findings): string[] {
  return [
    ...onLeader(findings),
    ...onFailover(findings),
    ...onDead(findings),
    ...onDying(findings),
    ...onLearners(findings),
    ...onStrangers(findings),
  ];
}

function onLeader({ standings }: Findings): string[] {
  const leader = standings.find(({ isLeader }) => isLeader);
  if (!leader) return ['The leader is not in the Raft configuration; another will be elected.'];
  if (successorOf(standings)) return [];
  if (leader.isWitness) {
    const what = 'a witness leads and no node can take over';
    return [`${leader.label}: ${what}; changes wait until one is back.`];
  }
  if (leader.membership === 'retired') {
    return [`${leader.label} was removed but leads, and no node can take over.`];
  }
  return [];
}

/** The promise that people believe they have, where they do not have it. */
function onFailover({ standings, failureTolerance }: Findings): string[] {
  const members = standings.filter(({ membership }) => membership !== 'retired');
  const nodes = members.filter(({ isWitness }) => !isWitness).length;
  if (members.length < 2 || failureTolerance > 0) return [];
  if (nodes === 1) return ['1 node: no automatic fail-over; a witness needs two of them.'];
  if (members.length === 2) {
    return ['2 nodes: no automatic fail-over; add a third or a witness.'];
  }
  const voters = votersOf(standings);
  if (voters.length === 1) return ['1 voter: no automatic fail-over until others may vote.'];
  const silent = voters.filter(({ isAlive }) => !isAlive).length;
  const why =
    silent > 0 ? `${silent} of ${counted(voters.length, 'voter')} away` : 'too few voters';
  return [`No automatic fail-over now: ${why}; if another fails, changes wait.`];
}

function onDead({ known, standings }: Findings): string[] {
  const dead = standings.filter(({ isDead, membership }) => isDead && membership !== 'retired');
  return dead.map(({ label, isVoter, silentMs }) => {
    const away = `${label} has not answered for ${duration(silentMs)}`;
    if (isVoter) return `${away} and still has its vote; start it, or remove it.`;
    const end = known.config.deadAfterMs;
    if (known.config.cleanup && end !== undefined) {
      return `${away}; it will be removed after ${duration(end)}.`;
    }
    return `${away}; remove it if it will not come back.`;
  });
}

function onDying({ known, standings }: Findings): string[] {
  const stuck = longDead(known, standings).filter((server) => !mayLose(server, standings));
  if (stuck.length === 0) return [];
  const names = list(stuck.map(({ label }) => label));
  return [`${names} cannot be removed now: too few of the other voters answer.`];
}

function onLearners({ known, standings }: Findings): string[] {
  const behind = standings.filter(
    ({ isVoter, isAlive, health }) => !isVoter && isAlive && !health.isHealthy,
  );
  const present = new Set(standings.map(({ id }) => id));
  const waiting = [...known.view.members.keys()].filter((id) => !present.has(id)).sort();
  return [
    ...behind.map(({ label, health }) => `${label} is catching up: ${health.why ?? ''}.`),
    ...waiting.map((id) => `${labelOf(known, id)} was admitted and is being added.`),
  ];
}

function onStrangers({ standings }: Findings): string[] {
  return standings
    .filter(({ membership }) => membership === 'stranger')
    .map(({ label }) => `${label} is in the Raft configuration but never announced itself.`);
}
