import { expect } from 'chai';
import type { EventName } from '#services/events.ts';
import { quiet } from '#test/log.ts';
import { createEventRing, eventBase, type EventRing } from './events.ts';

const base = 1000;
const item = { kind: 'movie', itemId: 'i', libraryId: 'l' };

describe('event ring', () => {
  const publish = (ring: EventRing, n: number, name: EventName = 'item.added') => {
    for (let i = 0; i < n; i++) ring.publish(name, item);
  };
  const ringOf = (capacity: number) =>
    createEventRing({ now: () => 7, log: quiet }, { base, capacity });

  const rows: [number, number | undefined, boolean, number[]][] = [
    // published, since, complete, replayed
    [0, undefined, true, []],
    [2, undefined, true, []],
    [0, 1000, true, []],
    [2, 1000, true, [1001, 1002]],
    [2, 1001, true, [1002]],
    [2, 1002, true, []],
    [2, 1003, false, []],
    [2, 999, false, []],
    [5, 1002, true, [1003, 1004, 1005]],
    [5, 1001, false, []],
  ];
  for (const [published, since, complete, replayed] of rows) {
    it(`of 3 after ${published} events resumes ${since} with ${replayed.join(' ') || 'none'}`, () => {
      const ring = ringOf(3);
      publish(ring, published);
      const seen: number[] = [];
      const subscription = ring.subscribe(({ id }) => seen.push(id), since);
      expect([subscription.complete, seen]).to.deep.equal([complete, replayed]);
      publish(ring, 1);
      subscription.unsubscribe();
      publish(ring, 1);
      expect(seen).to.deep.equal([...replayed, base + published + 1]);
    });
  }

  it('goes on when a listener fails', () => {
    const ring = ringOf(3);
    const seen: number[] = [];
    ring.subscribe(() => {
      throw new Error('x');
    });
    ring.subscribe(({ id }) => seen.push(id));
    publish(ring, 2);
    expect(seen).to.deep.equal([1001, 1002]);
  });

  it('has ids that rise across restarts', () => {
    const before = createEventRing({ now: () => 0, log: quiet }, { base: eventBase(1) });
    publish(before, 5);
    const after = createEventRing({ now: () => 0, log: quiet }, { base: eventBase(2) });
    expect(after.lastId()).to.be.greaterThan(before.lastId());
    expect(after.subscribe(() => undefined, before.lastId()).complete).to.equal(false);
    expect(
      () => ringOf(3) && createEventRing({ now: () => 0, log: quiet }, { base: 2 ** 53 }),
    ).to.throw(RangeError);
  });
});
