import type { Readings } from '#cluster/member/readings.ts';
import type { ChangeKind, ChangePlan } from './control.ts';
import { refuse, step, type RefusalNotice, type StepNotice } from './sayings.ts';

export interface PlanWish {
  readonly kind: ChangeKind;
  readonly id: string;
  /** For people. */
  readonly name: string;
  readonly readings: Pick<Readings, 'servers' | 'health' | 'leaderId'>;
  /** The database that all use is on it. */
  readonly hasDatabase?: boolean | undefined;
  /** The cluster gives votes by itself, to this member too. */
  readonly votesByItself?: boolean | undefined;
}

const quorumOf = (voters: number) => Math.floor(voters / 2) + 1;

/** What a change of one member comes to, and why it should not be made. */
export function planChange(wish: PlanWish): ChangePlan {
  const { kind, id, readings } = wish;
  const before = readings.servers.filter((server) => server.suffrage === 'voter').map((v) => v.id);
  const after = kind === 'promote' ? [...new Set([...before, id])] : before.filter((v) => v !== id);
  const isWell = (voter: string) =>
    voter === readings.leaderId ||
    (readings.health.find((each) => each.id === voter)?.isHealthy ?? false);
  const tolerance = (voters: readonly string[]) =>
    Math.max(0, voters.filter(isWell).length - quorumOf(voters.length));
  const refusal = refusalOf(wish, { before, after, isWell });
  return {
    steps: stepsOf(wish),
    voters: { before, after },
    failureTolerance: { before: tolerance(before), after: tolerance(after) },
    ...(refusal === undefined ? {} : { refusal }),
  };
}

function stepsOf({ kind, name, votesByItself }: PlanWish): StepNotice[] {
  if (kind === 'remove') return [step('takeOut', { name }), step('forget', { name })];
  const returns = kind === 'demote' && votesByItself === true;
  return [step(kind, { name }), ...(returns ? [step('returns', { name })] : [])];
}

interface Voters {
  readonly before: readonly string[];
  readonly after: readonly string[];
  readonly isWell: (voter: string) => boolean;
}

function refusalOf(
  { kind, id, name, readings, hasDatabase }: PlanWish,
  { before, after, isWell }: Voters,
): RefusalNotice | undefined {
  if (kind === 'remove' && hasDatabase) return refuse('hasDatabase', { name });
  const isVoter = before.includes(id);
  if (kind === 'promote' && isVoter) return refuse('votes', { name });
  if (kind === 'demote' && !isVoter) return refuse('votesNot', { name });
  if (kind !== 'promote' && id === readings.leaderId) return refuse('leads', { name });
  if (kind === 'promote' && !isWell(id)) return refuse('unwell', { name });
  if (after.length === 0) return refuse('onlyVoter', { name });
  const well = after.filter(isWell).length;
  const needed = quorumOf(after.length);
  if (well >= needed) return undefined;
  return refuse('tooFew', { voters: after.length, well, needed });
}
