import { expect } from 'chai';
import {
  testMembers,
  type MembersOptions,
  type TestMember,
  type TestMembers,
} from '#test/members.ts';
import { testDatabase, type TestDatabase } from '#test/postgres.ts';
import type { Command } from '../state/types.ts';

const events: Command = { type: 'events', tags: [], batches: [] };

describe('members that are told, updated and put back one after the other', function () {
  let db: TestDatabase;
  let members: TestMembers;
  before(async () => {
    db = await testDatabase();
  });
  after(() => db.close());
  beforeEach(async () => {
    await db.sql`truncate shared.cluster, shared.invalidation_outbox`;
    await db.sql`update shared.leadership set epoch = 0, term = 0, node_id = ''`;
  });
  afterEach(() => members[Symbol.asyncDispose]());

  const begin = async (options: MembersOptions = {}) => {
    members = await testMembers(db.sql, options);
    await members.grow('a', 'b', 'c');
  };
  const all = () => [...members.running.values()];
  const until = async (holds: () => boolean | Promise<boolean>) => {
    while (!(await holds())) await new Promise((resolve) => setTimeout(resolve, 10));
  };
  /** False: it is not that far yet. */
  const handOver = async (id: string) => {
    const { consensus } = await members.leader();
    return consensus.transfer(id).then(
      () => true,
      () => false,
    );
  };
  const other = async (): Promise<TestMember> => {
    const { id } = await members.leader();
    return all().find((each) => each.id !== id)!;
  };

  describe('drained', () => {
    beforeEach(() => begin());

    it('hand leadership on, take it no more, and remember it over a restart', async () => {
      const first = await members.leader();
      const told: boolean[] = [];
      first.onDraining((isDraining) => told.push(isDraining));
      await first.control.setDraining(first.id, true);
      await until(() => first.isDraining() && first.offices.current() === undefined);
      const second = await members.leader();
      expect(second.id).to.not.equal(first.id);
      await first.close();
      const again = await members.start(first.id);
      await until(() => again.isDraining());
      // It may be elected, as it may be the only one that has all; it leads until another can.
      await until(() => handOver(again.id));
      await until(async () => (await members.leader()).id !== again.id);
      await (await members.leader()).control.setDraining(again.id, false);
      await until(() => !again.isDraining());
      expect(told).to.deep.equal([true]);
    });

    it('lead on when there is nobody else to', async () => {
      const leader = await members.leader();
      for (const { id } of all()) await leader.control.setDraining(id, true);
      const { members: shown, leader: now } = await leader.control.status();
      expect(shown.every(({ isDraining }) => isDraining)).to.equal(true);
      expect(now).to.equal(leader.id);
    });

    it('are seen to do nothing any more, from whichever node is asked', async () => {
      const { control } = await other();
      await until(async () => {
        const { members: shown } = await control.status();
        return shown.every(({ work }) => work?.jobs === 0 && work.streams === 0);
      });
    });
  });

  describe('of two releases', () => {
    const old = new Set<string>();
    const settings = (id: string) => (old.has(id) ? { 'cluster.feature_level': 1 } : {});
    beforeEach(async () => {
      old.clear();
      old.add('a');
      await begin({ settings, raiseAfterMs: 50 });
    });

    it('put nothing into the log that the older cannot read, until it is updated', async () => {
      for (const { state } of all()) expect(state.view().featureLevel).to.equal(1);
      const asked = await other();
      expect(await asked.propose(events, 5_000)).to.include({ why: 'features-unsupported' });
      const status = await asked.control.status();
      expect(status.notes.map(({ code }) => code)).to.include('oldMembers');
      old.clear();
      await members.running.get('a')!.close();
      const updated = await members.start('a');
      await until(() => updated.state.view().featureLevel === 2);
      expect(await updated.propose(events, 5_000)).to.include({ isDone: true });
      await until(() => new Set(all().map(({ state }) => state.hash())).size === 1);
    });

    it('go on without one that is put back too late, which says so and applies nothing', async () => {
      old.clear();
      await members.running.get('a')!.close();
      await members.start('a');
      await until(() => all().every(({ state }) => state.view().featureLevel === 2));
      await members.running.get('a')!.close();
      old.add('a');
      const back = await members.start('a');
      await until(() => back.state.unreadable() !== undefined);
      expect(back.state.unreadable()!.why).to.contain('feature level 2 is needed');
      const { index } = back.state.view();
      const leader = await members.leader();
      expect(leader.id).to.not.equal('a');
      expect(await leader.propose(events, 5_000)).to.include({ isDone: true });
      // Even where it is made to lead, it does not take office.
      await until(() => handOver('a'));
      await until(() => back.consensus.leadership().term > 0);
      expect((await members.leader()).id).to.not.equal('a');
      expect(back.state.view().index).to.equal(index);
      expect(back.currency.ageMs()).to.equal(Infinity);
      await back.close();
      old.clear();
      const updated = await members.start('a');
      await until(() => updated.state.view().index > index && updated.currency.ageMs() < 2_000);
    });
  });

  describe('with clocks that differ', () => {
    const ahead = new Map<string, number>();
    beforeEach(async () => {
      ahead.clear();
      await begin({ now: (id) => Date.now() + (ahead.get(id) ?? 0) });
    });

    it('know by how much, on both sides', async () => {
      const one = await other();
      ahead.set(one.id, 300_000);
      const leader = await members.leader();
      await until(() => Math.abs(one.pulses.skews().get(leader.id)! + 300_000) < 1_000);
      await until(() => Math.abs(leader.pulses.skews().get(one.id)! - 300_000) < 1_000);
      const { members: shown } = await leader.control.status();
      const { clockAheadMs } = shown.find(({ id }) => id === one.id)!;
      expect(clockAheadMs).to.be.within(299_000, 301_000);
    });

    it('keep tokens good, whoever leads and wherever its clock jumps', async () => {
      /** Some change by who leads now, whose clock is this far ahead. */
      const changeAt = async (aheadMs: number) => {
        const times: number[] = [];
        await until(async () => {
          const { id, control, state } = await members.leader();
          ahead.set(id, aheadMs);
          times.push(state.view().time);
          return control.setDraining(id, false).then(
            () => times.push(state.view().time) > 0,
            () => false,
          );
        });
        return times;
      };
      const { control } = await members.leader();
      const made = await control.createToken({ kind: 'node', ttlMs: 60_000, by: 'the test' });
      const seen: number[] = [];
      for (const jump of [300_000, -300_000, 300_000, -86_400_000, 0]) {
        seen.push(...(await changeAt(jump)));
      }
      await until(async () => handOver((await other()).id));
      seen.push(...(await changeAt(-300_000)));
      await members.start('d', made);
      await until(() => all().every(({ state }) => state.view().members.has('d')));
      expect(seen).to.deep.equal(seen.toSorted((one, other) => one - other));
    });
  });
});
