import type { AutopilotConfig } from '#cluster/state/types.ts';
import type {
  ChangeKind,
  ChangePlan,
  ClusterControl,
  ClusterEvent,
  ClusterStatus,
  MemberStatus,
  NewToken,
  TokenStatus,
} from '#node/cluster/control.ts';
import { plainly } from '#cluster/notices.ts';
import { happened, refuse, step } from '#node/cluster/sayings.ts';
import { problem } from '#services/errors.ts';

/** A cluster in memory, for tests of what stands in front of one. */
export interface FakeCluster extends ClusterControl {
  /** What it is; a test may change it. */
  readonly state: {
    status: ClusterStatus;
    tokens: TokenStatus[];
    autopilot: AutopilotConfig;
    events: ClusterEvent[];
    now: number;
  };
  /** The changes carried out, in order, as `verb id`. */
  readonly done: readonly string[];
}

export const fakeStart = Date.UTC(2026, 0, 2, 3, 4, 5, 678);

/** A member that is well; what differs is given. */
export function fakeMember(more: Partial<MemberStatus> & { id: string }): MemberStatus {
  return {
    name: more.id,
    kind: 'node',
    state: 'alive',
    role: 'follower',
    isVoter: true,
    isDraining: false,
    isHealthy: true,
    addresses: { raft: [`${more.id}:7000`], rpc: [`${more.id}:7001`], api: [`${more.id}:8080`] },
    lastContactMs: 40,
    lastIndex: 100,
    lag: 0,
    version: '0.1.0',
    joinedAt: fakeStart,
    stableSince: fakeStart,
    ...more,
  };
}

const threeNodes = [
  fakeMember({ id: 'kitchen', role: 'leader' }),
  fakeMember({ id: 'attic' }),
  fakeMember({ id: 'cellar', role: 'learner', isVoter: false }),
];

/** Three nodes, of which two vote and the first leads, unless others are given. */
export function fakeCluster(members: readonly MemberStatus[] = threeNodes): FakeCluster {
  const state: FakeCluster['state'] = {
    status: statusOf(members),
    tokens: [],
    autopilot: {
      ...{ promote: true, cleanup: true, lastContactMs: 2_000, maxTrailingEntries: 250 },
      ...{ stabilizationMs: 10_000, deadAfterMs: undefined, maxVoters: 5 },
    },
    events: [
      {
        ...{ at: fakeStart, kind: 'leader' },
        notice: happened('leads', { name: 'kitchen', term: 7 }),
      },
    ],
    now: fakeStart,
  };
  const done: string[] = [];
  return { state, done, ...views(state), ...tokensOf(state), ...changes(state, done) };
}

function statusOf(members: readonly MemberStatus[]): ClusterStatus {
  return {
    clusterId: 'home',
    epoch: 1,
    nodeId: members[0]?.id ?? 'alone',
    isOpen: true,
    term: 7,
    leader: members.find(({ role }) => role === 'leader')?.id,
    commit: 100,
    applied: 100,
    index: 4_294_967_396,
    hash: 'ab'.repeat(32),
    ageMs: 12,
    featureLevel: 1,
    isHealthy: true,
    failureTolerance: 0,
    members,
    notes: [plainly('Attic has been silent once.')],
  } as ClusterStatus;
}

type State = FakeCluster['state'];

function views(state: State) {
  return {
    status: async () => state.status,
    async init() {
      return (state.status = { ...state.status, isOpen: true });
    },
    autopilot: async () => state.autopilot,
    setAutopilot: async (config: AutopilotConfig) => (state.autopilot = config),
    snapshot: async () => ({ index: state.status.commit, term: state.status.term }),
    events: () => state.events,
  };
}

function tokensOf(state: State) {
  let count = 0;
  return {
    tokens: async () => state.tokens,
    async createToken(wanted: Parameters<ClusterControl['createToken']>[0]): Promise<NewToken> {
      const { kind, ttlMs, uses, by } = wanted;
      const id = `token${(count += 1)}`;
      const made: TokenStatus = {
        ...{ id, kind, createdAt: state.now, createdBy: by },
        ...(ttlMs === undefined ? {} : { expiresAt: state.now + ttlMs }),
        ...(uses === undefined ? {} : { usesLeft: uses }),
      };
      state.tokens.push(made);
      return {
        ...made,
        token: `rj1.pin.${id}.secret`,
        addresses: ['kitchen:7001', '10.0.0.1:7001'],
      };
    },
    async revokeToken(id: string) {
      const at = state.tokens.findIndex((token) => token.id === id);
      if (at < 0) throw problem('not-found', `There is no join token "${id}".`);
      state.tokens.splice(at, 1);
    },
  };
}

function changes(state: State, done: string[]) {
  const find = (id: string) => {
    const member = state.status.members.find((one) => one.id === id);
    if (member === undefined) throw problem('not-found', `There is no member "${id}".`);
    return member;
  };
  const put = (id: string, more: Partial<MemberStatus> | undefined) => {
    const members = state.status.members.flatMap((member) =>
      member.id !== id ? [member] : more === undefined ? [] : [{ ...member, ...more }],
    );
    state.status = { ...state.status, members };
  };
  const plan = async (kind: ChangeKind, id: string) => planOf(kind, find(id), state.status.members);
  return {
    plan,
    async change(kind: ChangeKind, id: string, { force }: { force: boolean }) {
      const planned = await plan(kind, id);
      if (planned.refusal !== undefined && !force) throw problem('conflict', planned.refusal.text);
      done.push(`${kind} ${id}`);
      put(id, kind === 'remove' ? undefined : { isVoter: kind === 'promote' });
      return planned;
    },
    async transfer(to: string | undefined) {
      const voters = state.status.members.filter(({ isVoter }) => isVoter);
      const next = to ?? voters.find(({ id }) => id !== state.status.leader)?.id;
      if (next === undefined) throw problem('conflict', 'There is no other voter.');
      done.push(`transfer ${find(next).id}`);
      state.status = { ...state.status, leader: next };
      return { leader: next };
    },
    async setDraining(id: string, isDraining: boolean) {
      put(find(id).id, { isDraining });
    },
  };
}

/** The leader keeps its vote; else votes come and go as asked. */
function planOf(kind: ChangeKind, member: MemberStatus, all: readonly MemberStatus[]): ChangePlan {
  const before = all.filter(({ isVoter }) => isVoter).map(({ id }) => id);
  const without = before.filter((id) => id !== member.id);
  const after = kind === 'promote' ? [...without, member.id] : without;
  const tolerance = (voters: readonly string[]) => Math.max(0, Math.ceil(voters.length / 2) - 1);
  return {
    steps: [step(kind === 'remove' ? 'takeOut' : kind, { name: member.name })],
    voters: { before, after },
    failureTolerance: { before: tolerance(before), after: tolerance(after) },
    ...(member.role === 'leader' && kind !== 'promote'
      ? { refusal: refuse('leads', { name: member.name }) }
      : {}),
  };
}
