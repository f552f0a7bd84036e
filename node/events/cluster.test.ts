import { randomUUID } from 'node:crypto';
import { expect } from 'chai';
import { pause } from '#cluster/member/pause.ts';
import type { Event } from '#services/events.ts';
import { createOutbox, type Outbox } from '#storage/cluster/outbox.ts';
import { quiet } from '#test/log.ts';
import { testMembers, type TestMember, type TestMembers } from '#test/members.ts';
import { testDatabase, type TestDatabase } from '#test/postgres.ts';
import { createLiveEvents } from './live.ts';

describe('live events of several members', function () {
  let db: TestDatabase;
  let outbox: Outbox;
  let members: TestMembers;
  before(async () => {
    db = await testDatabase();
    outbox = createOutbox(db.sql);
    members = await testMembers(db.sql);
    await members.grow('a', 'b', 'c');
  });
  after(async () => {
    await members[Symbol.asyncDispose]();
    await db.close();
  });

  const item = (itemId: string) => ({ kind: 'movie', itemId, libraryId: 'l' });
  /** A member's events, and one who listens to them. */
  function listenTo(member: TestMember) {
    const heard: Event[] = [];
    const live = createLiveEvents({
      ...{ member, randomId: randomUUID, pause, log: quiet, now: () => 7 },
      onDropped: () => heard.push({ name: 'dropped' } as never),
    });
    live.ring.subscribe({ tell: (event) => heard.push(event), lost: () => undefined });
    /** A change, as its transaction leaves it behind. */
    const change = async (itemId: string) => {
      const told = { id: randomUUID(), events: [live.encode('item.updated', item(itemId))!] };
      const effects = { tags: [`movie:${itemId}`], told };
      return { effects, outboxId: await db.sql.begin((tx) => outbox.put(tx, effects)) };
    };
    return { ...live, member, heard, change };
  }
  const until = async (holds: () => boolean | Promise<boolean>) => {
    while (!(await holds())) await new Promise((resolve) => setTimeout(resolve, 5));
  };
  const all = () => [...members.running.values()].map(listenTo);
  const itemsOf = (heard: readonly Event[]) =>
    heard.map(({ payload }) => (payload as { itemId: string }).itemId);

  it('are the same on all of them, wherever they come about', async () => {
    const nodes = all();
    for (let nth = 0; nth < 10; nth += 1) {
      const node = nodes[nth % 3]!;
      node.publish('item.added', item(`published ${nth}`));
      const { effects, outboxId } = await node.change(`changed ${nth}`);
      expect(await node.announce(effects, outboxId)).to.equal(true);
      expect(itemsOf(node.heard), 'by the time its writer is answered').to.include(
        `changed ${nth}`,
      );
    }
    await until(() => nodes.every(({ heard }) => heard.length === 20));
    const [first, ...others] = nodes.map(({ heard }) => heard);
    for (const other of others) expect(other).to.deep.equal(first);
    expect(new Set(first!.map(({ id }) => id)).size).to.equal(20);
  });

  it('are told after their tags are stale there', async () => {
    const nodes = all();
    const stale = nodes.map(({ member }) => {
      const tags = new Set<string>();
      member.clock.onInvalidate((_index, more) => more.forEach((tag) => tags.add(tag)));
      return tags;
    });
    const early: string[] = [];
    nodes.forEach(({ ring }, nth) =>
      ring.subscribe({
        lost: () => undefined,
        tell({ payload }) {
          const tag = `movie:${(payload as { itemId: string }).itemId}`;
          if (!stale[nth]!.has(tag)) early.push(tag);
        },
      }),
    );
    for (const node of nodes) {
      const { effects, outboxId } = await node.change('x');
      await node.announce(effects, outboxId);
    }
    await until(() => nodes.every(({ heard }) => heard.length === 3));
    expect(early).to.deep.equal([]);
  });

  it('are told once though their writer died before it could say that they were', async () => {
    const nodes = all();
    const writer = nodes.find(({ member }) => !member.offices.current())!;
    const told = await writer.change('told');
    await writer.announce(told.effects, told.outboxId);
    const untold = await writer.change('untold');
    // As if the row had outlived its announcement: the next leader finds both.
    await until(async () => (await outbox.waiting(0, 10)).length === 1);
    await db.sql.begin((tx) => outbox.put(tx, told.effects));
    const leader = await members.leader();
    const survivors = nodes.filter(({ member }) => member !== leader);
    await leader.close();
    await members.leader();
    await until(async () => (await outbox.waiting(0, 10)).length === 0);
    await until(() => survivors.every(({ heard }) => heard.length >= 2));
    for (const { heard } of survivors) expect(itemsOf(heard)).to.deep.equal(['told', 'untold']);
    expect(untold.effects.told.events).to.have.length(1);
    await members.start(leader.id);
  });
});
