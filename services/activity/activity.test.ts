import { globSync, readFileSync } from 'node:fs';
import { expect } from 'chai';
import type { Call } from '#api/handler.ts';
import { bodyOf, callOf, codeOf, usersWorld } from '#test/users.ts';
import type { UsersWorld } from '#test/users.ts';
import { actions } from './record.ts';
import { createActivity, record, type Activity, type ActivityEntry } from './index.ts';

const dayMs = 86_400_000;

describe('activity', () => {
  let world: UsersWorld;
  let activity: Activity;
  let adaId: string;
  before(async () => {
    world = await usersWorld();
    const { store, log, clock } = world;
    const retentionDays = () => world.settings.get('activity.retention_days');
    activity = createActivity({ store, retentionDays, log, now: clock.now });
    const password = 'a long enough phrase';
    const ada = await world.users.createUser({ username: 'ada', password, role: 'admin' });
    adaId = ada.id;
  });
  beforeEach(() => world.db.sql`delete from shared.activity`);
  after(() => world.close());

  const write = (entry: ActivityEntry) =>
    world.store.write((tx) => record(tx, { at: new Date(world.clock.now()), ...entry }));
  type Query = Partial<Call<'listActivity'>['query']>;
  const list = (query: Query = {}) =>
    bodyOf(
      activity.handlers.listActivity(callOf('listActivity', { query: { limit: 50, ...query } })),
    );
  const idsOf = async (query: Query) =>
    (await list(query)).items.map(({ resourceId }) => resourceId);

  it('tells what was recorded', async () => {
    await write({
      action: 'library.created',
      userId: adaId,
      username: 'ada',
      resourceType: 'library',
      resourceId: 'l1',
      ip: '2001:db8::1',
      details: { name: 'Films', kind: 'movie' },
    });
    const { items, nextCursor } = await list();
    expect(nextCursor).to.equal(null);
    expect(items.length).to.equal(1);
    expect(items[0]).to.deep.include({
      at: new Date(world.clock.now()).toISOString(),
      userId: adaId,
      username: 'ada',
      action: 'library.created',
      resourceType: 'library',
      resourceId: 'l1',
      success: true,
      ip: '2001:db8::1',
      details: { name: 'Films', kind: 'movie' },
    });
  });

  it('pages through all, newest first, by cursor and by offset', async () => {
    for (let i = 0; i < 7; i += 1) await write({ action: 'auth.logout', resourceId: String(i) });
    const seen: (string | null)[] = [];
    let cursor: string | null | undefined;
    do {
      const page = await list({ limit: 3, ...(cursor ? { cursor } : {}) });
      seen.push(...page.items.map(({ resourceId }) => resourceId));
      cursor = page.nextCursor;
    } while (cursor);
    expect(seen).to.deep.equal(['6', '5', '4', '3', '2', '1', '0']);
    const page = await list({ limit: 3, offset: 5 });
    expect(page.items.map(({ resourceId }) => resourceId)).to.deep.equal(['1', '0']);
    expect(page.total).to.equal(7);
  });

  it('is narrowed by person, action or group, thing, outcome and time', async () => {
    const start = world.clock.now();
    await write({ action: 'auth.login', userId: adaId, resourceId: 'a' });
    world.clock.advance(1_000);
    await write({ action: 'auth.login-failed', success: false, resourceId: 'b' });
    world.clock.advance(1_000);
    await write({ action: 'user.created', resourceType: 'user', resourceId: 'c' });
    const at = (ms: number) => new Date(start + ms).toISOString();
    expect(await idsOf({ userId: adaId })).to.deep.equal(['a']);
    expect(await idsOf({ action: 'auth' })).to.deep.equal(['b', 'a']);
    expect(await idsOf({ action: 'auth.login' })).to.deep.equal(['a']);
    expect(await idsOf({ action: 'aut' })).to.deep.equal([]);
    expect(await idsOf({ success: false })).to.deep.equal(['b']);
    expect(await idsOf({ resourceType: 'user' })).to.deep.equal(['c']);
    expect(await idsOf({ resourceId: 'b' })).to.deep.equal(['b']);
    expect(await idsOf({ from: at(1_000) })).to.deep.equal(['c', 'b']);
    expect(await idsOf({ until: at(1_000) })).to.deep.equal(['a']);
    expect(await idsOf({ from: at(1_000), until: at(2_000) })).to.deep.equal(['b']);
  });

  for (const cursor of ['', 'x', Buffer.from("' or true --").toString('base64url')]) {
    it(`refuses the cursor "${cursor}"`, async () => {
      expect(await codeOf(list({ cursor }))).to.equal('invalid-cursor');
    });
  }

  it('takes no detail that its action does not list, so no secret by accident', async () => {
    const entry = { action: 'auth.login', details: { password: 'x' } } as unknown;
    const failed = await write(entry as ActivityEntry).catch((error: unknown) => error);
    expect(failed).to.be.instanceOf(TypeError);
    expect((await list()).items).to.deep.equal([]);
  });

  it('says by a code why a backup failed', async () => {
    const details = { reason: '/backups is not there' };
    await write({ action: 'backup.failed', success: false, details });
    const reasonValues = { path: '/backups' };
    const [failed] = (await list()).items;
    expect(failed?.details).to.deep.equal({
      ...details,
      ...{ reasonCode: 'backupFolderGone', reasonValues },
    });
  });

  it('knows no action that nobody does', () => {
    const sources = globSync('services/**/*.ts', {
      exclude: ['**/*.test.ts', 'services/activity/**'],
    }).map((path) => readFileSync(path, 'utf8'));
    const done = Object.keys(actions).filter((action) =>
      sources.some((source) => source.includes(`'${action}'`)),
    );
    expect(done).to.deep.equal(Object.keys(actions));
  });

  it('exists exactly if the change does', async () => {
    const failed = world.store.write(async (tx) => {
      await record(tx, { action: 'auth.logout' });
      throw new Error('the change failed');
    });
    await failed.catch(() => undefined);
    expect((await list()).items).to.deep.equal([]);
  });

  it('outlives the user it tells of', async () => {
    const password = 'a long enough phrase';
    const { id } = await world.users.createUser({ username: 'gone', password });
    await write({ action: 'auth.logout', userId: id, username: 'gone' });
    await world.users.remove(id);
    const { items } = await list({ action: 'auth.logout' });
    expect(items[0]).to.include({ userId: null, username: 'gone' });
  });

  it('is kept for 90 days, unless the setting says otherwise', async () => {
    await write({ action: 'auth.logout', resourceId: 'old' });
    world.clock.advance(90 * dayMs);
    await write({ action: 'auth.logout', resourceId: 'new' });
    const { signal } = new AbortController();
    expect(await activity.cleanUp(signal)).to.equal(0);
    world.clock.advance(1);
    expect(await activity.cleanUp(signal)).to.equal(1);
    expect(await idsOf({})).to.deep.equal(['new']);
  });
});
