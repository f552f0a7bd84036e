import { expect } from 'chai';
import fc from 'fast-check';
import { createRoom } from './room.ts';

const forever = new AbortController().signal;
type Room = ReturnType<typeof createRoom>;
/** A place with so much; undefined where there is none. */
async function enter(room: Room, amount: number, { signal = forever, owner = 'anna' } = {}) {
  const place = room.open(owner);
  return (await place.grow(amount, signal)) ? place : undefined;
}
const turn = () => new Promise((resolve) => setImmediate(resolve));

describe('room', () => {
  it('is never overfull, lets all in, and in the order they came', async () => {
    const amounts = fc.array(fc.integer({ min: 0, max: 12 }), { minLength: 1, maxLength: 40 });
    await fc.assert(
      fc.asyncProperty(amounts, async (wanted) => {
        const room = createRoom({ size: 10, waitingMax: 40 });
        const order: number[] = [];
        const all = wanted.map(async (amount, nth) => {
          using place = (await enter(room, amount))!;
          order.push(nth);
          expect(room.taken()).to.be.at.most(10);
          await turn();
          return place;
        });
        await Promise.all(all);
        expect(order).to.deep.equal(wanted.map((_, nth) => nth));
        expect(room.taken()).to.equal(0);
      }),
      { numRuns: 50, seed: 7 },
    );
  });

  it('sends away who finds too many waiting, and who waits too long', async () => {
    const room = createRoom({ size: 1, waitingMax: 1, waitMaxMs: 1 });
    using first = await enter(room, 1);
    expect(first).to.not.equal(undefined);
    const second = enter(room, 1);
    expect(await enter(room, 1), 'too many').to.equal(undefined);
    expect(await second, 'too long').to.equal(undefined);
  });

  it('lets those behind in when one that waited gives up', async () => {
    const room = createRoom({ size: 2, waitingMax: 9 });
    using first = await enter(room, 1);
    const leaving = new AbortController();
    const large = enter(room, 2, { signal: leaving.signal }).catch((error: unknown) => error);
    const small = enter(room, 1);
    leaving.abort(new Error('gone'));
    expect(await large).to.have.property('message', 'gone');
    expect(await small).to.not.equal(undefined);
    expect(room.taken()).to.equal(2);
    first![Symbol.dispose]();
    first![Symbol.dispose]();
    expect(room.taken()).to.equal(1);
  });

  it('lets owners in by turns, however many of one wait', async () => {
    const room = createRoom({ size: 1, waitingMax: 9 });
    const first = (await enter(room, 1))!;
    const order: string[] = [];
    const all = ['anna', 'anna', 'anna', 'ben', 'ben', 'carl'].map(async (owner) => {
      using place = (await enter(room, 1, { owner }))!;
      order.push(owner);
      return place;
    });
    first[Symbol.dispose]();
    await Promise.all(all);
    expect(order).to.deep.equal(['anna', 'ben', 'carl', 'anna', 'ben', 'anna']);
  });

  it('gives nobody more than their share, for which others do not wait', async () => {
    const room = createRoom({ size: 10, shareMax: 6, waitingMax: 1 });
    const place = room.open('anna');
    expect(await place.grow(4, forever)).to.equal(true);
    const rest = enter(room, 3);
    expect(room.waiting()).to.equal(1);
    expect(await enter(room, 3), 'one of theirs waits already').to.equal(undefined);
    using other = await enter(room, 6, { owner: 'ben' });
    expect(other, 'of another').to.not.equal(undefined);
    expect(room.taken()).to.equal(10);
    place[Symbol.dispose]();
    using after = await rest;
    expect(after).to.not.equal(undefined);
    expect(room.taken()).to.equal(9);
  });

  it('gives back all that a place has grown to', async () => {
    const room = createRoom({ size: 10, waitingMax: 1 });
    const place = room.open('anna');
    for (const amount of [1, 2, 3]) await place.grow(amount, forever);
    expect(room.taken()).to.equal(6);
    const large = enter(room, 10, { owner: 'ben' });
    place[Symbol.dispose]();
    place[Symbol.dispose]();
    expect(await large).to.not.equal(undefined);
    expect(room.taken()).to.equal(10);
  });
});
