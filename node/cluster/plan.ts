import type { Readings } from '#cluster/member/readings.ts';
import type { ChangeKind, ChangePlan } from './control.ts';

export interface PlanWish {
  readonly kind: ChangeKind;
  readonly id: string;
  /** For people. */
  readonly name: string;
  readonly readings: Pick<Readings, 'servers' | 'health' | 'leaderId'>;
  /** The database that all use is on it. */
  readonly hasDatabase?: boolean | undefined;
}

const quorumOf = (voters: number) => Math.floor(voters / 2) + 1;

/** What a change of one member comes to, and why it should not be made. */
export function planChange(wish: PlanWish): ChangePlan {
  const { kind, id, name, readings } = wish;
  const before = readings.servers.filter((server) => server.suffrage === 'voter').map((v) => v.id);
  const after = kind === 'promote' ? [...new Set([...before, id])] : before.filter((v) => v !== id);
  const isWell = (voter: string) =>
    voter === readings.leaderId ||
    (readings.health.find((each) => each.id === voter)?.isHealthy ?? false);
  const tolerance = (voters: readonly string[]) =>
    Math.max(0, voters.filter(isWell).length - quorumOf(voters.length));
  const refusal = refusalOf(wish, { before, after, isWell });
  return {
    steps: stepsOf(kind, name),
    voters: { before, after },
    failureTolerance: { before: tolerance(before), after: tolerance(after) },
    ...(refusal === undefined ? {} : { refusal }),
  };
}

function stepsOf(kind: ChangeKind, name: string): string[] {
  if (kind === 'promote') return [`${name} gets a vote`];
  if (kind === 'demote') return [`${name} loses its vote and goes on as a learner`];
  return [
    `${name} is taken out of the Raft configuration`,
    `${name} is forgotten: its certificate is refused, and its id never comes back`,
  ];
}

interface Voters {
  readonly before: readonly string[];
  readonly after: readonly string[];
  readonly isWell: (voter: string) => boolean;
}

function refusalOf(
  { kind, id, name, readings, hasDatabase }: PlanWish,
  { before, after, isWell }: Voters,
): string | undefined {
  if (kind === 'remove' && hasDatabase) {
    return `the database of the cluster is on ${name}, and would go with it: move it elsewhere first`;
  }
  const isVoter = before.includes(id);
  if (kind === 'promote' && isVoter) return `${name} has a vote already`;
  if (kind === 'demote' && !isVoter) return `${name} has no vote`;
  if (kind !== 'promote' && id === readings.leaderId) {
    return `${name} leads: hand leadership over first (revenge cluster transfer)`;
  }
  if (kind === 'promote' && !isWell(id)) {
    return `${name} is not well or not caught up yet: a vote it cannot give only costs the others`;
  }
  if (after.length === 0) return `${name} is the only voter`;
  const well = after.filter(isWell).length;
  if (well >= quorumOf(after.length)) return undefined;
  return (
    `of the ${after.length} voters that would be left only ${well} answer, and ` +
    `${quorumOf(after.length)} are needed: bring one back first`
  );
}
