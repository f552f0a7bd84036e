import type { Call, HandlersOf, OperationId } from '#api/handler.ts';
import { problem } from '#services/errors.ts';
import type { ChangeKind, ClusterControl } from './control.ts';
import { toChange, toEvent, toHealth, toMember, toRules, toStatus, toToken } from './json.ts';

/** The operations of api/cluster.yaml. */
export type ClusterHandlers = HandlersOf<
  | 'getClusterStatus'
  | 'initCluster'
  | 'getClusterHealth'
  | 'listClusterEvents'
  | 'listClusterTokens'
  | 'createClusterToken'
  | 'revokeClusterToken'
  | 'rotateClusterToken'
  | 'listClusterMembers'
  | 'getClusterMember'
  | 'promoteClusterMember'
  | 'demoteClusterMember'
  | 'removeClusterMember'
  | 'drainClusterMember'
  | 'undrainClusterMember'
  | 'transferClusterLeadership'
  | 'getClusterAutopilot'
  | 'putClusterAutopilot'
  | 'snapshotCluster'
>;

/** Makes the handlers. */
export function createClusterHandlers(control: ClusterControl): ClusterHandlers {
  return {
    ...readers(control),
    ...tokenHandlers(control),
    ...memberHandlers(control),
    ...changeHandlers(control),
    ...ruleHandlers(control),
  };
}

const hourMs = 3_600_000;
const secret = { 'cache-control': 'no-store' };

function readers(control: ClusterControl) {
  return {
    async getClusterStatus() {
      return { body: toStatus(await control.status()) };
    },
    async initCluster() {
      return { body: toStatus(await control.init()) };
    },
    async getClusterHealth() {
      return { body: toHealth(await control.status()) };
    },
    async listClusterEvents({ query: { limit = 50 } }) {
      return { body: { items: control.events().slice(-limit).map(toEvent) } };
    },
    async snapshotCluster() {
      const { index, term } = await control.snapshot();
      return { body: { index, term } };
    },
  } satisfies Partial<ClusterHandlers>;
}

function tokenHandlers(control: ClusterControl) {
  type Wanted = Omit<Parameters<ClusterControl['createToken']>[0], 'by'>;
  const create = async (wanted: Wanted, { principal }: Pick<Call<OperationId>, 'principal'>) => {
    const made = await control.createToken({ ...wanted, by: principal?.username ?? 'nobody' });
    const { token, addresses } = made;
    return { headers: secret, body: { ...toToken(made), token, addresses: [...addresses] } };
  };
  return {
    async listClusterTokens() {
      return { body: { items: (await control.tokens()).map(toToken) } };
    },
    async createClusterToken(call) {
      const { kind = 'node', ttlMs = hourMs, uses = 1 } = call.body ?? {};
      return create({ kind, ttlMs: ttlMs ?? undefined, uses: uses ?? undefined }, call);
    },
    async revokeClusterToken({ params }) {
      await control.revokeToken(params.tokenId);
      return { status: 204, body: undefined };
    },
    async rotateClusterToken(call) {
      const { tokenId } = call.params;
      const old = (await control.tokens()).find(({ id }) => id === tokenId);
      if (old === undefined) throw problem('not-found', `There is no join token "${tokenId}".`);
      const { kind, createdAt, expiresAt, usesLeft: uses } = old;
      if (uses === 0) {
        throw problem('conflict', `The join token ${tokenId} is used up: create a new one.`);
      }
      const ttlMs = expiresAt === undefined ? undefined : expiresAt - createdAt;
      // In this order it can be asked for again: should it break off between, nobody has been
      // shown the new one's secret, and the old one still admits.
      const made = await create({ kind, ttlMs, uses }, call);
      await control.revokeToken(tokenId);
      return made;
    },
  } satisfies Partial<ClusterHandlers>;
}

function memberHandlers(control: ClusterControl) {
  const find = async (memberId: string) => {
    const member = (await control.status()).members.find(({ id }) => id === memberId);
    if (member === undefined) throw problem('not-found', `There is no member "${memberId}".`);
    return toMember(member);
  };
  return {
    async listClusterMembers() {
      return { body: { items: (await control.status()).members.map(toMember) } };
    },
    async getClusterMember({ params }) {
      return { body: await find(params.memberId) };
    },
    async drainClusterMember({ params }) {
      await control.setDraining(params.memberId, true);
      return { body: await find(params.memberId) };
    },
    async undrainClusterMember({ params }) {
      await control.setDraining(params.memberId, false);
      return { body: await find(params.memberId) };
    },
  } satisfies Partial<ClusterHandlers>;
}

function changeHandlers(control: ClusterControl) {
  type Change = Call<'promoteClusterMember' | 'demoteClusterMember' | 'removeClusterMember'>;
  const change = (kind: ChangeKind) => async (call: Change) => {
    const { memberId } = call.params;
    if (call.query.dryRun === true) {
      return { body: toChange(await control.plan(kind, memberId), false) };
    }
    const force = call.body?.force ?? false;
    return { body: toChange(await control.change(kind, memberId, { force }), true) };
  };
  return {
    promoteClusterMember: change('promote'),
    demoteClusterMember: change('demote'),
    removeClusterMember: change('remove'),
    async transferClusterLeadership({ body }) {
      const to = body?.to;
      // Who has it already has been given it: whoever asks twice finds it done.
      const isDone = to !== undefined && (await control.status()).leader === to;
      return { body: { leader: isDone ? to : (await control.transfer(to)).leader } };
    },
  } satisfies Partial<ClusterHandlers>;
}

function ruleHandlers(control: ClusterControl) {
  return {
    async getClusterAutopilot() {
      return { body: toRules(await control.autopilot()) };
    },
    async putClusterAutopilot({ body: { deadAfterMs, ...rules } }) {
      if (rules.maxVoters % 2 === 0) {
        const message = 'must be odd: an even number of voters tolerates no more failures';
        throw problem('bad-request', `/body/maxVoters ${message}`, {
          errors: [{ path: '/body/maxVoters', message }],
        });
      }
      const wanted = { ...rules, deadAfterMs: deadAfterMs ?? undefined };
      return { body: toRules(await control.setAutopilot(wanted)) };
    },
  } satisfies Partial<ClusterHandlers>;
}
