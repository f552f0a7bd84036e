import { randomBytes } from 'node:crypto';
import { makeCredentials } from '#cluster/member/credentials.ts';
import type { Member } from '#cluster/member/member.ts';
import { RaftRefusedError } from '#cluster/raft/driver/errors.ts';
import type { Command, JoinToken, RefusedWhy } from '#cluster/state/types.ts';
import { authorityOf, readTrust } from '#cluster/trust/folder.ts';
import { openAuthority } from '#cluster/trust/ca.ts';
import { createToken, formatToken, hashSecret } from '#cluster/trust/tokens.ts';
import { problem } from '#services/errors.ts';
import type { ChangeKind, ChangePlan, ClusterControl, TokenStatus } from './control.ts';
import { recordHistory } from './history.ts';
import { planChange } from './plan.ts';
import type { ClusterNote } from './sayings.ts';
import { askReadings, readStatus } from './status.ts';

export interface ControlDeps {
  readonly member: Member;
  readonly nodeId: string;
  readonly dataDir: string;
  /** Lets members use this node's own database, if it has one; done before anybody is let in. */
  readonly shareDatabase: () => Promise<unknown>;
  /** The member that has the database of all; undefined: none has. */
  readonly databaseOwner: () => Promise<string | undefined>;
  /** For the operator; see `database.ts`. */
  readonly databaseNote: () => ClusterNote | undefined;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/** What an operator may do, on the node that is asked; what only the leader may comes to it. */
export function createControl(deps: ControlDeps): ClusterControl {
  const { member, nodeId, now } = deps;
  const { state, consensus } = member;
  const events = recordHistory(member, now);
  let opening: Promise<void> | undefined;
  const status = () =>
    asLeader(() => readStatus(member, { nodeId, now, databaseNote: deps.databaseNote }));
  const propose = (command: Command) => asLeader(() => proposeChecked(member, command));
  return {
    status,
    events,
    async init() {
      // Asked twice at once, it is done once.
      opening ??= openToOthers(deps).finally(() => (opening = undefined));
      await opening;
      return status();
    },
    async tokens() {
      return [...state.view().tokens.values()].map(tokenStatus);
    },
    createToken: (wanted) => newToken(deps, wanted, propose),
    async revokeToken(id) {
      await propose({ type: 'revokeToken', id });
    },
    plan: (kind, id) => plan(deps, kind, id),
    async change(kind, id, { force }) {
      const planned = await plan(deps, kind, id);
      if (planned.refusal !== undefined && !force) throw problem('conflict', planned.refusal.text);
      await asLeader(() => change(member, { kind, id, force }));
      return planned;
    },
    async transfer(to) {
      await asLeader(() => consensus.transfer(leaderToBe(member, to)));
      const seat = await member.offices.find(leaderMs);
      return { leader: seat && 'leader' in seat ? seat.leader : nodeId };
    },
    async setDraining(id, isDraining) {
      await propose({ type: 'drain', id, isDraining });
    },
    autopilot: async () => state.view().autopilot,
    async setAutopilot(config) {
      await propose({ type: 'setAutopilot', config });
      return config;
    },
    snapshot: () => asLeader(() => consensus.snapshot()),
  };
}

const leaderMs = 5_000;
const proposeMs = 5_000;

async function openToOthers(deps: ControlDeps): Promise<void> {
  const { member, nodeId, dataDir, shareDatabase, now } = deps;
  if (member.network()) return;
  const { clusterId } = member.state.view();
  if (clusterId === undefined) throw problem('no-leader', 'This node has no cluster yet');
  await makeCredentials({ dataDir, clusterId, nodeId, now, randomBytes });
  await member.open();
  await shareDatabase();
}

async function newToken(
  { member, dataDir, shareDatabase, now }: ControlDeps,
  wanted: Parameters<ClusterControl['createToken']>[0],
  propose: (command: Command) => Promise<void>,
): ReturnType<ClusterControl['createToken']> {
  const authority = authorityOf(await readTrust(dataDir));
  if (!member.network() || !authority) {
    throw problem('conflict', 'This node is alone: open it to others first (revenge cluster init)');
  }
  await shareDatabase();
  const { fingerprint } = openAuthority(authority, now);
  const token = createToken(fingerprint, randomBytes);
  const { kind, ttlMs, uses, by } = wanted;
  // By the time that it will be measured with.
  const createdAt = member.time();
  const kept: JoinToken = {
    ...{ id: token.id, kind, createdBy: by, createdAt },
    secretHash: hashSecret(token.secret),
    expiresAt: ttlMs === undefined ? undefined : createdAt + ttlMs,
    usesLeft: uses,
  };
  await propose({ type: 'addToken', token: kept });
  const members = [...member.state.view().members.values()];
  // A witness lets nobody in.
  const nodes = members.filter((each) => each.kind === 'node');
  const addresses = [...new Set(nodes.flatMap((each) => each.addresses.rpc))];
  return { ...tokenStatus(kept), token: formatToken(token), addresses };
}

const tokenStatus = ({ id, kind, createdAt, createdBy, ...limits }: JoinToken): TokenStatus => ({
  ...{ id, kind, createdAt, createdBy },
  ...(limits.expiresAt === undefined ? {} : { expiresAt: limits.expiresAt }),
  ...(limits.usesLeft === undefined ? {} : { usesLeft: limits.usesLeft }),
});

/** Never a witness, if somebody else can: it would only hand on what it was given. */
function leaderToBe({ state, autopilot }: Member, wanted: string | undefined): string | undefined {
  if (wanted === undefined) return autopilot.successor();
  if (state.view().members.get(wanted)?.kind !== 'witness') return wanted;
  throw problem('conflict', 'A witness serves nothing, and does not lead: name a node');
}

async function plan(
  { member, databaseOwner }: ControlDeps,
  kind: ChangeKind,
  id: string,
): Promise<ChangePlan> {
  const readings = await askReadings(member);
  if (!readings) throw noLeader();
  const known = member.state.view().members.get(id);
  if (!known && !readings.servers.some((server) => server.id === id)) {
    throw problem('not-found', `There is no member ${id}`);
  }
  const hasDatabase = (await databaseOwner()) === id;
  const votesByItself = member.state.view().autopilot.promote && known?.isDraining !== true;
  return planChange({ kind, id, name: known?.name ?? id, readings, hasDatabase, votesByItself });
}

const kinds = {
  promote: 'addVoter',
  demote: 'demoteVoter',
  remove: 'removeServer',
} as const satisfies Record<ChangeKind, string>;

async function change(
  member: Member,
  { kind, id, force }: { kind: ChangeKind; id: string; force: boolean },
): Promise<void> {
  const { servers } = (await member.consensus.status()).configuration;
  const isServer = servers.some((server) => server.id === id);
  if (kind !== 'remove' || isServer) {
    await member.consensus.change({ kind: kinds[kind], id, address: id, force });
  }
  if (kind === 'remove') await proposeChecked(member, { type: 'forget', id });
}

const refusals: Partial<Record<RefusedWhy, readonly ['not-found' | 'conflict', string]>> = {
  'unknown-member': ['not-found', 'There is no such member'],
  'unknown-token': ['not-found', 'There is no such token'],
  full: ['conflict', 'There are as many as there may be; remove some first'],
};

async function proposeChecked(member: Member, command: Command): Promise<void> {
  const result = await member.propose(command, proposeMs);
  if (result.isDone) return;
  const [code, detail] = refusals[result.why] ?? ['conflict', `Refused: ${result.why}`];
  throw problem(code, detail);
}

const noLeader = () =>
  problem('no-leader', 'No node leads the cluster right now', { retryAfterSeconds: 2 });

/** What Raft refuses, in the words of the API. */
async function asLeader<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof RaftRefusedError)) throw error;
    const { reason } = error;
    if (reason === 'not-leader' || reason === 'ended' || reason === 'leadership-lost') {
      throw noLeader();
    }
    throw problem('conflict', error.message, { cause: error });
  }
}
