import { expect } from 'chai';
import { bodyOf, callOf, codeOf, signIn, usersWorld } from '#test/users.ts';
import type { UsersWorld } from '#test/users.ts';

const password = 'a long enough phrase';
const dayMs = 86_400_000;

describe('users: the first administrator', () => {
  let world: UsersWorld;
  beforeEach(async () => {
    world = await usersWorld();
  });
  afterEach(() => world.close());

  const state = () => bodyOf(world.users.handlers.getSetup(callOf('getSetup')));
  const complete = (token: string, username = 'ada', given = password) =>
    bodyOf(
      world.users.handlers.completeSetup(
        callOf('completeSetup', { body: { token, username, password: given } }),
      ),
    );
  const offer = async () => {
    const token = await world.users.setup.offer();
    if (token === undefined) throw new Error('no token was offered');
    return token;
  };

  it('is made with the offered token, once', async () => {
    expect(await state()).to.deep.equal({ required: true, serverName: 'Revenge' });
    const token = await offer();
    const user = await complete(token);
    expect(user).to.include({ username: 'ada', role: 'admin' });
    expect(await state()).to.include({ required: false });
    expect(await codeOf(complete(token, 'eve'))).to.equal('setup-done');
    expect(await world.users.setup.offer()).to.equal(undefined);
    expect((await signIn(world.users, 'ada', password)).principal.role).to.equal('admin');
  });

  it('is not made with a token of an earlier start, a wrong one, or one a day old', async () => {
    const old = await offer();
    const token = await offer();
    expect(await codeOf(complete(old))).to.equal('token-invalid');
    expect(await codeOf(complete('wrong'))).to.equal('token-invalid');
    expect(await codeOf(complete(''))).to.equal('token-invalid');
    world.clock.advance(dayMs);
    expect(await codeOf(complete(token))).to.equal('token-invalid');
    expect(await codeOf(complete(await offer()))).to.equal('none');
  });

  it('is not made while no token is offered', async () => {
    expect(await codeOf(complete('anything'))).to.equal('token-invalid');
  });

  it('keeps the token when the password will not do', async () => {
    const token = await offer();
    expect(await codeOf(complete(token, 'ada', 'short'))).to.equal('unprocessable');
    expect(await codeOf(complete(token))).to.equal('none');
  });

  it('is exactly one, also when ten ask at once', async () => {
    const token = await offer();
    const codes = await Promise.all(
      Array.from({ length: 10 }, (_, i) => codeOf(complete(token, `admin${i}`))),
    );
    expect(codes.filter((code) => code === 'none').length).to.equal(1);
    const rows = await world.db.sql`select from shared.users`;
    expect(rows.length).to.equal(1);
  });

  it('is exactly one when ten command lines, and the browser, ask at once', async () => {
    const token = await offer();
    const bySetup = (i: number) =>
      world.users.setup.complete({ token: undefined, username: `cli${i}`, password });
    const codes = await Promise.all([
      ...Array.from({ length: 10 }, (_, i) => codeOf(bySetup(i))),
      codeOf(complete(token)),
    ]);
    expect(codes.filter((code) => code === 'none').length).to.equal(1);
    expect((await world.db.sql`select from shared.users`).length).to.equal(1);
  });

  it('needs no token on the command line', async () => {
    const asked = { token: undefined, username: 'ada', password };
    expect((await world.users.setup.complete(asked)).role).to.equal('admin');
    expect(await codeOf(world.users.setup.complete({ ...asked, username: 'eve' }))).to.equal(
      'setup-done',
    );
  });

  it('is not needed when an administrator was made otherwise', async () => {
    await world.users.createUser({ username: 'ada', password, role: 'admin' });
    expect(await world.users.setup.offer()).to.equal(undefined);
    expect(await codeOf(complete('anything'))).to.equal('setup-done');
  });
});
