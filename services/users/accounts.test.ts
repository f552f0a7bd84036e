import { randomUUID } from 'node:crypto';
import { expect } from 'chai';
import type { Principal } from '#services/principal.ts';
import { bodyOf, callOf, codeOf, problemOf, signIn, usersWorld } from '#test/users.ts';
import type { UsersWorld } from '#test/users.ts';

const password = 'a long enough phrase';

describe('users: accounts', () => {
  let world: UsersWorld;
  let admin: Principal;
  before(async () => {
    world = await usersWorld();
    await world.users.createUser({ username: 'ada', password, role: 'admin' });
    admin = (await signIn(world.users, 'ada', password)).principal;
  });
  after(() => world.close());

  const create = (body: {
    username: string;
    password: string;
    role?: 'admin' | 'user';
    libraryIds?: string[];
  }) =>
    bodyOf(
      world.users.handlers.createUser(
        callOf('createUser', { body: { role: 'user', ...body }, principal: admin }),
      ),
    );

  it('creates a user who can sign in', async () => {
    const user = await create({ username: '  bob ', password });
    expect(user).to.include({ username: 'bob', role: 'user', disabled: false, displayName: null });
    expect(user).to.not.have.any.keys('password', 'passwordHash');
    expect(await codeOf(signIn(world.users, 'bob', password))).to.equal('none');
  });

  it('refuses a name that is taken, in any case and form', async () => {
    expect(await codeOf(create({ username: 'BOB', password }))).to.equal('conflict');
    expect(await codeOf(create({ username: 'ｂｏｂ', password }))).to.equal('conflict');
  });

  const unfit: [string, string, string][] = [
    ['an empty name', ' ', password],
    ['a name with a control character', 'a\u0000b', password],
    ['a name with an invisible character', 'a\u200bb', password],
    ['a name with markup', '<b>', password],
    ['a short password', 'carol', 'short12'],
    ['a password that everybody tries', 'carol', 'Password123'],
    ['the name for a password', 'carol-long-name', 'Carol-Long-Name'],
    ['a password that grows too long', 'carol', '\ufdfa'.repeat(1_000)],
  ];
  for (const [name, username, given] of unfit) {
    it(`refuses ${name}`, async () => {
      const { code, extra } = await problemOf(create({ username, password: given }));
      expect(code).to.equal('unprocessable');
      expect(extra.errors).to.have.length(1);
    });
  }

  it('pages through users by name', async () => {
    for (const username of ['Émile', 'dora', 'Carl']) await create({ username, password });
    const page = (query: { cursor?: string; offset?: number }) =>
      bodyOf(
        world.users.handlers.listUsers(callOf('listUsers', { query: { limit: 2, ...query } })),
      );
    const names: string[] = [];
    let cursor: string | null | undefined;
    do {
      const { items, nextCursor } = await page(cursor ? { cursor } : {});
      expect(items.length).to.be.at.most(2);
      names.push(...items.map((user) => user.username));
      cursor = nextCursor;
    } while (cursor !== null);
    expect(names).to.have.members(['ada', 'bob', 'Carl', 'dora', 'Émile']);
    expect(names.slice(0, 4)).to.deep.equal(['ada', 'bob', 'Carl', 'dora']);
    const second = await page({ offset: 2 });
    expect(second.total).to.equal(5);
    expect(second.items.map((user) => user.username)).to.deep.equal(names.slice(2, 4));
  });

  const forged = ['[1]', '["a\\u0000b"]'].map((text) => Buffer.from(text).toString('base64url'));
  for (const cursor of ['', 'x', 'bm9uc2Vuc2U', ...forged]) {
    it(`refuses the cursor "${cursor}"`, async () => {
      const query = { cursor, limit: 50 };
      const list = world.users.handlers.listUsers(callOf('listUsers', { query }));
      expect(await codeOf(list)).to.equal('invalid-cursor');
    });
  }

  it('changes the own display name, and takes it away again', async () => {
    const { principal } = await signIn(world.users, 'bob', password);
    const change = (displayName: string | null) =>
      bodyOf(
        world.users.handlers.updateMe(callOf('updateMe', { body: { displayName }, principal })),
      );
    expect((await change(' Bob B. ')).displayName).to.equal('Bob B.');
    expect((await change(null)).displayName).to.equal(null);
  });

  it('resets a password and ends all sessions', async () => {
    const bob = await signIn(world.users, 'bob', password);
    const params = { userId: bob.principal.userId };
    const body = { password: 'a quite different one' };
    await world.users.handlers.resetPassword(
      callOf('resetPassword', { params, body, principal: admin }),
    );
    const offered = { bearer: bob.accessToken, ip: '192.0.2.1' };
    expect(await codeOf(world.users.authenticate(offered))).to.equal('token-invalid');
    expect(await codeOf(signIn(world.users, 'bob', body.password))).to.equal('none');
  });

  it('deletes a user, and with the user all sessions', async () => {
    const { id: userId } = await create({ username: 'gone', password });
    const { accessToken: bearer } = await signIn(world.users, 'gone', password);
    const params = { userId };
    const call = () =>
      world.users.handlers.deleteUser(callOf('deleteUser', { params, principal: admin }));
    await call();
    expect(await codeOf(world.users.authenticate({ bearer, ip: '' }))).to.equal('token-invalid');
    expect(await codeOf(call())).to.equal('not-found');
    const get = world.users.handlers.getUser(callOf('getUser', { params }));
    expect(await codeOf(get)).to.equal('not-found');
  });

  it('tells at a second look what a principal may do by now', async () => {
    const { id: userId } = await create({ username: 'demoted', password, role: 'admin' });
    const { principal } = await signIn(world.users, 'demoted', password);
    expect(await world.users.recheck(principal)).to.deep.equal(principal);
    await world.users.update(userId, { role: 'user' });
    expect(await world.users.recheck(principal)).to.include({ role: 'user' });
    await world.users.remove(userId);
    expect(await codeOf(world.users.recheck(principal))).to.equal('token-invalid');
  });

  it('limits a user to libraries that there are, and forgets what is deleted', async () => {
    const { sql } = world.db;
    const rows = await sql<{ id: string }[]>`
      insert into libraries (kind, name) values ('movie', 'One'), ('movie', 'Two') returning id`;
    const [one, two] = rows.map(({ id }) => id) as [string, string];
    const made = await create({ username: 'limited', password, libraryIds: [one] });
    expect(made.libraryIds).to.deep.equal([one]);
    const params = { userId: made.id };
    const change = (libraryIds: string[] | null) =>
      bodyOf(
        world.users.handlers.updateUser(
          callOf('updateUser', { params, body: { libraryIds }, principal: admin }),
        ),
      );
    const limits = async () => {
      const { principal } = await signIn(world.users, 'limited', password);
      return principal.libraries && [...principal.libraries];
    };
    expect(await limits()).to.deep.equal([one]);
    expect((await change([one, two])).libraryIds).to.deep.equal([one, two]);
    expect(world.published.at(-1), 'to themselves alone').to.deep.equal({
      name: 'user.changed',
      payload: params,
      audience: params,
    });
    expect(await limits()).to.deep.equal([one, two]);
    const unknown = randomUUID();
    const { code, extra } = await problemOf(change([one, unknown]));
    expect(code).to.equal('unprocessable');
    expect(extra.errors?.[0]?.path).to.equal('/libraryIds');
    const fresh = { username: 'never', password, libraryIds: [unknown] };
    expect(await codeOf(create(fresh))).to.equal('unprocessable');
    expect((await change([])).libraryIds).to.deep.equal([]);
    expect(await limits()).to.deep.equal([]);
    expect((await change(null)).libraryIds).to.equal(null);
    expect(await limits()).to.equal(undefined);
  });

  it('knows no user by an unknown id', async () => {
    const params = { userId: randomUUID() };
    const calls = [
      world.users.handlers.getUser(callOf('getUser', { params })),
      world.users.handlers.updateUser(
        callOf('updateUser', { params, body: { role: 'admin' }, principal: admin }),
      ),
      world.users.handlers.resetPassword(
        callOf('resetPassword', { params, body: { password }, principal: admin }),
      ),
      world.users.handlers.listUserSessions(
        callOf('listUserSessions', { params, principal: admin }),
      ),
    ];
    const codes = await Promise.all(calls.map((call) => codeOf(call)));
    expect(new Set(codes)).to.deep.equal(new Set(['not-found']));
  });
});

describe('users: the last enabled administrator', () => {
  const removals = {
    demoted: (world: UsersWorld, id: string) => world.users.update(id, { role: 'user' }),
    disabled: (world: UsersWorld, id: string) => world.users.update(id, { disabled: true }),
    deleted: (world: UsersWorld, id: string) => world.users.remove(id),
  };

  for (const [name, remove] of Object.entries(removals)) {
    it(`cannot be ${name}`, async () => {
      await using world = await usersWorld();
      const ada = await world.users.createUser({ username: 'ada', password, role: 'admin' });
      const bob = await world.users.createUser({ username: 'bob', password, role: 'admin' });
      await world.users.update(bob.id, { disabled: true });
      expect(await codeOf(remove(world, ada.id))).to.equal('conflict');
      await world.users.update(bob.id, { disabled: false });
      expect(await codeOf(remove(world, ada.id))).to.equal('none');
      expect(await codeOf(remove(world, bob.id))).to.equal('conflict');
    });
  }

  it('is left over when all are removed at once, in every way', async () => {
    await using world = await usersWorld();
    const admins = await Promise.all(
      Array.from({ length: 9 }, (_, i) =>
        world.users.createUser({ username: `admin${i}`, password, role: 'admin' }),
      ),
    );
    const ways = Object.values(removals);
    const codes = await Promise.all(
      admins.map(({ id }, i) => codeOf((ways[i % 3] ?? removals.deleted)(world, id))),
    );
    expect(codes.filter((code) => code === 'none').length).to.equal(8);
    expect(codes.filter((code) => code === 'conflict').length).to.equal(1);
    const rows = await world.db.sql`
      select from shared.users where role = 'admin' and disabled_at is null`;
    expect(rows.length).to.equal(1);
  });
});
