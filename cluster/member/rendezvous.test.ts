import { setTimeout as pause } from 'node:timers/promises';
import { expect } from 'chai';
import { testMembers, type TestMembers } from '#test/members.ts';
import { testDatabase, type TestDatabase } from '#test/postgres.ts';

describe('members whose addresses have all changed', function () {
  let db: TestDatabase;
  let members: TestMembers;
  const ids = ['a', 'b', 'c'];
  let hints: string[] = [];
  before(async () => {
    db = await testDatabase();
  });
  after(() => db.close());
  beforeEach(async () => {
    await db.sql`truncate shared.cluster, shared.cluster_nodes, shared.invalidation_outbox`;
    await db.sql`update shared.leadership set epoch = 0, term = 0, node_id = ''`;
    hints = [];
    members = await testMembers(db.sql, { hints: async () => hints });
    await members.grow(...ids);
  });
  afterEach(() => members[Symbol.asyncDispose]());

  const stopAll = async (...moving: string[]) => {
    await Promise.all([...members.running.values()].map((member) => member.close()));
    for (const id of moving) members.move(id);
  };
  const startAll = () => Promise.all(ids.map((id) => members.start(id)));
  const untilWhole = async () => {
    for (;;) {
      const leader = await members.leader();
      const { members: all } = await leader.control.status();
      if (all.every(({ isHealthy }) => isHealthy)) return leader;
      await pause(20);
    }
  };

  it('write where they are, and forget who was removed', async () => {
    const rows = () => db.sql<{ id: string; raft: string[]; epoch: number }[]>`
      select node_id as id, addresses -> 'raft' as raft, boot_epoch as epoch
      from shared.cluster_nodes order by node_id`;
    while ((await rows()).length < 3) await pause(20);
    const [first] = await rows();
    expect(first).to.include({ id: 'a', epoch: 1 });
    expect(first!.raft[0]).to.match(/^127\.0\.0\.1:\d+$/);
    await stopAll('a');
    await startAll();
    while ((await rows())[0]!.epoch < 2) await pause(20);
    expect((await rows())[0]!.raft).to.not.deep.equal(first!.raft);
  });

  it('find each other by the database', async () => {
    await stopAll(...ids);
    await startAll();
    await untilWhole();
  });

  it('find each other by one whose address others are told', async () => {
    await stopAll(...ids);
    await db.sql`truncate shared.cluster_nodes`;
    // As if there were no database to meet in.
    await db.sql`create rule nothing as on insert to shared.cluster_nodes do instead nothing`;
    try {
      // As a setting or a name in DNS has it.
      hints = [(await members.start('a')).rpc];
      await Promise.all(['b', 'c'].map((id) => members.start(id)));
      await untilWhole();
    } finally {
      await db.sql`drop rule nothing on shared.cluster_nodes`;
    }
  });

  it('are told by the one that stayed', async () => {
    await stopAll('b', 'c');
    await db.sql`truncate shared.cluster_nodes`;
    await db.sql`create rule nothing as on insert to shared.cluster_nodes do instead nothing`;
    try {
      await startAll();
      await untilWhole();
    } finally {
      await db.sql`drop rule nothing on shared.cluster_nodes`;
    }
  });
});
