import { tell, type LeaderNote } from './sayings.ts';
import { labelOf } from './standing.ts';
import { longDead, mayLose, successorOf, votersOf } from './succession.ts';
import type { Known, Standing } from './types.ts';

export interface Findings {
  readonly known: Known;
  readonly standings: readonly Standing[];
  readonly failureTolerance: number;
}

/** What an operator should know and may have to do; nothing when all is well. */
export function notesOf(findings: Findings): LeaderNote[] {
  return [
    ...onLeader(findings),
    ...onFailover(findings),
    ...onDead(findings),
    ...onDying(findings),
    ...onLearners(findings),
    ...onStrangers(findings),
  ];
}

function onLeader({ standings }: Findings): LeaderNote[] {
  const leader = standings.find(({ isLeader }) => isLeader);
  if (!leader) return [tell('leaderOutside', {})];
  if (successorOf(standings)) return [];
  if (leader.isWitness) return [tell('witnessLeads', { name: leader.label })];
  if (leader.membership === 'retired') return [tell('removedLeads', { name: leader.label })];
  return [];
}

/** The promise that people believe they have, where they do not have it. */
function onFailover({ standings, failureTolerance }: Findings): LeaderNote[] {
  const members = standings.filter(({ membership }) => membership !== 'retired');
  const nodes = members.filter(({ isWitness }) => !isWitness).length;
  if (members.length < 2 || failureTolerance > 0) return [];
  if (nodes === 1) return [tell('oneNode', {})];
  if (members.length === 2) return [tell('twoNodes', {})];
  const voters = votersOf(standings);
  if (voters.length === 1) return [tell('oneVoter', {})];
  const away = voters.filter(({ isAlive }) => !isAlive).length;
  return [away > 0 ? tell('votersAway', { away, voters: voters.length }) : tell('votersFew', {})];
}

function onDead({ known, standings }: Findings): LeaderNote[] {
  const dead = standings.filter(({ isDead, membership }) => isDead && membership !== 'retired');
  return dead.map(({ label: name, isVoter, silentMs }) => {
    if (isVoter) return tell('voterDead', { name, silentMs });
    const endMs = known.config.deadAfterMs;
    if (known.config.cleanup && endMs !== undefined) {
      return tell('deadLeaving', { name, silentMs, endMs });
    }
    return tell('dead', { name, silentMs });
  });
}

function onDying({ known, standings }: Findings): LeaderNote[] {
  const stuck = longDead(known, standings).filter((server) => !mayLose(server, standings));
  if (stuck.length === 0) return [];
  return [tell('cannotGo', { names: stuck.map(({ label }) => label) })];
}

function onLearners({ known, standings }: Findings): LeaderNote[] {
  const behind = standings.filter(({ isVoter, isAlive }) => !isVoter && isAlive);
  const present = new Set(standings.map(({ id }) => id));
  const waiting = [...known.view.members.keys()].filter((id) => !present.has(id)).sort();
  return [
    ...behind.flatMap(lagOf),
    ...waiting.map((id) => tell('beingAdded', { name: labelOf(known, id) })),
  ];
}

/** Who answers can be unwell in these two ways only. */
function lagOf({ label: name, health: { why } }: Standing): LeaderNote[] {
  if (why?.code === 'otherTerm') return [tell('otherTerm', { name, ...why.values })];
  return why?.code === 'behind' ? [tell('catchingUp', { name, ...why.values })] : [];
}

function onStrangers({ standings }: Findings): LeaderNote[] {
  return standings
    .filter(({ membership }) => membership === 'stranger')
    .map(({ label: name }) => tell('stranger', { name }));
}
