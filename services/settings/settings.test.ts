import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
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

  describe('of a folder for backups', () => {
    let dir: string;
    beforeEach(async () => {
      dir = await mkdtemp(join(tmpdir(), 'revenge-settings-'));
    });
    afterEach(() => rm(dir, { recursive: true, force: true }));

    const refusal = async (folder: string) => {
      const { code, extra, message } = await problemOf(put('backup.dir', folder));
      expect(extra.errors).to.deep.equal([{ path: '/value', message }]);
      expect(await world.settings.get('backup.dir')).to.equal('');
      return { code, message };
    };

    it('take one that can be written, leave nothing in it, and take none', async () => {
      expect(await put('backup.dir', dir)).to.include({ value: dir });
      expect(await readdir(dir)).to.deep.equal([]);
      expect(await put('backup.dir', '')).to.include({ value: '' });
    });

    it('refuse one that is not there, or is no folder', async () => {
      expect(await refusal(join(dir, 'gone'))).to.deep.equal({
        code: 'unprocessable',
        message: `${dir}/gone is not there, on the node that leads`,
      });
      const file = join(dir, 'file');
      await writeFile(file, '');
      expect((await refusal(file)).message).to.match(/file is no folder, on/);
      expect((await refusal(join(file, 'below'))).message).to.match(/below is not there, on/);
      expect((await refusal(join(dir, 'x'.repeat(300)))).message).to.match(/\(ENAMETOOLONG\), on/);
    });

    it('refuse one in which nothing can be written', async () => {
      // Not even by root, as whom tests may run.
      expect((await refusal('/sys')).message).to.match(/^this user may not use \/sys, on/);
    });
  });

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
