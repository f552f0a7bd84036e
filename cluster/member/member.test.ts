import { cp, rename, rm } from 'node:fs/promises';
import { expect } from 'chai';
import { createOutbox, FencedError, type Outbox } from '#storage/cluster/outbox.ts';
import { testMembers, type TestMember, type TestMembers } from '#test/members.ts';
import { RpcError } from '../rpc/index.ts';
import { BarredError } from './barred.ts';
import { testDatabase, type TestDatabase } from '#test/postgres.ts';

describe('members of a cluster', function () {
  let db: TestDatabase;
  let outbox: Outbox;
  let members: TestMembers;
  before(async () => {
    db = await testDatabase();
    outbox = createOutbox(db.sql);
  });
  after(() => db.close());
  beforeEach(async () => {
    await db.sql`truncate shared.cluster, shared.invalidation_outbox`;
    await db.sql`update shared.leadership set epoch = 0, term = 0, node_id = ''`;
  });
  afterEach(() => members[Symbol.asyncDispose]());

  /** What a node writes, as its transaction leaves it behind. */
  const put = (...tags: string[]) => db.sql.begin((tx) => outbox.put(tx, { tags }));
  const heard = (member: TestMember) => {
    const tags: string[] = [];
    member.clock.onInvalidate((_index, more) => tags.push(...more));
    return tags;
  };
  const until = async (holds: () => boolean | Promise<boolean>) => {
    while (!(await holds())) await new Promise((resolve) => setTimeout(resolve, 5));
  };

  describe('alone', () => {
    beforeEach(async () => {
      members = await testMembers(db.sql);
    });

    it('leads, founds its cluster, and announces what is written', async () => {
      const member = await members.start('a');
      const tags = heard(member);
      expect(await member.offices.find(10_000)).to.have.property('here');
      const { clusterId, epoch } = member.state.view();
      expect(clusterId).to.match(/^[0-9a-f-]{36}$/);
      expect(member.clock.applied()).to.be.greaterThan(epoch * 2 ** 32);
      expect(member.clock.floor()).to.equal(epoch * 2 ** 32);

      const before = member.clock.applied();
      await member.announce({ tags: ['movie:1', 'movies'] }, await put('movie:1', 'movies'));
      expect(member.clock.applied()).to.be.greaterThan(before);
      expect(tags).to.deep.equal(['movie:1', 'movies']);
      await until(async () => (await outbox.waiting(0, 1)).length === 0);
      expect(await member.clock.waitFor(member.clock.applied(), 0)).to.equal(true);
      expect(await member.clock.waitFor(member.clock.applied() + 1, 1)).to.equal(false);
      expect(member.currency.ageMs()).to.be.below(2000);
    });

    it('goes on after a restart where it was, with one founding', async () => {
      const first = await members.start('a');
      await first.offices.find(10_000);
      await first.announce({ tags: ['x'] }, await put('x'));
      const { clusterId, epoch, index } = first.state.view();
      await first.close();
      const second = await members.start('a');
      const tags = heard(second);
      await second.offices.find(10_000);
      expect(second.state.view()).to.include({ clusterId, epoch });
      expect(second.clock.applied()).to.be.greaterThan(index);
      expect(tags).to.include('x');
    });

    it('announces what a node that died had written and not announced', async () => {
      await put('left', 'behind');
      const member = await members.start('a');
      const tags = heard(member);
      await member.offices.find(10_000);
      expect(tags).to.deep.equal(['left', 'behind']);
      expect(await outbox.waiting(0, 1)).to.deep.equal([]);
      await put('later');
      await db.sql`
        update shared.invalidation_outbox set created_at = created_at - interval '1 hour'`;
      await until(() => tags.includes('later'));
    });

    it('is given no entry twice when its engine is another', async () => {
      const member = await members.start('a');
      const indices: number[] = [];
      member.clock.onInvalidate((index) => indices.push(index));
      await member.offices.find(10_000);
      await member.announce({ tags: ['one'] }, await put('one'));
      await member.consensus.reopen();
      await member.announce({ tags: ['two'] }, await put('two'));
      expect(indices.length).to.be.greaterThan(1);
      expect(indices).to.deep.equal([...new Set(indices)].sort((one, other) => one - other));
      expect(await member.offices.find(10_000)).to.have.property('here');
    });

    it('shows what was known of it while its engine becomes another', async () => {
      const { consensus, offices } = await members.start('a');
      await offices.find(10_000);
      const { configuration } = await consensus.status();
      // Asked at the moment itself: who looked for it now and then might find it over.
      const asked: Promise<unknown>[] = [];
      consensus.onLeadership(() => {
        if (consensus.isRunning() || asked.length > 0) return;
        asked.push(consensus.lastStatus());
        asked.push(consensus.status().catch((error: unknown) => error));
      });
      await consensus.reopen();
      const [last, refused] = await Promise.all(asked);
      expect(last).to.deep.include({ configuration });
      expect(refused).to.include({ name: 'RaftRefusedError', reason: 'ended' });
    });

    it('does not serve a database in which a later leader has been', async () => {
      const first = await members.start('a');
      await first.offices.find(10_000);
      const { epoch } = first.state.view();
      await first.close();
      await db.sql`update shared.leadership set epoch = ${epoch + 1}, term = 1, node_id = 'b'`;
      const second = await members.start('a');
      await until(() => second.consensus.leadership().role === 'leader');
      expect(await second.offices.find(300)).to.equal(undefined);
    });
  });

  describe('three of them', () => {
    const barred: string[] = [];
    beforeEach(async () => {
      members = await testMembers(db.sql, {
        onBarred: (id, { why }) => barred.push(`${id}: ${why}`),
      });
      barred.length = 0;
      await members.grow('a', 'b', 'c');
    });

    it('hear of a write wherever it is made, by the time its writer is answered', async () => {
      const leader = await members.leader();
      const follower = [...members.running.values()].find(({ id }) => id !== leader.id)!;
      expect(await follower.offices.find(5000)).to.deep.equal({ leader: leader.id });
      const [there, here] = [heard(leader), heard(follower)];
      await follower.announce({ tags: ['progress'] }, await put('progress'));
      // Gossip may have said it before the log did.
      expect([...new Set(here)]).to.deep.equal(['progress']);
      expect([...new Set(there)]).to.deep.equal(['progress']);
    });

    it('follow another leader when one ends, which can then write no more', async () => {
      const first = await members.leader();
      const office = first.offices.current()!;
      await db.sql.begin((tx) => outbox.hold(tx, office.fence));
      await put('unannounced');
      await first.close();
      expect(office.signal.aborted).to.equal(true);
      const second = await members.leader();
      expect(second.id).to.not.equal(first.id);
      const late = await db.sql
        .begin((tx) => outbox.hold(tx, office.fence))
        .catch((error: unknown) => error);
      expect(late).to.be.instanceOf(FencedError);
      // What the first had not announced was the second's first duty.
      expect(await outbox.waiting(0, 1)).to.deep.equal([]);
      for (const { clock } of members.running.values()) {
        expect(await clock.waitFor(second.clock.applied(), 5000)).to.equal(true);
      }
    });

    it('write without a leader too, and have it announced when there is one', async () => {
      const first = await members.leader();
      const [second, third] = [...members.running.values()].filter(({ id }) => id !== first.id);
      await Promise.all([first.close(), second!.close()]);
      await until(() => third!.consensus.leadership().leader === undefined);
      await third!.announce({ tags: ['lonely'] }, await put('lonely'));
      expect(await outbox.waiting(0, 1)).to.have.length(1);
      await until(() => third!.currency.ageMs() > 2000);
      const back = await members.start(second!.id);
      const tags = heard(back);
      await until(() => tags.includes('lonely'));
    });

    it('end, and only those, that are removed; the rest goes on', async () => {
      const leader = await members.leader();
      const gone = [...members.running.values()].find(({ id }) => id !== leader.id)!;
      const plan = await leader.control.change('remove', gone.id, { force: false });
      expect(plan.voters.after).to.not.include(gone.id);
      await until(() => barred.length > 0);
      expect(barred).to.deep.equal([`${gone.id}: retired`]);
      expect(leader.state.view().members.has(gone.id)).to.equal(false);
      await leader.announce({ tags: ['after'] }, await put('after'));
    });

    it('let none of those back in that were removed while they were away', async () => {
      const leader = await members.leader();
      const gone = [...members.running.values()].find(({ id }) => id !== leader.id)!;
      await gone.close();
      await leader.control.change('remove', gone.id, { force: false });
      await until(() => !leader.state.view().members.has(gone.id));
      const error: unknown = await members.start(gone.id).catch((thrown: unknown) => thrown);
      expect(error).to.be.instanceOf(BarredError).with.property('why', 'retired');
    });

    it('keep out a copy of a data folder, and let the true one back in', async () => {
      const leader = await members.leader();
      const [one] = [...members.running.values()].filter(({ id }) => id !== leader.id);
      const known = () => leader.state.view().members.get(one!.id)!.bootEpoch;
      const bootEpoch = known();
      await one!.close();
      const copy = `${one!.dataDir}.copy`;
      await cp(one!.dataDir, copy, { recursive: true });
      const again = await members.start(one!.id);
      await again.offices.find(10_000);
      await until(() => known() > bootEpoch);
      await again.close();
      await rm(one!.dataDir, { recursive: true });
      await rename(copy, one!.dataDir);
      const error: unknown = await members.start(one!.id).catch((thrown: unknown) => thrown);
      expect(error).to.be.instanceOf(BarredError).with.property('why', 'restored-copy');
    });

    it('let nobody become one of them by a token', async () => {
      const leader = await members.leader();
      const one = [...members.running.values()].find(({ id }) => id !== leader.id)!;
      await one.close();
      await rm(one.dataDir, { recursive: true });
      const made = await leader.control.createToken({ kind: 'node', uses: 1, by: 'the test' });
      const error: unknown = await members.start(one.id, made).catch((thrown: unknown) => thrown);
      expect(error).to.be.instanceOf(RpcError).with.property('code', 'id-taken');
      const kept = (await leader.control.tokens()).find(({ id }) => id === made.id);
      expect(kept).to.include({ usesLeft: 1 });
    });
  });
});
