import { expect } from 'chai';
import type { Principal } from '#services/principal.ts';
import { bodyOf, callOf, codeOf, problemOf, signIn, usersWorld } from '#test/users.ts';
import type { UsersWorld } from '#test/users.ts';
import { registry, settingKeys } from './registry.ts';

describe('settings', () => {
  let world: UsersWorld;
  let principal: Principal;
  before(async () => {
    world = await usersWorld();
    const password = 'a long enough phrase';
    await world.users.createUser({ username: 'ada', password, role: 'admin' });
    principal = (await signIn(world.users, 'ada', password)).principal;
  });
  after(() => world.close());

  const get = (settingKey: string) =>
    bodyOf(world.settings.handlers.getSetting(callOf('getSetting', { params: { settingKey } })));
  const put = (settingKey: string, value: unknown) =>
    bodyOf(
      world.settings.handlers.putSetting(
        callOf('putSetting', { params: { settingKey }, body: { value }, principal }),
      ),
    );
  const reset = (settingKey: string) =>
    bodyOf(
      world.settings.handlers.resetSetting(
        callOf('resetSetting', { params: { settingKey }, principal }),
      ),
    );

  it('are all listed with their defaults, which fit their schemas', async () => {
    const { items } = await bodyOf(world.settings.handlers.listSettings(callOf('listSettings')));
    expect(items.map(({ key }) => key)).to.deep.equal([...settingKeys]);
    for (const { key, value, isDefault, default: standard } of items) {
      expect(value, key).to.deep.equal(standard);
      expect(isDefault, key).to.equal(true);
    }
    for (const { schema, default: standard, description } of Object.values(registry)) {
      expect(schema.parse(standard)).to.equal(standard);
      expect(description).to.match(/\.$/);
    }
  });

  it('are read back at once after they were set, and after they were reset', async () => {
    expect(await world.settings.get('server.name')).to.equal('Revenge');
    expect(await put('server.name', ' Home ')).to.include({ value: 'Home', isDefault: false });
    expect(await world.settings.get('server.name')).to.equal('Home');
    expect((await get('server.name')).updatedAt).to.equal(
      new Date(world.clock.now()).toISOString(),
    );
    expect(await reset('server.name')).to.include({ value: 'Revenge', isDefault: true });
    expect(await reset('server.name')).to.include({ value: 'Revenge', isDefault: true });
    expect(await world.settings.get('server.name')).to.equal('Revenge');
  });

  const unfit: [string, unknown][] = [
    ['server.name', ''],
    ['server.name', 'x'.repeat(65)],
    ['server.name', 7],
    ['server.name', null],
    ['server.name', undefined],
    ['activity.retention_days', 0],
    ['activity.retention_days', 1.5],
    ['activity.retention_days', '90'],
    ['activity.retention_days', [90]],
  ];
  for (const [key, value] of unfit) {
    it(`refuses ${JSON.stringify(value)} for ${key}`, async () => {
      const { code, extra } = await problemOf(put(key, value));
      expect(code).to.equal('unprocessable');
      expect(extra.errors?.[0]?.path).to.equal('/value');
    });
  }

  for (const key of ['no.such', '__proto__', 'constructor', 'toString']) {
    it(`knows no ${key}`, async () => {
      expect(await codeOf(get(key))).to.equal('not-found');
      expect(await codeOf(put(key, 1))).to.equal('not-found');
      expect(await codeOf(reset(key))).to.equal('not-found');
    });
  }

  it('fall back to the default when a stored value no longer fits', async () => {
    await world.store.write(async (tx, stale) => {
      await tx`insert into shared.settings (key, value) values ('activity.retention_days', '"x"')`;
      await tx`insert into shared.settings (key, value) values ('gone.setting', '1')`;
      stale('settings');
    });
    expect(await world.settings.get('activity.retention_days')).to.equal(90);
    expect(await put('activity.retention_days', 30)).to.include({ value: 30 });
  });

  it('are recorded when they change', async () => {
    await put('server.name', 'Recorded');
    const [row] = await world.db.sql`
      select action, username, resource_id as key, details from shared.activity
      order by id desc limit 1`;
    expect(row).to.deep.equal({
      action: 'setting.changed',
      username: 'ada',
      key: 'server.name',
      details: { value: 'Recorded' },
    });
  });
});
