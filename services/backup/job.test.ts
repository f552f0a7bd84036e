import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { createAdder } from '#services/jobs/enqueue.ts';
import type { JobContext } from '#services/jobs/job.ts';
import type { SettingKey } from '#services/settings/index.ts';
import { quiet } from '#test/log.ts';
import { fillOddly } from '#test/odd-content.ts';
import { bodyOf, callOf, codeOf, usersWorld, type UsersWorld } from '#test/users.ts';
import { createBackups, type Backups } from './index.ts';
import { verifyBackup } from './read.ts';
import { generateKey } from './seal.ts';

describe('backups by schedule and on demand', function () {
  let world: UsersWorld;
  let dir: string;
  let backups: Backups;
  const set = new Map<SettingKey, unknown>();

  before(async () => {
    world = await usersWorld();
    await fillOddly(world.db.sql);
    const { store, settings, clock } = world;
    const { now } = clock;
    backups = createBackups({
      ...{ store, jobs: createAdder(), log: quiet, now, application: '1.2.3' },
      settings: { get: async (key) => (set.get(key) ?? (await settings.get(key))) as never },
      readPicture: async () => undefined,
      clusterId: () => 'home',
    });
  });
  after(() => world.close());
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'revenge-backup-job-'));
    set.clear();
    set.set('backup.dir', dir);
    await world.db.sql`truncate shared.jobs, shared.job_schedules`;
    await world.db.sql`delete from shared.activity`;
  });
  afterEach(() => rm(dir, { recursive: true, force: true }));

  const context = (signal = new AbortController().signal): JobContext => ({
    ...{ jobId: '', attempt: 1, signal, log: quiet, progress: () => undefined },
  });
  const run = (signal?: AbortSignal) => backups.jobs[0]!.run({}, context(signal));
  const due = async () => {
    await backups.whenDue();
    const rows = await world.db.sql`select 1 from shared.jobs where name = 'backup.make'`;
    return rows.length;
  };
  const activity = () =>
    world.db.sql<{ action: string; success: boolean; details: Record<string, unknown> }[]>`
      select action, success, details from shared.activity order by id`;

  it('writes a whole one that its owner alone may read, and records it', async () => {
    await run();
    const [name] = await readdir(dir);
    expect(name).to.match(/^revenge-home-\d{8}T\d{6}Z\.tar\.zst$/);
    await verifyBackup(join(dir, name!), undefined);
    expect((await stat(join(dir, name!))).mode & 0o777).to.equal(0o600);
    const [made] = await activity();
    expect(made).to.deep.include({ action: 'backup.made', success: true });
    const { items } = await bodyOf(backups.handlers.listBackups(callOf('listBackups')));
    expect(items[0]).to.deep.include({ name, isSealed: false, application: '1.2.3', fault: null });
  });

  it('keeps as many as are wanted', async () => {
    set.set('backup.keep', 2);
    for (let nth = 0; nth < 4; nth += 1) {
      await run();
      world.clock.advance(60_000);
    }
    expect(await readdir(dir)).to.have.length(2);
    expect((await activity()).at(-1)?.details['removed']).to.have.length(1);
  });

  it('seals them for the key of the settings', async () => {
    const { identity, recipient } = await generateKey();
    set.set('backup.recipient', recipient);
    await run();
    const [name] = await readdir(dir);
    expect(name).to.match(/\.tar\.zst\.age$/);
    await verifyBackup(join(dir, name!), { identities: [identity] });
    const { items } = await bodyOf(backups.handlers.listBackups(callOf('listBackups')));
    expect(items[0]).to.deep.include({ isSealed: true, rows: null, fault: null });
  });

  it('says why it failed, and leaves nothing behind', async () => {
    set.set('backup.dir', join(dir, 'gone'));
    const error = await run().catch((thrown: unknown) => thrown);
    expect(String(error)).to.match(/gone is not there/);
    expect(await activity()).to.deep.include.members([
      { action: 'backup.failed', success: false, details: { reason: `${dir}/gone is not there` } },
    ]);
    expect(await codeOf(backups.handlers.listBackups(callOf('listBackups')))).to.equal('conflict');
  });

  it('says by a code why one cannot be read', async () => {
    const name = 'revenge-home-20260131T042300Z.tar.zst';
    await writeFile(join(dir, name), 'x'.repeat(100));
    const { items } = await bodyOf(backups.handlers.listBackups(callOf('listBackups')));
    expect(items[0]).to.deep.include({ name, faultCode: 'backupForeign', faultValues: {} });
    expect(items[0]?.fault).to.match(/^this is no backup of Revenge/);
  });

  it('stops when it is told to, and leaves nothing behind', async () => {
    const stop = new AbortController();
    stop.abort(new Error('cancelled'));
    const error = await run(stop.signal).catch((thrown: unknown) => thrown);
    expect(String(error)).to.match(/cancelled/);
    expect(await readdir(dir)).to.deep.equal([]);
    expect(await activity()).to.deep.equal([]);
  });

  it('is due once by the schedule, and not before it was seen', async () => {
    set.set('backup.schedule', '0 4 * * *');
    const day = 24 * 3_600_000;
    expect(await due()).to.equal(0);
    expect(await due()).to.equal(0);
    world.clock.advance(day);
    expect(await due()).to.equal(1);
    expect(await due()).to.equal(1);
    await world.db.sql`truncate shared.jobs`;
    expect(await due()).to.equal(0);
    set.set('backup.schedule', '0 5 * * *');
    expect(await due(), 'a new schedule makes up for nothing').to.equal(0);
    world.clock.advance(day);
    set.set('backup.schedule', '');
    expect(await due()).to.equal(0);
    set.set('backup.schedule', '0 5 * * *');
    set.set('backup.dir', '');
    expect(await due()).to.equal(0);
    set.set('backup.dir', dir);
    expect(await due()).to.equal(1);
  });

  it('is asked for once at a time, and only where there is a folder', async () => {
    const ask = () => backups.handlers.makeBackup(callOf('makeBackup'));
    const { jobId } = await bodyOf(ask());
    expect(jobId).to.match(/^[0-9a-f-]{36}$/);
    expect(await codeOf(ask())).to.equal('conflict');
    set.set('backup.dir', '');
    expect(await codeOf(ask())).to.equal('conflict');
    expect(await codeOf(backups.handlers.listBackups(callOf('listBackups')))).to.equal('conflict');
  });
});
