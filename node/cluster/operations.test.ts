import { Ajv2020 } from 'ajv/dist/2020.js';
import formats from 'ajv-formats';
import { expect } from 'chai';
import type { Call, JsonAnswer } from '#api/handler.ts';
import {
  fakeCluster,
  fakeMember,
  fakeStart,
  type FakeCluster,
} from '#test/fakes/cluster-control.ts';
import { complain } from '#cluster/autopilot/sayings.ts';
import { principalWith, specOf, testApi, type TestApi } from '#test/http.ts';
import { ProblemError } from '#services/errors.ts';
import { createClusterHandlers, type ClusterHandlers } from './operations.ts';
import { happened } from './sayings.ts';

type Input = { params?: object; query?: object; body?: unknown };

/** Calls a handler as the HTTP layer would; resolves to its whole answer. */
async function answer<Id extends keyof ClusterHandlers>(
  control: FakeCluster,
  id: Id,
  input: Input = {},
) {
  const handler = createClusterHandlers(control)[id] as (call: Call<Id>) => Promise<unknown>;
  const whole = { params: {}, query: {}, body: undefined, principal: principalWith(), ...input };
  type Body = Extract<Awaited<ReturnType<ClusterHandlers[Id]>>, { body: unknown }>['body'];
  return (await handler(whole as unknown as Call<Id>)) as JsonAnswer<NonNullable<Body>>;
}

async function body<Id extends keyof ClusterHandlers>(
  control: FakeCluster,
  id: Id,
  input: Input = {},
) {
  return (await answer(control, id, input)).body;
}

const codeOf = (promise: Promise<unknown>) =>
  promise.then(
    () => 'no problem',
    (error: unknown) => (error instanceof ProblemError ? error.code : String(error)),
  );

describe('cluster: handlers', () => {
  it('tell times in ISO 8601, and null for what is not known', async () => {
    const control = fakeCluster([
      fakeMember({ id: 'a', role: 'leader' }),
      { ...bare('b'), problem: complain('silent', { silentMs: 5000.4 }) },
    ]);
    const { members, ...status } = await body(control, 'getClusterStatus');
    expect(status).to.include({ clusterId: 'home', leader: 'a', ageMs: 12 });
    expect(members[0]).to.include({ stableSince: '2026-01-02T03:04:05.678Z', problem: null });
    expect(members[1]).to.include({
      ...{ lastContactMs: null, lastIndex: null, lag: null, stableSince: null },
      ...{ problem: 'has not answered for 5 seconds', joinedAt: '2026-01-02T03:04:05.678Z' },
    });
    expect(members[1]?.problemNotice).to.deep.equal({
      ...{ code: 'silent', values: { silentMs: 5000 }, text: members[1]?.problem },
    });
  });

  it('tell of a node that has heard of nobody', async () => {
    const control = fakeCluster([bare('a')]);
    const rest = without(control.state.status, 'clusterId', 'leader');
    control.state.status = { ...rest, ageMs: Infinity, isOpen: false };
    expect(await body(control, 'getClusterStatus')).to.include({
      ...{ clusterId: null, leader: null, ageMs: null, isOpen: false },
    });
    expect(await body(control, 'initCluster')).to.include({ isOpen: true });
  });

  it('find one member, and none', async () => {
    const control = fakeCluster();
    expect(await body(control, 'getClusterMember', at('attic'))).to.include({ id: 'attic' });
    expect(await codeOf(body(control, 'getClusterMember', at('x')))).to.equal('not-found');
  });

  it('are short about health', async () => {
    const control = fakeCluster();
    const { members, ...rest } = await body(control, 'getClusterHealth');
    expect(rest).to.include({ isHealthy: true, failureTolerance: 0, leader: 'kitchen' });
    expect(members[0]).to.deep.equal({
      ...{ id: 'kitchen', name: 'kitchen', isHealthy: true, problem: null, problemNotice: null },
    });
    expect(rest.notices.map(({ text }) => text)).to.deep.equal(rest.notes);
  });

  it('give the latest events', async () => {
    const control = fakeCluster();
    control.state.events = [1, 2, 3].map((term) => ({
      ...{ at: term, kind: 'office', notice: happened('office', { term }) },
    }));
    const { items } = await body(control, 'listClusterEvents', { query: { limit: 2 } });
    expect(items.map(({ code, values }) => [code, values])).to.deep.equal([
      ['office', { term: 2 }],
      ['office', { term: 3 }],
    ]);
    expect(items[0]?.message).to.equal('this node took office in term 2');
    expect((await body(control, 'listClusterEvents')).items).to.have.length(3);
  });

  it('drain and take that back', async () => {
    const control = fakeCluster();
    const drained = await body(control, 'drainClusterMember', at('attic'));
    expect(drained.isDraining).to.equal(true);
    const back = await body(control, 'undrainClusterMember', at('attic'));
    expect(back.isDraining).to.equal(false);
  });
});

describe('cluster: handlers of changes', () => {
  it('plan and change nothing', async () => {
    const control = fakeCluster();
    const input = { ...at('cellar'), query: { dryRun: true } };
    expect(await body(control, 'promoteClusterMember', input)).to.deep.equal({
      isDone: false,
      steps: ['cellar gets a vote'],
      stepNotices: [{ code: 'promote', values: { name: 'cellar' }, text: 'cellar gets a vote' }],
      voters: { before: ['kitchen', 'attic'], after: ['kitchen', 'attic', 'cellar'] },
      failureTolerance: { before: 0, after: 1 },
      ...{ refusal: null, refusalNotice: null },
    });
    expect(control.done).to.deep.equal([]);
  });

  it('change, and only with force what is refused', async () => {
    const control = fakeCluster();
    expect(await body(control, 'demoteClusterMember', at('attic'))).to.include({ isDone: true });
    expect(await codeOf(body(control, 'removeClusterMember', at('kitchen')))).to.equal('conflict');
    const forced = { ...at('kitchen'), body: { force: true } };
    const { refusal } = await body(control, 'removeClusterMember', forced);
    expect(refusal).to.match(/leads/);
    expect(control.done).to.deep.equal(['demote attic', 'remove kitchen']);
  });

  it('transfer to whom is named, or to somebody', async () => {
    const control = fakeCluster();
    const named = await body(control, 'transferClusterLeadership', { body: { to: 'cellar' } });
    expect(named).to.deep.equal({ leader: 'cellar' });
    expect(await body(control, 'transferClusterLeadership')).to.deep.equal({ leader: 'kitchen' });
    await body(control, 'transferClusterLeadership', { body: { to: 'kitchen' } });
    expect(control.done).to.deep.equal(['transfer cellar', 'transfer kitchen']);
  });

  it('set the rules whole, with an odd number of voters', async () => {
    const control = fakeCluster();
    const rules = await body(control, 'getClusterAutopilot');
    expect(rules).to.include({ deadAfterMs: null, maxVoters: 5 });
    const set = (more: object) =>
      body(control, 'putClusterAutopilot', { body: { ...rules, ...more } });
    expect(await set({ deadAfterMs: 1_000, maxVoters: 3 })).to.include({ deadAfterMs: 1_000 });
    expect(control.state.autopilot).to.include({ deadAfterMs: 1_000, maxVoters: 3 });
    await set({ deadAfterMs: null });
    expect(control.state.autopilot.deadAfterMs).to.equal(undefined);
    expect(await codeOf(set({ maxVoters: 4 }))).to.equal('bad-request');
  });

  it('say how far a snapshot reaches', async () => {
    expect(await body(fakeCluster(), 'snapshotCluster')).to.deep.equal({ index: 100, term: 7 });
  });
});

describe('cluster: handlers of tokens', () => {
  it('make one for a node, an hour and once, unless told otherwise', async () => {
    const control = fakeCluster();
    const { body: made, headers } = await answer(control, 'createClusterToken');
    expect(headers).to.deep.equal({ 'cache-control': 'no-store' });
    expect(made).to.deep.equal({
      ...{ id: 'token1', kind: 'node', createdBy: 'test', usesLeft: 1 },
      ...{ createdAt: '2026-01-02T03:04:05.678Z', expiresAt: '2026-01-02T04:04:05.678Z' },
      ...{ token: 'rj1.pin.token1.secret', addresses: ['kitchen:7001', '10.0.0.1:7001'] },
    });
    const endless = { kind: 'witness', ttlMs: null, uses: null };
    const other = await body(control, 'createClusterToken', { body: endless });
    expect(other).to.include({ kind: 'witness', expiresAt: null, usesLeft: null });
  });

  it('keep the secret out of everything else', async () => {
    const control = fakeCluster();
    await answer(control, 'createClusterToken');
    const { items } = await body(control, 'listClusterTokens');
    expect(Object.keys(items[0]!).sort()).to.deep.equal(
      ['createdAt', 'createdBy', 'expiresAt', 'id', 'kind', 'usesLeft'].sort(),
    );
  });

  it('revoke one', async () => {
    const control = fakeCluster();
    await answer(control, 'createClusterToken');
    const params = { tokenId: 'token1' };
    expect((await answer(control, 'revokeClusterToken', { params })).status).to.equal(204);
    expect(await codeOf(answer(control, 'revokeClusterToken', { params }))).to.equal('not-found');
  });

  it('rotate one: the same kind, lifetime and uses, and the old one is gone', async () => {
    const control = fakeCluster();
    const ttlMs = 600_000;
    await answer(control, 'createClusterToken', { body: { kind: 'witness', ttlMs, uses: 3 } });
    control.state.now += 300_000;
    const params = { tokenId: 'token1' };
    const { body: made, headers } = await answer(control, 'rotateClusterToken', { params });
    expect(headers).to.deep.equal({ 'cache-control': 'no-store' });
    expect(made).to.include({ id: 'token2', kind: 'witness', usesLeft: 3 });
    expect(made.expiresAt).to.equal(new Date(fakeStart + 300_000 + ttlMs).toISOString());
    expect(control.state.tokens.map(({ id }) => id)).to.deep.equal(['token2']);
    expect(await codeOf(answer(control, 'rotateClusterToken', { params }))).to.equal('not-found');
  });

  it('rotate none that is used up, and keep the old one should it break off', async () => {
    const control = fakeCluster();
    await answer(control, 'createClusterToken');
    const params = { tokenId: 'token1' };
    const broken = { ...control, revokeToken: () => Promise.reject(new Error('cut off')) };
    expect(await codeOf(answer(broken, 'rotateClusterToken', { params }))).to.match(/cut off/);
    expect(control.state.tokens.map(({ id }) => id)).to.include('token1');
    control.state.tokens = [{ ...control.state.tokens[0]!, usesLeft: 0 }];
    expect(await codeOf(answer(control, 'rotateClusterToken', { params }))).to.equal('conflict');
  });
});

describe('cluster: API', () => {
  let control: FakeCluster;
  let api: TestApi;
  const token = 'admin:cluster';
  const post = (path: string, json?: unknown) =>
    api.fetch(`/api/v1/cluster${path}`, {
      ...{ method: 'POST', token },
      ...(json === undefined
        ? {}
        : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(json) }),
    });

  before(async () => {
    control = fakeCluster();
    api = await testApi({ spec: specOf('cluster'), handlers: createClusterHandlers(control) });
  });
  after(() => api.close());

  it('is for administrators', async () => {
    expect((await api.fetch('/api/v1/cluster')).status).to.equal(401);
    const other = await api.fetch('/api/v1/cluster', { token: 'users:write settings:write' });
    expect(other.status).to.equal(403);
    expect((await api.fetch('/api/v1/cluster', { token: 'admin:*' })).status).to.equal(200);
  });

  it('shows a secret once, and lets nobody keep it', async () => {
    const made = await post('/tokens');
    expect(made.status).to.equal(201);
    expect(made.headers.get('cache-control')).to.equal('no-store');
    const { id } = (await made.json()) as { id: string };
    const rotated = await post(`/tokens/${id}/rotate`);
    expect(rotated.headers.get('cache-control')).to.equal('no-store');
    const list = await (await api.fetch('/api/v1/cluster/tokens', { token })).text();
    expect(list).to.not.include('secret');
  });

  const wrong: [string, string, unknown][] = [
    ['/tokens', 'a kind there is not', { kind: 'guest' }],
    ['/tokens', 'no time', { ttlMs: 0 }],
    ['/tokens', 'no use', { uses: 0 }],
    ['/tokens', 'a field that is none', { secret: 'mine' }],
    ['/members/attic/remove', 'force that is no truth', { force: 'yes' }],
    ['/transfer', 'an id too long', { to: 'x'.repeat(200) }],
    ['/members/attic/remove?dryRun=perhaps', 'a query that is no truth', undefined],
  ];
  for (const [path, what, json] of wrong) {
    it(`refuses ${what}`, async () => {
      expect((await post(path, json)).status).to.equal(400);
    });
  }

  it('gives examples that are true', () => {
    const spec = specOf('cluster');
    const ajv = new Ajv2020({ strict: false, allErrors: true });
    formats.default(ajv);
    ajv.addSchema({ ...spec, $id: 'spec' }, 'spec');
    const schemas = Object.entries(spec.components['schemas'] ?? {}) as [string, Examples][];
    const checked = schemas.flatMap(([name, { examples = [] }]) =>
      examples.map((example) => {
        const validate = ajv.compile({ $ref: `spec#/components/schemas/${name}` });
        validate(example);
        return { name, errors: validate.errors ?? [] };
      }),
    );
    expect(checked).to.have.length.above(8);
    expect(checked.filter(({ errors }) => errors.length > 0)).to.deep.equal([]);
  });

  it('reads dryRun as a truth', async () => {
    const before = control.done.length;
    const plan = (await (await post('/members/attic/demote?dryRun=true')).json()) as object;
    expect(plan).to.include({ isDone: false });
    expect(control.done).to.have.length(before);
  });
});

interface Examples {
  readonly examples?: readonly unknown[];
}

const at = (memberId: string) => ({ params: { memberId } });

/** The same without some of its fields. */
function without<T extends object, Key extends keyof T>(whole: T, ...keys: Key[]): Omit<T, Key> {
  const kept = Object.entries(whole).filter(([key]) => !keys.includes(key as Key));
  return Object.fromEntries(kept) as Omit<T, Key>;
}

/** A member of which nothing is known yet. */
const bare = (id: string) =>
  without(
    fakeMember({ id, state: 'unknown', isHealthy: false }),
    ...(['lastContactMs', 'lastIndex', 'lag', 'stableSince'] as const),
  );
