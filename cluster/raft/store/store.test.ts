import { expect } from 'chai';
import { Level } from 'level';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import type { Configuration, Entry, Save } from '../core/types.ts';
import { entryKey, keys } from './codec.ts';
import { DamagedError, StoreError } from './errors.ts';
import { createGroupCommit } from './group-commit.ts';
import { openRaftStore } from './store.ts';

const configuration: Configuration = {
  servers: [
    { id: 'n1', address: '127.0.0.1:7001', suffrage: 'voter' },
    { id: 'n2', address: '127.0.0.1:7002', suffrage: 'nonvoter' },
  ],
};

const entry = (index: number, term: number): Entry => ({
  index,
  term,
  type: 'command',
  data: new Uint8Array([index % 256, term]),
});
const entries = (from: number, to: number, term: number) =>
  Array.from({ length: to - from + 1 }, (_, at) => entry(from + at, term));
const save = (part: Partial<Save>): Save => ({ number: 1, entries: [], mustSync: true, ...part });
const snapshotAt = (index: number, term: number) => ({
  index,
  term,
  configuration,
  configurationIndex: 1,
});

describe('the Raft store', () => {
  let dir = '';
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'raft-store-'));
  });
  afterEach(() => rmSync(dir, { recursive: true, force: true }));

  const written = async (...saves: Save[]) => {
    const store = await openRaftStore({ dir });
    await store.save(saves);
    await store.close();
  };
  const reopened = async () => {
    const store = await openRaftStore({ dir });
    await store.close();
    return store.boot();
  };
  const indices = async () => (await reopened()).entries.map(({ index }) => index);
  const hard = (term: number) => ({ term, vote: { id: 'n1', address: '127.0.0.1:7001' } });

  it('begins with nothing, and finds again what was saved', async () => {
    const store = await openRaftStore({ dir });
    expect(store.boot()).to.deep.equal({
      hardState: { term: 0, vote: undefined },
      snapshot: undefined,
      entries: [],
    });
    const rich: Entry = {
      ...entry(2, 3),
      extensions: new Uint8Array([7]),
      appendedAt: 1_700_000_000_000.25,
    };
    const members: Entry = {
      index: 1,
      term: 1,
      type: 'configuration',
      data: new Uint8Array(),
      configuration,
    };
    await store.save([save({ hardState: hard(3), entries: [members, rich] })]);
    await store.close();
    const boot = await reopened();
    expect(boot.hardState).to.deep.equal(hard(3));
    expect(boot.entries[0]?.configuration).to.deep.equal(configuration);
    expect(boot.entries[0]?.data.length).to.be.greaterThan(0);
    expect(boot.entries[1]).to.deep.equal(rich);
  });

  it('is bootstrapped once', async () => {
    const store = await openRaftStore({ dir });
    const boot = await store.bootstrap(configuration);
    expect(boot.entries[0]?.configuration).to.deep.equal(configuration);
    const again = await store.bootstrap(configuration).catch((error: unknown) => error);
    expect(again).to.be.instanceOf(StoreError);
    await store.close();
    expect(await reopened()).to.deep.equal(boot);
  });

  it('cuts off, adds and votes together', async () => {
    await written(
      save({ hardState: hard(1), entries: entries(1, 9, 1) }),
      save({ hardState: hard(2), truncateFrom: 4, entries: entries(4, 5, 2) }),
    );
    const boot = await reopened();
    expect(boot.entries.map(({ term }) => term)).to.deep.equal([1, 1, 1, 2, 2]);
    expect(boot.hardState.term).to.equal(2);
  });

  it('keeps what an installed snapshot matches, and drops a log that it does not', async () => {
    await written(save({ hardState: hard(2), entries: entries(1, 9, 1) }));
    await written(save({ snapshot: snapshotAt(5, 1) }));
    expect(await indices()).to.deep.equal([1, 2, 3, 4, 5, 6, 7, 8, 9]);
    await written(save({ snapshot: snapshotAt(7, 2) }));
    expect(await indices()).to.deep.equal([]);
    await written(save({ entries: entries(8, 9, 2) }));
    expect(await indices()).to.deep.equal([8, 9]);
    await written(save({ snapshot: snapshotAt(100, 2), compactTo: 100 }));
    expect((await reopened()).snapshot).to.deep.equal(snapshotAt(100, 2));
  });

  it('cuts the log behind a snapshot, in slices', async () => {
    const store = await openRaftStore({ dir });
    await store.save([save({ hardState: hard(1), entries: entries(1, 5000, 1) })]);
    await store.noteSnapshot(snapshotAt(4500, 1));
    await store.noteSnapshot(snapshotAt(4000, 1));
    await store.save([save({ compactTo: 4200, mustSync: false })]);
    await store.close();
    expect((await indices())[0]).to.equal(4201);
    expect((await reopened()).snapshot?.index).to.equal(4500);
  });

  it('refuses to cut what no snapshot holds, and everything after that', async () => {
    const store = await openRaftStore({ dir });
    await store.save([save({ hardState: hard(1), entries: entries(1, 9, 1) })]);
    const first = await store.save([save({ compactTo: 5 })]).catch((error: unknown) => error);
    const second = await store.save([save({})]).catch((error: unknown) => error);
    expect(String(first)).to.include('cutting up to 5 beyond the snapshot at 0');
    expect(second).to.equal(first);
    expect(store.failure()).to.equal(first);
    await store.close();
  });

  it('keeps the hint of what was committed, never above what is there', async () => {
    const store = await openRaftStore({ dir });
    store.hintCommit(7);
    await store.save([save({ hardState: hard(1), entries: entries(1, 5, 1) })]);
    await store.close();
    const again = await openRaftStore({ dir });
    expect(again.commitHint).to.equal(5);
    await again.close();
  });

  it('is one process’s', async () => {
    const store = await openRaftStore({ dir });
    const error = await openRaftStore({ dir }).catch((error: unknown) => error);
    expect((error as Error).message).to.equal(
      `the Raft data in ${dir} is in use by another process`,
    );
    expect(error).not.to.be.instanceOf(DamagedError);
    await store.close();
  });

  describe('refuses to vote', () => {
    const advice = () =>
      '; this node must not vote with it: stop it, and `revenge cluster rejoin` wipes it and makes ' +
      'its folder a new node';

    async function damage(work: (database: Level<Uint8Array, Uint8Array>) => Promise<void>) {
      const encoding = { keyEncoding: 'buffer', valueEncoding: 'buffer' } as const;
      const database = new Level<Uint8Array, Uint8Array>(join(dir, 'log'), encoding);
      await work(database);
      await database.close();
    }
    async function refused(reason: string): Promise<void> {
      const error = await openRaftStore({ dir }).then(
        (store) => store.close(),
        (error: unknown) => error as Error,
      );
      expect(error).to.be.instanceOf(DamagedError);
      expect(error?.message).to.equal(`the Raft data in ${dir} is damaged: ${reason}${advice()}`);
    }
    beforeEach(() => written(save({ hardState: hard(3), entries: entries(1, 9, 2) })));

    /** What the checksum of this value under this key is, reckoned here from the layout. */
    const checksum = (index: number, value: Uint8Array) =>
      crc32(Buffer.concat([entryKey(index), value.subarray(4)]))
        .toString(16)
        .padStart(8, '0');
    const said = (value: Uint8Array) => Buffer.from(value.subarray(0, 4)).toString('hex');

    it('on an entry with a flipped bit', async () => {
      let value: Uint8Array = new Uint8Array();
      await damage(async (database) => {
        value = await database.get(entryKey(4));
        value[value.length - 1]! ^= 1;
        await database.put(entryKey(4), value);
      });
      await refused(`entry 4 has checksum ${checksum(4, value)}, ${said(value)} was written`);
    });

    it('on an entry under another index', async () => {
      let value: Uint8Array = new Uint8Array();
      await damage(async (database) => {
        value = await database.get(entryKey(4));
        await database.put(entryKey(5), value);
      });
      await refused(`entry 5 has checksum ${checksum(5, value)}, ${said(value)} was written`);
    });

    it('on a missing entry', async () => {
      await damage((database) => database.del(entryKey(4)));
      await refused('entry 4 is missing');
    });

    it('on missing first entries', async () => {
      await damage((database) =>
        database.batch([1, 2, 3].map((index) => ({ type: 'del', key: entryKey(index) }))),
      );
      await refused('entries 1 to 3 are missing');
    });

    it('on a log that ends before its snapshot', async () => {
      await written(save({ snapshot: snapshotAt(7, 2) }));
      await damage((database) =>
        database.batch([6, 7, 8, 9].map((index) => ({ type: 'del', key: entryKey(index) }))),
      );
      await refused('the log ends at 5, before the snapshot at 7');
    });

    it('on a lost overwrite in the middle', async () => {
      let old: Uint8Array[] = [];
      await damage(async (database) => {
        old = await database.getMany([entryKey(5), entryKey(6)]);
      });
      await written(save({ truncateFrom: 5, entries: entries(5, 7, 3) }));
      await damage(async (database) => {
        await database.put(entryKey(5), old[0]!);
        await database.put(entryKey(6), old[1]!);
      });
      await refused('entry 7 was written after one of term 3, not 2');
    });

    it('on a lost vote', async () => {
      await damage((database) => database.del(keys.hardState));
      await refused('the vote is missing');
    });

    it('on an older vote', async () => {
      let old: Uint8Array | undefined;
      await damage(async (database) => {
        old = await database.get(keys.hardState);
      });
      await written(save({ hardState: hard(4), entries: entries(10, 10, 4) }));
      await damage((database) => database.put(keys.hardState, old!));
      await refused('the vote is of term 3, the log of term 4: a vote was lost');
    });

    it('on a log folder that is gone', async () => {
      rmSync(join(dir, 'log'), { recursive: true });
      await refused(`${join(dir, 'log')} is missing`);
      expect(existsSync(join(dir, 'log'))).to.equal(false);
    });

    it('but not when only a cut was undone in part', async () => {
      await written(save({ snapshot: snapshotAt(7, 2) }));
      await damage((database) => database.del(entryKey(3)));
      expect(await indices()).to.deep.equal([4, 5, 6, 7, 8, 9]);
      expect(await indices()).to.deep.equal([4, 5, 6, 7, 8, 9]);
    });
  });
});

describe('group commit', () => {
  it('has one write under way and takes what arrives meanwhile together', async () => {
    const batches: number[][] = [];
    let running = 0;
    const commit = createGroupCommit<number>(async (items) => {
      running += 1;
      expect(running).to.equal(1);
      batches.push([...items]);
      await new Promise((resolve) => setImmediate(resolve));
      running -= 1;
    });
    await Promise.all([1, 2, 3].map((item) => commit.add(item)));
    await commit.add(4);
    expect(batches).to.deep.equal([[1], [2, 3], [4]]);
  });

  it('refuses every waiter, and all later ones, after a failure', async () => {
    const commit = createGroupCommit<number>(async () => {
      throw new Error('no space');
    });
    const asked = [1, 2, 3].map((item) => commit.add(item));
    const results = await Promise.allSettled([...asked, asked[0]!.catch(() => commit.add(4))]);
    expect(results.map((result) => result.status)).to.deep.equal(Array(4).fill('rejected'));
    await commit.idle();
  });
});
