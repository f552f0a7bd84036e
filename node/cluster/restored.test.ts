import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { expect } from 'chai';
import { writeWhole } from '#services/backup/file.ts';
import { restoreBackup } from '#services/backup/restore.ts';
import { writeBackup } from '#services/backup/write.ts';
import { createCache, type Cached } from '#storage/cache/index.ts';
import type { SharedStore } from '#storage/cache/shared.ts';
import { createOutbox } from '#storage/cluster/outbox.ts';
import { createOwnership } from '#storage/cluster/owner.ts';
import type { Sql } from '#storage/postgres/connect.ts';
import { quiet } from '#test/log.ts';
import {
  testMembers,
  type MembersOptions,
  type TestMember,
  type TestMembers,
} from '#test/members.ts';
import { fillOddly, oddIds } from '#test/odd-content.ts';
import { testDatabase, type TestDatabase } from '#test/postgres.ts';
import { plainWrite } from '#test/write.ts';
import { createWrite } from '../write.ts';
import { isRestored, sinceEpoch } from './restored.ts';

const migrationsDir = new URL('../../migrations', import.meta.url).pathname;

/** The tier that nodes share, and that outlives them all. */
function sharedStore(): SharedStore & { size: () => number } {
  const kept = new Map<string, string>();
  return {
    size: () => kept.size,
    read: async (key) => kept.get(key) ?? null,
    write: async (key, text) => kept.set(key, text),
    take: async () => true,
    give: async () => undefined,
    pause: async () => undefined,
  };
}

/** The title of the odd film, as each node's cache has it. */
function titles(sql: Sql, store: SharedStore) {
  const caches = new Map<string, Cached<string, string | undefined>>();
  const onOpened: MembersOptions['onOpened'] = (id, { clock }) => {
    const cache = createCache({
      ...{ clock, store, log: quiet, now: Date.now, l1MaxBytes: 1_000_000 },
    });
    const title = cache.define({
      ...{ name: 'title', ttlMs: 3_600_000, sharedTtlMs: 3_600_000 },
      async load(movieId: string) {
        const [row] = await sql<
          { title: string }[]
        >`select title from movies where id = ${movieId}`;
        return row?.title;
      },
      tags: (_value, movieId) => [`movie:${movieId}`],
    });
    caches.set(id, title);
  };
  const all = () => Promise.all([...caches.values()].map((title) => title.get(oddIds.movie)));
  return { onOpened, all };
}

/** Resolves when every member has applied what the leader has now. */
async function reached({ running }: TestMembers, { clock }: TestMember): Promise<void> {
  const index = clock.applied();
  const isBehind = () => [...running.values()].some((each) => each.clock.applied() < index);
  while (isBehind()) await pause(10);
}

const titleIn = async ({ sql }: TestDatabase): Promise<string> =>
  (await sql<{ title: string }[]>`select title from movies where id = ${oddIds.movie}`)[0]!.title;

describe('a cluster whose database was restored', function () {
  let dir: string;
  let file: string;
  let source: TestDatabase;

  before(async () => {
    dir = await mkdtemp(join(tmpdir(), 'revenge-restored-'));
    file = join(dir, 'backup.tar.zst');
    source = await testDatabase();
    await fillOddly(source.sql);
    await source.sql`
      insert into shared.cluster (cluster_id, epoch) values (${oddIds.library}, 3)`;
    const { sql } = source;
    const what = { sql, readPicture: undefined, application: '1', lock: undefined };
    await writeWhole(
      file,
      (sink) => writeBackup(what, sink),
      async () => undefined,
    );
  });
  after(async () => {
    await source.close();
    await rm(dir, { recursive: true, force: true });
  });

  it('serves what was restored on all three nodes, and nothing from before', async () => {
    await using db = await testDatabase();
    const { sql } = db;
    await fillOddly(sql);
    await sql`update movies set title = 'from before' where id = ${oddIds.movie}`;
    const store = sharedStore();
    const { onOpened, all } = titles(sql, store);
    await using members = await testMembers(sql, { onOpened });
    await members.grow('n1', 'n2', 'n3');
    expect(await all()).to.deep.equal(Array.from({ length: 3 }, () => 'from before'));
    expect(store.size()).to.equal(1);
    const owners = createOwnership(sql);
    const before = (await owners.read())!;
    for (const member of [...members.running.values()]) await member.close();

    await restoreBackup({
      ...{ file, sql, migrationsDir, key: undefined, mappings: [], isSigningOut: false },
      ...{ isReplacing: true, clusterId: before.clusterId, listConnected: async () => [] },
      savePicture: async () => undefined,
    });
    const wanted = await titleIn(source);
    const restored = (await owners.read())!;
    expect(restored.clusterId).to.equal(before.clusterId);
    expect(restored.epoch).to.be.greaterThan(before.epoch);

    const early: (string | undefined)[] = [];
    // One after the other, and asked as soon as it is there: before it has found the others too.
    for (const id of ['n1', 'n2', 'n3']) {
      await members.start(id);
      early.push(...(await all()).slice(0, early.length + 1));
    }
    expect(new Set(early)).to.deep.equal(new Set([wanted]));
    const leader = await members.leader();
    const epochs = () => [...members.running.values()].map(({ state }) => state.view().epoch);
    expect(leader.state.view().epoch).to.be.greaterThan(before.epoch);
    await reached(members, leader);
    expect(new Set(epochs()).size).to.equal(1);
    expect((await owners.read())?.epoch).to.equal(epochs()[0]);
    expect(await all()).to.deep.equal([wanted, wanted, wanted]);

    const write = createWrite({
      ...{ sql, outbox: createOutbox(sql), announce: leader.announce },
      ...plainWrite,
    });
    await write(async (tx, stale) => {
      await tx`update movies set title = 'changed since' where id = ${oddIds.movie}`;
      stale(`movie:${oddIds.movie}`);
    });
    await reached(members, leader);
    expect(await all()).to.deep.equal(Array.from({ length: 3 }, () => 'changed since'));
    const { members: known } = await leader.control.status();
    expect(known.map(({ isVoter }) => isVoter)).to.deep.equal([true, true, true]);
  });

  it('begins no epoch of its own when nothing was restored', async () => {
    await using db = await testDatabase();
    await using members = await testMembers(db.sql);
    const first = await members.start('n1');
    await members.leader();
    const { epoch } = first.state.view();
    expect(await isRestored(createOwnership(db.sql), epoch)).to.equal(false);
    await first.close();
    await members.start('n1');
    const again = await members.leader();
    expect(again.state.view().epoch).to.equal(epoch);
  });

  it('goes on over a database that was put back to an earlier epoch as a whole', async () => {
    await using db = await testDatabase();
    await using members = await testMembers(db.sql);
    const first = await members.start('n1');
    await members.leader();
    await first.close();
    await db.sql`select setval('shared.clock_epoch', 40)`;
    await db.sql`update shared.cluster set epoch = 40`;
    const later = await members.start('n1');
    await members.leader();
    const { epoch } = later.state.view();
    expect(epoch).to.equal(41);
    await later.close();
    await db.sql`select setval('shared.clock_epoch', 2)`;
    await db.sql`update shared.cluster set epoch = 2`;
    await db.sql`update shared.leadership set epoch = 2`;
    await members.start('n1');
    expect((await members.leader()).state.view().epoch).to.be.greaterThan(41);
    expect((await createOwnership(db.sql).read())?.epoch).to.be.greaterThan(41);
  });

  it('trusts nothing from before the epoch that the database is of', () => {
    const clock = { floor: () => 5 } as Parameters<typeof sinceEpoch>[0];
    expect(sinceEpoch(clock, 0).floor()).to.equal(5);
    expect(sinceEpoch(clock, 3).floor()).to.equal(3 * 2 ** 32);
  });
});
