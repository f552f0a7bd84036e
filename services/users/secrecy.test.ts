import { expect } from 'chai';
import { bodyOf, callOf, problemOf, signIn, testSecret, usersWorld } from '#test/users.ts';
import { ensureSecret } from './secrets.ts';

const password = 'Tr0ub4dour and more';
const newPassword = 'Xk0cd and even more';

describe('users: what stays secret', () => {
  it('is in no log line, no event, no activity, no error and no table', async () => {
    await using world = await usersWorld();
    const { users } = world;
    const secrets = new Set([password, newPassword, testSecret, 'wr0ng passw0rd']);
    const errors: unknown[] = [];
    const fail = async (work: Promise<unknown>) => void errors.push(await problemOf(work));

    const token = (await users.setup.offer()) ?? '';
    secrets.add(token);
    await fail(users.setup.complete({ token: 'wr0ng passw0rd', username: 'ada', password }));
    await users.setup.complete({ token, username: 'ada', password });
    const body = { username: 'ada', password: 'wr0ng passw0rd' };
    for (let i = 0; i < 8; i += 1) await fail(users.handlers.login(callOf('login', { body })));
    await fail(users.handlers.login(callOf('login', { body: { ...body, username: password } })));
    world.clock.advance(3_600_000);
    const first = await signIn(users, 'ada', password);
    const refreshing = callOf('refresh', { body: { refreshToken: first.refreshToken } });
    const second = await bodyOf(users.handlers.refresh(refreshing));
    const { principal } = first;
    const key = await bodyOf(
      users.handlers.createApiKey(
        callOf('createApiKey', { body: { name: 'k', scopes: ['movies:read'] }, principal }),
      ),
    );
    await users.authenticate({ apiKey: key.key, ip: '' });
    const change = { currentPassword: password, newPassword };
    await users.handlers.changePassword(callOf('changePassword', { body: change, principal }));
    await fail(
      users.handlers.changePassword(callOf('changePassword', { body: change, principal })),
    );
    world.clock.advance(60_000);
    await fail(users.handlers.refresh(refreshing));
    await fail(users.authenticate({ bearer: second.accessToken, ip: '' }));
    await fail(users.authenticate({ bearer: `${second.accessToken}x`, ip: '' }));
    await fail(users.authenticate({ apiKey: `${key.key}0`, ip: '' }));
    for (const secret of [first, second].flatMap((t) => [t.accessToken, t.refreshToken])) {
      secrets.add(secret);
    }
    secrets.add(key.key);

    const dump = [
      ...world.logged,
      JSON.stringify(world.published),
      ...errors.map((e) => `${(e as Error).stack} ${JSON.stringify(e)}`),
      ...(await tables(world.db.sql)),
    ].join('\n');
    expect(world.logged.length).to.be.above(0);
    expect(dump).to.include('auth.password-changed').and.include('auth.token-reused');
    for (const secret of secrets) expect(dump).to.not.include(secret);
  });

  it('is made once for all nodes', async () => {
    await using world = await usersWorld();
    const { sql } = world.db;
    const ask = () => ensureSecret(sql, 'test', { sizeBytes: 32 });
    const all = await Promise.all(Array.from({ length: 10 }, ask));
    expect(all[0]?.byteLength).to.equal(32);
    expect(new Set(all.map((bytes) => Buffer.from(bytes).toString('hex'))).size).to.equal(1);
    const other = await ensureSecret(sql, 'other', { sizeBytes: 64 });
    expect(other.byteLength).to.equal(64);
  });
});

async function tables(sql: Awaited<ReturnType<typeof usersWorld>>['db']['sql']) {
  const names = ['users', 'sessions', 'refresh_tokens', 'api_keys', 'setup', 'activity'];
  const rows = await Promise.all(
    names.map((name) => sql<{ row: string }[]>`select t::text as row from shared.${sql(name)} t`),
  );
  return rows.flat().map(({ row }) => row);
}
