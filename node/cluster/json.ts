import type { components } from '#api/types.ts';
import type { AutopilotConfig } from '#cluster/state/types.ts';
import type { Notice } from '#cluster/notices.ts';
import { toValues } from '../notice-json.ts';
import type {
  ChangePlan,
  ClusterEvent,
  ClusterStatus,
  MemberStatus,
  TokenStatus,
} from './control.ts';

/** What the control says, as the API says it: times in ISO 8601, null for what is not there. */

type Schemas = components['schemas'];

const time = (ms: number) => new Date(ms).toISOString();
const timeOrNull = (ms: number | undefined) => (ms === undefined ? null : time(ms));
/** A whole number; null for what is not known, which an endless age is too. */
const whole = (ms: number | undefined) =>
  ms !== undefined && Number.isFinite(ms) ? Math.round(ms) : null;

const toNotice = <Code extends string>({ code, values, text }: Notice<Code>) => ({
  ...{ code, text },
  values: toValues(values),
});
const words = (notices: readonly Notice[]) => notices.map(({ text }) => text);
const problemOf = ({ problem }: MemberStatus) => ({
  problem: problem?.text ?? null,
  problemNotice: problem ? toNotice(problem) : null,
});

export function toMember(member: MemberStatus): Schemas['ClusterMember'] {
  const { id, name, kind, state, role, isVoter, isDraining, isHealthy, version } = member;
  const { raft, rpc, api } = member.addresses;
  return {
    ...{ id, name, kind, state, role, isVoter, isDraining, isHealthy, version },
    ...problemOf(member),
    work: member.work ?? null,
    clockAheadMs: whole(member.clockAheadMs),
    addresses: { raft: [...raft], rpc: [...rpc], api: [...api] },
    lastContactMs: whole(member.lastContactMs),
    lastIndex: member.lastIndex ?? null,
    lag: member.lag ?? null,
    joinedAt: time(member.joinedAt),
    stableSince: timeOrNull(member.stableSince),
  };
}

export function toStatus(status: ClusterStatus): Schemas['ClusterStatus'] {
  const { epoch, nodeId, isOpen, term, commit, applied, index, hash, featureLevel } = status;
  const { isHealthy, failureTolerance } = status;
  return {
    ...{ epoch, nodeId, isOpen, term, commit, applied, index, hash, featureLevel },
    ...{ isHealthy, failureTolerance },
    clusterId: status.clusterId ?? null,
    leader: status.leader ?? null,
    ageMs: whole(status.ageMs),
    members: status.members.map(toMember),
    notes: words(status.notes),
    notices: status.notes.map(toNotice),
  };
}

export function toHealth(status: ClusterStatus): Schemas['ClusterHealth'] {
  const { isHealthy, failureTolerance, leader, members, notes } = status;
  return {
    ...{ isHealthy, failureTolerance },
    leader: leader ?? null,
    notes: words(notes),
    notices: notes.map(toNotice),
    members: members.map((member) => ({
      id: member.id,
      name: member.name,
      isHealthy: member.isHealthy,
      ...problemOf(member),
    })),
  };
}

/** Field by field: what is made of a new token must never carry its secret along. */
export function toToken(token: TokenStatus): Schemas['ClusterToken'] {
  const { id, kind, createdBy } = token;
  return {
    ...{ id, kind, createdBy },
    createdAt: time(token.createdAt),
    expiresAt: timeOrNull(token.expiresAt),
    usesLeft: token.usesLeft ?? null,
  };
}

export function toChange(plan: ChangePlan, isDone: boolean): Schemas['ClusterChange'] {
  const { steps, voters, failureTolerance, refusal } = plan;
  return {
    isDone,
    steps: words(steps),
    stepNotices: steps.map(toNotice),
    voters: { before: [...voters.before], after: [...voters.after] },
    failureTolerance: { before: failureTolerance.before, after: failureTolerance.after },
    refusal: refusal?.text ?? null,
    refusalNotice: refusal ? toNotice(refusal) : null,
  };
}

export function toEvent({ at, kind, notice }: ClusterEvent) {
  const { code, values, text: message } = toNotice(notice);
  return { at: time(at), kind, message, code, values };
}

export function toRules(config: AutopilotConfig): Schemas['ClusterAutopilot'] {
  const { promote, cleanup, lastContactMs, maxTrailingEntries, stabilizationMs } = config;
  return {
    ...{ promote, cleanup, lastContactMs, maxTrailingEntries, stabilizationMs },
    deadAfterMs: config.deadAfterMs ?? null,
    maxVoters: config.maxVoters,
  };
}
