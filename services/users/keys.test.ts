import { expect } from 'chai';
import type { Principal } from '#services/principal.ts';
import { bodyOf, callOf, codeOf, problemOf, signIn, usersWorld } from '#test/users.ts';
import type { UsersWorld } from '#test/users.ts';

const password = 'a long enough phrase';
const ip = '192.0.2.1';

describe('users: API keys', () => {
  let world: UsersWorld;
  let admin: Principal;
  let bob: Principal;
  before(async () => {
    world = await usersWorld();
    await world.users.createUser({ username: 'ada', password, role: 'admin' });
    await world.users.createUser({ username: 'bob', password });
    admin = (await signIn(world.users, 'ada', password)).principal;
    bob = (await signIn(world.users, 'bob', password)).principal;
  });
  after(() => world.close());

  const create = (principal: Principal, scopes: string[], expiresAt?: string) => {
    const body = { name: 'a key', scopes, ...(expiresAt === undefined ? {} : { expiresAt }) };
    return bodyOf(world.users.handlers.createApiKey(callOf('createApiKey', { body, principal })));
  };
  const list = async (principal: Principal) =>
    (await bodyOf(world.users.handlers.listApiKeys(callOf('listApiKeys', { principal })))).items;
  const remove = (principal: Principal, apiKeyId: string) =>
    world.users.handlers.deleteApiKey(callOf('deleteApiKey', { params: { apiKeyId }, principal }));
  const authenticate = (apiKey: string) => world.users.authenticate({ apiKey, ip });

  it('shows the secret once and stores its hash only', async () => {
    const made = await create(bob, ['movies:read']);
    expect(made.key).to.match(/^rv_[0-9a-f]{64}$/);
    expect(made.key.startsWith(made.prefix)).to.equal(true);
    const [listed] = await list(bob);
    expect(listed).to.include({ id: made.id, prefix: made.prefix, lastUsedAt: null });
    expect(listed).to.not.have.property('key');
    const rows = await world.db.sql`select * from shared.api_keys`;
    expect(JSON.stringify(rows)).to.not.include(made.key.slice(12));
  });

  it('may do what its scopes say, by header and as bearer', async () => {
    const { key, id } = await create(bob, ['movies:read', 'search:read']);
    const principal = await authenticate(key);
    expect(principal).to.include({ via: 'apikey', credentialId: id, username: 'bob' });
    expect([...(principal?.permissions ?? [])]).to.have.members(['movies:read', 'search:read']);
    expect(await world.users.authenticate({ bearer: key, ip })).to.deep.equal(principal);
  });

  it('is looked at again for answers that last', async () => {
    const { key, id } = await create(bob, ['events:read', 'movies:read']);
    const principal = (await authenticate(key)) as Principal;
    expect(await world.users.recheck(principal)).to.deep.equal(principal);
    const signed = await world.users.recheck({ ...principal, via: 'signed' });
    expect(signed).to.include({ via: 'signed', credentialId: id });
    await remove(bob, id);
    expect(await codeOf(world.users.recheck(principal))).to.equal('token-invalid');
    expect(await codeOf(world.users.recheck({ ...principal, via: 'signed' }))).to.equal(
      'token-invalid',
    );
  });

  it('cannot be given what its owner does not hold, nor what does not exist', async () => {
    for (const scopes of [
      ['settings:write'],
      ['movies:read', 'users:read'],
      ['x:y'],
      ['admin:*'],
    ]) {
      expect(await codeOf(create(bob, scopes)), scopes.join()).to.equal('unprocessable');
    }
  });

  it('loses what its owner loses, at once', async () => {
    const carol = await world.users.createUser({ username: 'carol', password, role: 'admin' });
    const { principal } = await signIn(world.users, 'carol', password);
    const { key } = await create(principal, ['movies:read', 'settings:write']);
    const held = async () => [...((await authenticate(key))?.permissions ?? [])];
    expect(await held()).to.have.members(['movies:read', 'settings:write']);
    await world.users.update(carol.id, { role: 'user' });
    expect(await held()).to.deep.equal(['movies:read']);
    await world.users.update(carol.id, { disabled: true });
    expect(await codeOf(authenticate(key))).to.equal('account-disabled');
    await world.users.remove(carol.id);
    expect(await codeOf(authenticate(key))).to.equal('token-invalid');
  });

  it("never holds an administrator's wildcard", async () => {
    const { key } = await create(admin, ['admin:activity']);
    expect([...((await authenticate(key))?.permissions ?? [])]).to.deep.equal(['admin:activity']);
  });

  it('may not touch passwords, sessions or other keys', async () => {
    const { key } = await create(bob, ['movies:read']);
    const principal = await authenticate(key);
    if (principal === undefined) throw new Error('the key is not believed');
    const { handlers } = world.users;
    const calls = [
      create(principal, ['movies:read']),
      list(principal),
      handlers.listSessions(callOf('listSessions', { principal })),
      handlers.logoutAll(callOf('logoutAll', { principal })),
      handlers.updateMe(callOf('updateMe', { principal, body: { displayName: 'B' } })),
      handlers.changePassword(
        callOf('changePassword', {
          principal,
          body: { currentPassword: password, newPassword: 'another phrase' },
        }),
      ),
    ];
    const codes = await Promise.all(calls.map((call) => codeOf(call)));
    expect(new Set(codes)).to.deep.equal(new Set(['forbidden']));
  });

  it('expires', async () => {
    const at = new Date(world.clock.now() + 60_000).toISOString();
    const { key, expiresAt } = await create(bob, ['movies:read'], at);
    expect(expiresAt).to.equal(at);
    expect(await codeOf(authenticate(key))).to.equal('none');
    world.clock.advance(60_000);
    expect(await codeOf(authenticate(key))).to.equal('token-expired');
    expect(await codeOf(create(bob, ['movies:read'], at))).to.equal('unprocessable');
  });

  it('stops working at once when deleted, by its owner only', async () => {
    const { key, id } = await create(bob, ['movies:read']);
    expect(await codeOf(authenticate(key))).to.equal('none');
    expect(await codeOf(remove(admin, id))).to.equal('not-found');
    await remove(bob, id);
    expect(await codeOf(authenticate(key))).to.equal('token-invalid');
    expect(await codeOf(remove(bob, id))).to.equal('not-found');
  });

  it('notes its last use once a minute', async () => {
    const { key, id } = await create(bob, ['movies:read']);
    const lastUsed = async () => (await list(bob)).find((item) => item.id === id)?.lastUsedAt;
    const first = new Date(world.clock.now()).toISOString();
    await authenticate(key);
    world.clock.advance(59_000);
    await authenticate(key);
    expect(await lastUsed()).to.equal(first);
    world.clock.advance(1_000);
    await authenticate(key);
    expect(await lastUsed()).to.equal(new Date(world.clock.now()).toISOString());
  });

  it('is one of at most 25, also when many are made at once', async () => {
    await world.users.createUser({ username: 'dora', password });
    const { principal } = await signIn(world.users, 'dora', password);
    const codes = await Promise.all(
      Array.from({ length: 30 }, () => codeOf(create(principal, ['movies:read']))),
    );
    expect(codes.filter((code) => code === 'none').length).to.equal(25);
    expect(codes.filter((code) => code === 'conflict').length).to.equal(5);
  });

  it('is refused when it only looks like one', async () => {
    for (const key of ['rv_', 'rv_zz', `rv_${'0'.repeat(64)}`]) {
      expect((await problemOf(authenticate(key))).code).to.equal('token-invalid');
    }
  });
});
