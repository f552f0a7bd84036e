import { rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import type { components } from '#api/types.ts';
import { libraryRig, runJob, type LibraryRig } from '#test/library.ts';
import { problemOf } from '#test/users.ts';
import { clean } from './schedule.ts';
import { isHeld } from './vanished.ts';

const monthAheadMs = 31 * 86_400_000;

describe('what vanished of a library', () => {
  let rig: LibraryRig;
  let id: string;
  beforeEach(async () => {
    rig = await libraryRig();
    await rig.write(
      Object.fromEntries(Array.from({ length: 30 }, (_, n) => [`m/${n}/${n}.mkv`, `${n}`])),
    );
    id = await rig.add('Films', 'm');
  });
  afterEach(() => rig[Symbol.asyncDispose]());

  const lose = async (from: number, to: number) => {
    for (let n = from; n < to; n++) {
      await rm(join(rig.folder, `m/${n}`), { recursive: true });
    }
    await rig.scan(id);
  };
  const ask = async (operation: 'getVanished' | 'confirmVanished' | 'keepVanished') => {
    const call = { params: { libraryId: id }, query: {} };
    const { body } = (await rig.service.handlers[operation](call as never)) as {
      body: components['schemas']['LibraryVanished'];
    };
    return body;
  };
  const afterAMonth = async () => {
    rig.aheadMs = monthAheadMs;
    await runJob(rig.service, clean.name, {});
    const [row] = await rig.db.sql<{ count: number }[]>`select count(*)::int from files`;
    return row?.count;
  };

  it('is forgotten after the time of grace when it is little', async () => {
    await lose(0, 5);
    expect(await ask('getVanished')).to.deep.include({ files: 5, known: 30, isHeld: false });
    expect(await afterAMonth()).to.equal(25);
  });

  it('is kept when it is much, until a person confirms it', async () => {
    await lose(0, 25);
    expect(await ask('getVanished')).to.deep.include({ unconfirmed: 25, isHeld: true });
    expect(await afterAMonth()).to.equal(30);
    const confirmed = await ask('confirmVanished');
    expect(confirmed).to.deep.include({ files: 25, unconfirmed: 0, isHeld: false });
    expect(await afterAMonth()).to.equal(5);
    const [entry] = await rig.db.sql<{ details: object }[]>`
      select details from shared.activity where action = 'library.vanished-confirmed'`;
    expect(entry?.details).to.deep.equal({ name: 'Films', files: 25 });
  });

  it('is kept again when the confirmation is taken back', async () => {
    await lose(0, 25);
    await ask('confirmVanished');
    expect(await ask('keepVanished')).to.deep.include({ unconfirmed: 25, isHeld: true });
    expect(await afterAMonth()).to.equal(30);
  });

  it('later than a confirmation needs one of its own', async () => {
    await rig.write(
      Object.fromEntries(Array.from({ length: 30 }, (_, n) => [`m/x${n}/${n}.mkv`, `x${n}`])),
    );
    await rig.scan(id);
    await lose(0, 25);
    await ask('confirmVanished');
    for (let n = 0; n < 25; n++) await rm(join(rig.folder, `m/x${n}`), { recursive: true });
    await rig.scan(id);
    expect(await ask('getVanished')).to.deep.include({ unconfirmed: 25, isHeld: true });
    expect(await afterAMonth()).to.equal(35);
  });

  it('does not count while the whole folder is away', async () => {
    await rename(join(rig.folder, 'm'), join(rig.folder, 'away'));
    await rig.scan(id);
    const counted = { files: 0, known: 0, isHeld: false, awayFolders: [join(rig.folder, 'm')] };
    expect(await ask('getVanished')).to.deep.include(counted);
    expect(await afterAMonth()).to.equal(30);
  });

  it('is confirmed by nobody who does not see it, as the folder is away', async () => {
    await rename(join(rig.folder, 'm'), join(rig.folder, 'away'));
    await rig.scan(id);
    const { code, message } = await problemOf(ask('confirmVanished'));
    expect([code, message]).to.deep.equal([
      'conflict',
      `${rig.folder}/m: away, so nobody can say what is gone for good; bring it back, ` +
        'or take it out, first.',
    ]);
    expect(await ask('keepVanished')).to.deep.include({ awayFolders: [join(rig.folder, 'm')] });
    await rename(join(rig.folder, 'away'), join(rig.folder, 'm'));
    await lose(0, 25);
    const counted = { unconfirmed: 25, isHeld: true, awayFolders: [] };
    expect(await ask('getVanished')).to.deep.include(counted);
    expect(await afterAMonth()).to.equal(30);
  });
});

describe('a share that vanished', () => {
  const table: [unconfirmed: number, known: number, percent: number, isHeld: boolean][] = [
    [19, 19, 25, false],
    [20, 20, 25, true],
    [25, 100, 25, false],
    [26, 100, 25, true],
    [1_000, 1_000, 100, false],
    [20, 1_000_000, 0, true],
    [0, 0, 0, false],
  ];
  for (const [unconfirmed, known, percent, held] of table) {
    it(`${unconfirmed} of ${known} at ${percent} %: ${held ? 'kept' : 'goes'}`, () => {
      const vanished = { files: unconfirmed, unconfirmed, known, since: null, confirmedAt: null };
      expect(isHeld(vanished, percent)).to.equal(held);
    });
  }
});
