import { randomUUID } from 'node:crypto';
import { expect } from 'chai';
import { SignJWT, UnsecuredJWT } from 'jose';
import { bodyOf, callOf, codeOf, signIn, testSecret, usersWorld } from '#test/users.ts';
import type { UsersWorld } from '#test/users.ts';

const password = 'a long enough phrase';
const ip = '192.0.2.1';

describe('users: what is offered as proof', () => {
  let world: UsersWorld;
  let good: Awaited<ReturnType<typeof signIn>>;
  before(async () => {
    world = await usersWorld();
    await world.users.createUser({ username: 'ada', password, role: 'admin' });
    good = await signIn(world.users, 'ada', password);
  });
  after(() => world.close());

  const authenticate = (bearer: string) => world.users.authenticate({ bearer, ip });

  const part = (text: string) =>
    JSON.parse(Buffer.from(text, 'base64url').toString()) as Record<string, unknown>;
  const headerOf = (token: string) => part(token.split('.')[0] ?? '');
  const claimsOf = (token: string) => part(token.split('.')[1] ?? '');

  /** A token like a good one but for what is given, signed with our secret unless told not to. */
  const forge = (claims: object, header: object = {}, secret = testSecret) =>
    new SignJWT({ ...claimsOf(good.accessToken), ...claims })
      .setProtectedHeader({ alg: 'HS256', ...headerOf(good.accessToken), ...header })
      .sign(new TextEncoder().encode(secret));

  const tampered = (token: string) => {
    const [header, , signature] = token.split('.');
    const claims = { ...claimsOf(token), role: 'admin', sub: randomUUID() };
    const payload = Buffer.from(JSON.stringify(claims)).toString('base64url');
    return `${header}.${payload}.${signature}`;
  };

  it('takes nothing for nobody', async () => {
    expect(await world.users.authenticate({ ip })).to.equal(undefined);
  });

  it('takes a token that is signed with the secret and is like ours', async () => {
    expect(await codeOf(authenticate(await forge({})))).to.equal('none');
  });

  const seconds = () => Math.floor(world.clock.now() / 1_000);
  const forgeries: Record<string, () => string | Promise<string>> = {
    'no token at all': () => 'nonsense',
    'a changed payload': () => tampered(good.accessToken),
    'a cut signature': () => good.accessToken.slice(0, -4),
    'another secret': () => forge({}, {}, 'another secret of more than 32 characters'),
    'another key id': () => forge({}, { kid: '0000000000000000' }),
    'another algorithm': () => forge({}, { alg: 'HS512' }),
    'no algorithm': () => new UnsecuredJWT(claimsOf(good.accessToken)).encode(),
    'another audience': () => forge({ aud: 'elsewhere' }),
    'another issuer': () => forge({ iss: 'elsewhere' }),
    'another type': () => forge({}, { typ: 'JWT' }),
    'no session': () => forge({ sid: undefined }),
    'an unknown session': () => forge({ sid: randomUUID() }),
    "somebody else's session": () => forge({ sub: randomUUID() }),
    'a role that does not exist': () => forge({ role: 'root' }),
    'no end': () => forge({ exp: undefined }),
    'a beginning that is still to come': () => forge({ nbf: seconds() + 60 }),
    'an old end, and another secret': () =>
      forge({ exp: seconds() - 60 }, {}, 'another secret of more than 32 characters'),
  };
  for (const [name, make] of Object.entries(forgeries)) {
    it(`refuses a token with ${name}`, async () => {
      expect(await codeOf(authenticate(await make()))).to.equal('token-invalid');
    });
  }

  it('says that a token of ours has expired', async () => {
    expect(await codeOf(authenticate(await forge({ exp: seconds() - 1 })))).to.equal(
      'token-expired',
    );
  });

  it('does not believe the role a token claims, but the account', async () => {
    await world.users.createUser({ username: 'bob', password });
    const bob = await signIn(world.users, 'bob', password);
    const { sub, sid } = claimsOf(bob.accessToken);
    const principal = await authenticate(await forge({ sub, sid, role: 'admin' }));
    expect(principal?.role).to.equal('user');
    expect([...(principal?.permissions ?? [])]).to.not.include('admin:*');
  });

  it('believes the tokens of another node with the same secret, and of no other', async () => {
    const same = await world.another();
    const other = await world.another({ jwtSecret: 'another secret of more than 32 characters' });
    const bearer = good.accessToken;
    expect(await codeOf(same.authenticate({ bearer, ip }))).to.equal('none');
    expect(await codeOf(other.authenticate({ bearer, ip }))).to.equal('token-invalid');
  });

  it('refuses a session on every node once one has ended it', async () => {
    const [one, two] = [await world.another(), await world.another()];
    const { accessToken: bearer, principal } = await signIn(one, 'ada', password);
    for (const node of [one, two]) {
      expect(await codeOf(node.authenticate({ bearer, ip }))).to.equal('none');
    }
    await two.handlers.logout(callOf('logout', { principal }));
    for (const node of [one, two]) {
      expect(await codeOf(node.authenticate({ bearer, ip }))).to.equal('token-invalid');
    }
  });

  it('wants a secret of 32 bytes', async () => {
    const made = await world.another({ jwtSecret: 'short' }).catch((error: Error) => error);
    expect(made).to.be.instanceOf(RangeError);
  });

  it('refuses a disabled account in the middle of its session, and lets it in again', async () => {
    const carol = await world.users.createUser({ username: 'carol', password });
    const { accessToken, refreshToken } = await signIn(world.users, 'carol', password);
    const setDisabled = (disabled: boolean) =>
      world.users.handlers.updateUser(
        callOf('updateUser', {
          params: { userId: carol.id },
          body: { disabled },
          principal: good.principal,
        }),
      );
    await setDisabled(true);
    expect(await codeOf(authenticate(accessToken))).to.equal('account-disabled');
    const body = { refreshToken };
    const refresh = world.users.handlers.refresh(callOf('refresh', { body }));
    expect(await codeOf(refresh)).to.equal('account-disabled');
    expect(await codeOf(signIn(world.users, 'carol', password))).to.equal('account-disabled');
    expect(await codeOf(signIn(world.users, 'carol', 'a wrong one'))).to.equal(
      'invalid-credentials',
    );
    await setDisabled(false);
    expect(await codeOf(authenticate(accessToken))).to.equal('token-invalid');
    expect(await codeOf(signIn(world.users, 'carol', password))).to.equal('none');
  });

  it('shows a changed role at the next request', async () => {
    const dora = await world.users.createUser({ username: 'dora', password });
    const { accessToken: bearer } = await signIn(world.users, 'dora', password);
    const role = async () => (await authenticate(bearer))?.role;
    expect(await role()).to.equal('user');
    await world.users.update(dora.id, { role: 'admin' });
    expect(await role()).to.equal('admin');
    await world.users.update(dora.id, { role: 'user' });
    expect(await role()).to.equal('user');
  });
});

describe('users: libraries', () => {
  it('count on every node at the next request, of keys and addresses, too', async () => {
    await using world = await usersWorld({
      verifySignature: async ({ token }) => ({ via: 'apikey', credentialId: token }),
    });
    const [row] = await world.db.sql<{ id: string }[]>`
      insert into libraries (kind, name) values ('movie', 'Films') returning id`;
    const libraryId = row!.id;
    await world.users.createUser({ username: 'boss', password, role: 'admin' });
    const ada = await world.users.createUser({ username: 'ada', password });
    const nodes = [world.users, await world.another(), await world.another()];
    const { accessToken: bearer, principal } = await signIn(world.users, 'ada', password);
    const body = { name: 'k', scopes: ['movies:read'] };
    const call = callOf('createApiKey', { body, principal });
    const { id: token, key: apiKey } = await bodyOf(world.users.handlers.createApiKey(call));
    const signature = { token, operationId: 'getFile', params: {} };
    const seen = async () => {
      const all = nodes.flatMap((node) =>
        [{ bearer }, { apiKey }, { signature }].map((proof) => node.authenticate({ ...proof, ip })),
      );
      const lists = (await Promise.all(all)).map((one) =>
        one?.libraries === undefined ? 'all' : [...one.libraries].join(),
      );
      return [...new Set(lists)];
    };
    expect(await seen()).to.deep.equal(['all']);
    await nodes[1]!.update(ada.id, { libraryIds: [libraryId] });
    expect(await seen()).to.deep.equal([libraryId]);
    const [again] = await Promise.all(nodes.map((node) => node.recheck(principal)));
    expect([...again!.libraries!]).to.deep.equal([libraryId]);
    await nodes[2]!.update(ada.id, { libraryIds: [] });
    expect(await seen()).to.deep.equal(['']);
    await nodes[0]!.update(ada.id, { role: 'admin' });
    expect(await seen(), 'administrators see all').to.deep.equal(['all']);
    await nodes[0]!.update(ada.id, { role: 'user', libraryIds: null });
    expect(await seen()).to.deep.equal(['all']);
  });
});

describe('users: signed addresses', () => {
  it('hold as long as the credential they were made with', async () => {
    await using world = await usersWorld({
      verifySignature: async ({ token, operationId }) =>
        operationId === 'getFile' ? { via: 'session', credentialId: token } : undefined,
    });
    await world.users.createUser({ username: 'ada', password });
    const { sessionId: token, principal } = await signIn(world.users, 'ada', password);
    const offer = (operationId: string) =>
      world.users.authenticate({ signature: { token, operationId, params: {} }, ip });
    expect(await offer('getFile')).to.include({ via: 'signed', credentialId: token });
    expect(await codeOf(offer('getOther'))).to.equal('token-invalid');
    await world.users.handlers.logout(callOf('logout', { principal }));
    expect(await codeOf(offer('getFile'))).to.equal('token-invalid');
  });

  it('hold as long as the API key they were made with', async () => {
    await using world = await usersWorld({
      verifySignature: async ({ token }) => ({ via: 'apikey', credentialId: token }),
    });
    await world.users.createUser({ username: 'ada', password });
    const { principal } = await signIn(world.users, 'ada', password);
    const body = { name: 'k', scopes: ['playback:read'] };
    const call = callOf('createApiKey', { body, principal });
    const { id: token } = await bodyOf(world.users.handlers.createApiKey(call));
    const signature = { token, operationId: 'getFile', params: {} };
    const offer = () => world.users.authenticate({ signature, ip });
    expect(await offer()).to.include({ via: 'signed', credentialId: token });
    const params = { apiKeyId: token };
    await world.users.handlers.deleteApiKey(callOf('deleteApiKey', { params, principal }));
    expect(await codeOf(offer())).to.equal('token-invalid');
  });
});
