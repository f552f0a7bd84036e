import { expect } from 'chai';
import { bodyOf, callOf, codeOf, problemOf, signIn, usersWorld } from '#test/users.ts';
import type { UsersWorld } from '#test/users.ts';

const password = 'a long enough phrase';
const minuteMs = 60_000;
const dayMs = 86_400_000;
const ip = '192.0.2.1';

describe('users: sessions from beginning to end', () => {
  let world: UsersWorld;
  before(async () => {
    world = await usersWorld();
    await world.users.createUser({ username: 'Ada', password, role: 'admin' });
    await world.users.createUser({ username: 'bob', password });
  });
  after(() => world.close());

  const refresh = (refreshToken: string, request = {}) =>
    bodyOf(world.users.handlers.refresh(callOf('refresh', { body: { refreshToken }, request })));
  const authenticate = (bearer: string) => world.users.authenticate({ bearer, ip });

  it('signs in whatever the case of the name, and says who is calling', async () => {
    const { principal } = await signIn(world.users, 'ADA', password);
    expect(principal).to.include({ username: 'Ada', role: 'admin', via: 'session' });
    expect(principal.expiresAt).to.equal(world.clock.now() + 15 * minuteMs);
    const me = await bodyOf(world.users.handlers.getMe(callOf('getMe', { principal })));
    expect(me.username).to.equal('Ada');
    expect(me.permissions).to.include.members(['admin:*', 'settings:write', 'movies:read']);
  });

  it('accepts one password in all its Unicode forms', async () => {
    await world.users.createUser({ username: 'zoë', password: 'ångström naïve' });
    const { principal } = await signIn(world.users, 'zoe\u0308', 'a\u030angstro\u0308m naïve');
    expect(principal.username).to.equal('zoë');
  });

  it('refuses a wrong password, an unknown name and nothing else with the same words', async () => {
    const wrong = { username: 'bob', password: 'not the password' };
    const unknown = { username: 'nobody', password };
    const problems = await Promise.all(
      [wrong, unknown].map((body) =>
        problemOf(world.users.handlers.login(callOf('login', { body }))),
      ),
    );
    const [first, second] = problems;
    expect(first?.code).to.equal('invalid-credentials');
    expect({ ...second }).to.deep.equal({ ...first });
    expect(second?.message).to.equal(first?.message);
  });

  it('believes an access token for 15 minutes', async () => {
    const { accessToken } = await signIn(world.users, 'bob', password);
    world.clock.advance(15 * minuteMs - 1_000);
    expect(await codeOf(authenticate(accessToken))).to.equal('none');
    world.clock.advance(1_000);
    expect(await codeOf(authenticate(accessToken))).to.equal('token-expired');
  });

  it('rotates refresh tokens and keeps the session', async () => {
    const first = await signIn(world.users, 'bob', password);
    const second = await refresh(first.refreshToken);
    expect(second.refreshToken).to.not.equal(first.refreshToken);
    expect(second.sessionId).to.equal(first.sessionId);
    expect((await authenticate(second.accessToken))?.credentialId).to.equal(first.sessionId);
  });

  it('gives a lost answer again: to the same client, for 10 seconds', async () => {
    const first = await signIn(world.users, 'bob', password);
    const second = await refresh(first.refreshToken);
    world.clock.advance(10_000);
    const again = await refresh(first.refreshToken);
    expect(again.refreshToken).to.equal(second.refreshToken);
    expect(again.refreshTokenExpiresAt).to.equal(second.refreshTokenExpiresAt);
    const third = await refresh(again.refreshToken);
    expect(third.sessionId).to.equal(first.sessionId);
  });

  const reuses = [
    { name: 'later than 10 seconds', waitMs: 10_001, request: {}, isSpent: false },
    { name: 'from another place', waitMs: 0, request: { ip: '203.0.113.9' }, isSpent: false },
    { name: 'by another program', waitMs: 0, request: { userAgent: 'curl' }, isSpent: false },
    { name: 'once the successor is used', waitMs: 0, request: {}, isSpent: true },
  ];
  for (const { name, waitMs, request, isSpent } of reuses) {
    it(`ends the session when a refresh token is used again ${name}`, async () => {
      const first = await signIn(world.users, 'bob', password);
      const second = await refresh(first.refreshToken);
      const last = isSpent ? await refresh(second.refreshToken) : second;
      expect(await codeOf(authenticate(last.accessToken))).to.equal('none');
      world.clock.advance(waitMs);
      expect(await codeOf(refresh(first.refreshToken, request))).to.equal('token-reused');
      expect(await codeOf(authenticate(last.accessToken))).to.equal('token-invalid');
      expect(await codeOf(refresh(last.refreshToken))).to.equal('token-invalid');
      expect(await codeOf(refresh(first.refreshToken))).to.equal('token-reused');
      expect(world.published.at(-1)).to.deep.equal({
        name: 'session.revoked',
        payload: { userId: first.principal.userId, sessionId: first.sessionId },
        audience: { userId: first.principal.userId },
      });
    });
  }

  it('gives 20 refreshes at once one and the same successor', async () => {
    const first = await signIn(world.users, 'bob', password);
    const all = await Promise.all(Array.from({ length: 20 }, () => refresh(first.refreshToken)));
    expect(new Set(all.map((tokens) => tokens.refreshToken)).size).to.equal(1);
    const [row] = await world.db.sql<{ live: number; all: number }[]>`
      select count(*) filter (where used_at is null) as live, count(*) as all
      from shared.refresh_tokens where session_id = ${first.sessionId}`;
    expect(row).to.deep.equal({ live: 1, all: 2 });
  });

  it('lets one of 20 thieves at most through, and ends the session', async () => {
    const first = await signIn(world.users, 'bob', password);
    const codes = await Promise.all(
      Array.from({ length: 20 }, (_, i) =>
        codeOf(refresh(first.refreshToken, { ip: `203.0.113.${i + 1}` })),
      ),
    );
    expect(codes.filter((code) => code === 'none').length).to.equal(1);
    expect(codes.filter((code) => code === 'token-reused').length).to.equal(19);
    expect(await codeOf(authenticate(first.accessToken))).to.equal('token-invalid');
  });

  it('slides the end of a session, up to its absolute end', async () => {
    let tokens: { refreshToken: string } = await signIn(world.users, 'bob', password);
    for (const day of [29, 58, 87]) {
      world.clock.advance(29 * dayMs);
      tokens = await refresh(tokens.refreshToken);
      expect(tokens, `day ${day}`).to.have.property('refreshToken');
    }
    world.clock.advance(3 * dayMs - 1_000);
    tokens = await refresh(tokens.refreshToken);
    world.clock.advance(1_000);
    expect(await codeOf(refresh(tokens.refreshToken))).to.equal('token-expired');
  });

  it('ends a session that is not used for 30 days', async () => {
    const { refreshToken } = await signIn(world.users, 'bob', password);
    world.clock.advance(30 * dayMs);
    expect(await codeOf(refresh(refreshToken))).to.equal('token-expired');
  });

  it('refuses a refresh token that nobody made', async () => {
    expect(await codeOf(refresh('x'.repeat(43)))).to.equal('token-invalid');
  });

  it('lists sessions, marks the present one, and ends another at once', async () => {
    const user = await world.users.createUser({ username: 'carol', password });
    const here = await signIn(world.users, 'carol', password);
    world.clock.advance(1_000);
    const there = await signIn(world.users, 'carol', password);
    const { principal } = here;
    const list = async () =>
      (await bodyOf(world.users.handlers.listSessions(callOf('listSessions', { principal }))))
        .items;
    expect((await list()).map(({ id, current }) => [id, current])).to.deep.equal([
      [there.sessionId, false],
      [here.sessionId, true],
    ]);
    expect(await codeOf(authenticate(there.accessToken))).to.equal('none');
    const params = { sessionId: there.sessionId };
    await world.users.handlers.revokeSession(callOf('revokeSession', { params, principal }));
    expect(await codeOf(authenticate(there.accessToken))).to.equal('token-invalid');
    expect(await codeOf(refresh(there.refreshToken))).to.equal('token-invalid');
    expect((await list()).map(({ id }) => id)).to.deep.equal([here.sessionId]);
    expect(user.id).to.equal(principal.userId);
  });

  it("does not let one user end another's session, but an administrator", async () => {
    const bob = await signIn(world.users, 'bob', password);
    const carol = await signIn(world.users, 'carol', password);
    const ada = await signIn(world.users, 'ada', password);
    const params = { sessionId: carol.sessionId };
    const attempt = world.users.handlers.revokeSession(
      callOf('revokeSession', { params, principal: bob.principal }),
    );
    expect(await codeOf(attempt)).to.equal('not-found');
    expect(await codeOf(authenticate(carol.accessToken))).to.equal('none');
    const { userId } = carol.principal;
    await world.users.handlers.revokeUserSession(
      callOf('revokeUserSession', { params: { userId, ...params }, principal: ada.principal }),
    );
    expect(await codeOf(authenticate(carol.accessToken))).to.equal('token-invalid');
  });

  it('ends this session on logout, and all on logout everywhere', async () => {
    const [one, two, three] = [
      await signIn(world.users, 'carol', password),
      await signIn(world.users, 'carol', password),
      await signIn(world.users, 'carol', password),
    ];
    await world.users.handlers.logout(callOf('logout', { principal: one.principal }));
    const codes = () =>
      Promise.all([one, two, three].map((s) => codeOf(authenticate(s.accessToken))));
    expect(await codes()).to.deep.equal(['token-invalid', 'none', 'none']);
    const { principal } = two;
    const gone = await bodyOf(world.users.handlers.logoutAll(callOf('logoutAll', { principal })));
    expect(gone.revoked).to.be.at.least(2);
    expect(await codes()).to.deep.equal(['token-invalid', 'token-invalid', 'token-invalid']);
  });

  it('ends the session unused for longest when there are too many', async () => {
    await world.users.createUser({ username: 'dora', password });
    const ada = await signIn(world.users, 'ada', password);
    const params = { settingKey: 'auth.sessions_per_user' };
    const { principal } = ada;
    await world.settings.handlers.putSetting(
      callOf('putSetting', { params, body: { value: 2 }, principal }),
    );
    const three = [];
    for (let i = 0; i < 3; i += 1) {
      three.push(await signIn(world.users, 'dora', password));
      world.clock.advance(1_000);
    }
    const codes = await Promise.all(three.map((s) => codeOf(authenticate(s.accessToken))));
    expect(codes).to.deep.equal(['token-invalid', 'none', 'none']);
    await world.settings.handlers.resetSetting(callOf('resetSetting', { params, principal }));
  });

  it('changes a password with the present one, and ends the other sessions', async () => {
    await world.users.createUser({ username: 'erin', password });
    const here = await signIn(world.users, 'erin', password);
    const there = await signIn(world.users, 'erin', password);
    const { principal } = here;
    const change = (currentPassword: string, newPassword: string) => {
      const body = { currentPassword, newPassword };
      return codeOf(
        world.users.handlers.changePassword(callOf('changePassword', { body, principal })),
      );
    };
    expect(await change('wrong password', 'another phrase')).to.equal('invalid-credentials');
    expect(await change(password, 'short')).to.equal('unprocessable');
    expect(await change(password, 'another phrase')).to.equal('none');
    expect(await codeOf(authenticate(here.accessToken))).to.equal('none');
    expect(await codeOf(authenticate(there.accessToken))).to.equal('token-invalid');
    expect(await codeOf(signIn(world.users, 'erin', password))).to.equal('invalid-credentials');
    expect(await codeOf(signIn(world.users, 'erin', 'another phrase'))).to.equal('none');
  });
});
