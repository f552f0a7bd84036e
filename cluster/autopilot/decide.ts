import { notesOf } from './notes.ts';
import { complain } from './sayings.ts';
import { haveQuorum, quorumOf, standingsOf } from './standing.ts';
import { longDead, mayLose, successorOf, votersOf } from './succession.ts';
import type { Action, Decision, Health, Known, Standing } from './types.ts';
import { wantedVoters } from './voters.ts';
import { duration } from './words.ts';

/**
 * A voter silent for longer than this when another takes its place is taken for replaced and
 * removed; before that it only loses its vote, which it may win back. A restart is no departure.
 */
export const replacedAfterMs = 3600 * 1000;

/**
 * What to change next, as the leader sees things: one change at a time, each of which leaves voters
 * that can agree right now. Pure; to be asked again once the change is done.
 */
export function decide(known: Known): Decision {
  const standings = standingsOf(known);
  const action = nextAction(known, standings);
  const failureTolerance = toleranceOf(standings);
  return {
    actions: action ? [action] : [],
    successor: successorOf(standings)?.id,
    health: healthOf(known, standings),
    failureTolerance,
    notes: notesOf({ known, standings, failureTolerance }),
  };
}

function nextAction(known: Known, standings: readonly Standing[]): Action | undefined {
  const leader = standings.find(({ isLeader }) => isLeader);
  // It is on its way out, by a change that is not ours.
  if (!leader?.isVoter) return undefined;
  return (
    handOver(leader, standings) ??
    removeRetired(standings) ??
    changeVoters(known, standings) ??
    removeDead(known, standings) ??
    addMissing(known)
  );
}

/**
 * A witness cannot serve, who was forgotten must go, and who is drained should do nothing: they may
 * lead only until another can.
 */
function handOver(leader: Standing, standings: readonly Standing[]): Action | undefined {
  const why = whyNotLead(leader);
  if (why === undefined) return undefined;
  const successor = successorOf(standings);
  // From one that is drained to another that is, nothing would be won.
  const isBetter = successor && (why !== drained || !successor.isDraining);
  return isBetter ? { kind: 'transfer', id: successor.id, why } : undefined;
}

const drained = 'the leader is drained';

function whyNotLead({ membership, isWitness, isDraining }: Standing): string | undefined {
  if (membership === 'retired') return 'the leader was removed from the cluster';
  if (isWitness) return 'a witness does not lead';
  return isDraining ? drained : undefined;
}

function removeRetired(standings: readonly Standing[]): Action | undefined {
  const gone = standings
    .filter(({ membership }) => membership === 'retired')
    .sort((a, b) => Number(a.isVoter) - Number(b.isVoter))
    .find((server) => mayLose(server, standings));
  return gone && { kind: 'remove', id: gone.id, why: 'it was removed from the cluster' };
}

function changeVoters(known: Known, standings: readonly Standing[]): Action | undefined {
  if (!known.config.promote) return undefined;
  const voters = votersOf(standings);
  const wanted = wantedVoters(known, standings);
  const promotion = wanted.find((server) => !server.isVoter && haveQuorum([...voters, server]));
  // Who has just come or gone may change the sum a moment later; the living keep their votes.
  const isSettled = !standings.some(({ isUnsettled }) => isUnsettled);
  const demotion = voters
    .filter((server) => !wanted.includes(server) && (isSettled || server.isDead))
    .sort((a, b) => Number(b.isDead) - Number(a.isDead))
    .find((server) => mayLose(server, standings));
  const promote = promotion && promoted(promotion);
  const demote = demotion && demoted(known, demotion);
  // Down from an even number first, so that there are never more than one voter too many.
  return voters.length > wanted.length ? (demote ?? promote) : (promote ?? demote);
}

function promoted({ id, isWitness }: Standing): Action {
  const what = isWitness ? 'the witness' : 'it';
  return { kind: 'promote', id, why: `${what} is caught up and stable, and its vote is needed` };
}

function demoted({ config }: Known, server: Standing): Action {
  const { id, isDead, silentMs } = server;
  if (!isDead) return { kind: 'demote', id, why: 'an odd number of others votes' };
  const silence = `it has not answered for ${duration(silentMs)}`;
  if (config.cleanup && silentMs >= replacedAfterMs) {
    return { kind: 'remove', id, why: `${silence}, and another has its place` };
  }
  return { kind: 'demote', id, why: `${silence}; it may have its vote again when it is back` };
}

function removeDead(known: Known, standings: readonly Standing[]): Action | undefined {
  const gone = longDead(known, standings).find((server) => mayLose(server, standings));
  if (!gone) return undefined;
  const why = `it has not answered for ${duration(gone.silentMs)}`;
  return { kind: 'remove', id: gone.id, why };
}

/** Admitted, but the leader of then did not get to it. */
function addMissing({ view, configuration }: Known): Action | undefined {
  const present = new Set(configuration.servers.map(({ id }) => id));
  const missing = [...view.members.keys()].sort().find((id) => !present.has(id));
  if (missing === undefined) return undefined;
  return { kind: 'add', id: missing, why: 'it is a member and does not receive the log yet' };
}

function toleranceOf(standings: readonly Standing[]): number {
  const voters = votersOf(standings);
  const alive = voters.filter(({ isAlive }) => isAlive);
  const nodes = alive.filter(({ isWitness }) => !isWitness);
  return Math.max(0, Math.min(alive.length - quorumOf(voters.length), nodes.length - 1));
}

function healthOf(known: Known, standings: readonly Standing[]): ReadonlyMap<string, Health> {
  const absent = { isHealthy: false, why: complain('absent', {}) };
  const health = new Map<string, Health>();
  for (const id of known.view.members.keys()) health.set(id, absent);
  for (const server of standings) health.set(server.id, server.health);
  return health;
}
