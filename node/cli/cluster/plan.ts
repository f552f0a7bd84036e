import type { components } from '#api/types.ts';
import { CommandError, exitCode } from '../exit.ts';
import { findMember, label, labelOf, type Member } from './members.ts';
import { plain } from './words.ts';

type Schemas = components['schemas'];
export type Change = Schemas['ClusterChange'];

/** What a command is about to do, in the words a person is asked with. */
export interface Plan {
  readonly title: string;
  readonly lines: readonly string[];
  /** Why it is not done; undefined: it is. */
  readonly refusal: string | undefined;
}

/** A change of members, as the leader has worked it out. */
export function changePlan(
  verb: 'promote' | 'demote' | 'remove',
  member: Member,
  { change, members }: { change: Change; members: readonly Member[] },
): Plan {
  const names = (ids: readonly string[]) => ids.map((id) => labelOf(id, members)).join(', ');
  const { voters, failureTolerance, steps, refusal } = change;
  const [before, after] = [names(voters.before), names(voters.after)];
  return {
    title: `${verb} ${label(member, members)}:`,
    lines: [
      ...steps.map((step, index) => `${index + 1}. ${step}`),
      before === after ? `voters: ${after}, as before` : `voters: ${before} → ${after || 'none'}`,
      failureTolerance.before === failureTolerance.after
        ? `failure tolerance: ${failureTolerance.after}, as before`
        : `failure tolerance: ${failureTolerance.before} → ${failureTolerance.after}`,
    ],
    refusal: refusal ?? undefined,
  };
}

/**
 * A transfer of leadership, from what is known of the members; `to` is the one wanted, if any.
 * @throws CommandError when nobody leads
 */
export function transferPlan(
  { leader, members }: Pick<Schemas['ClusterStatus'], 'leader' | 'members'>,
  to: string | undefined,
): { plan: Plan; target: Member | undefined } {
  if (leader === null) {
    throw new CommandError('nobody leads right now: wait for an election', exitCode.unavailable);
  }
  const from = labelOf(leader, members);
  const target = to === undefined ? undefined : findMember(members, to);
  const whom = target === undefined ? 'the voter that is furthest' : label(target, members);
  const lines = [
    `1. ${from}, which leads, takes no changes until ${whom} has all there are`,
    `2. ${whom} is elected at once; if it is not, ${from} goes on`,
    'changes wait meanwhile, a second or so; reading and streams go on',
  ];
  const refusal = refusalOf({ leader, members }, target);
  return { plan: { title: `transfer leadership to ${whom}:`, lines, refusal }, target };
}

function refusalOf(
  { leader, members }: { leader: string; members: readonly Member[] },
  target: Member | undefined,
): string | undefined {
  if (target === undefined) {
    const others = members.filter(({ id, isVoter }) => isVoter && id !== leader);
    return others.length > 0 ? undefined : 'there is no other voter; add a node, or promote one';
  }
  const name = label(target, members);
  return target.isVoter ? undefined : `${name} does not vote; promote it first`;
}

/** The plan as it is shown before the question. */
export function showPlan({ title, lines, refusal }: Plan): string {
  const all = refusal === undefined ? lines : [...lines, `refused without --force: ${refusal}`];
  return [title, ...all.map((line) => `  ${line}`)].map(plain).join('\n');
}
