import { expect } from 'chai';
import fc from 'fast-check';
import { createRoom } from './room.ts';

const forever = new AbortController().signal;
const turn = () => new Promise((resolve) => setImmediate(resolve));

describe('room', () => {
  it('is never overfull, lets all in, and in the order they came', async () => {
    const amounts = fc.array(fc.integer({ min: 0, max: 12 }), { minLength: 1, maxLength: 40 });
    await fc.assert(
      fc.asyncProperty(amounts, async (wanted) => {
        const room = createRoom({ size: 10, waitingMax: 40 });
        const order: number[] = [];
        const all = wanted.map(async (amount, nth) => {
          using place = (await room.enter(amount, forever))!;
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
    using first = await room.enter(1, forever);
    expect(first).to.not.equal(undefined);
    const second = room.enter(1, forever);
    expect(await room.enter(1, forever), 'too many').to.equal(undefined);
    expect(await second, 'too long').to.equal(undefined);
  });

  it('lets those behind in when one that waited gives up', async () => {
    const room = createRoom({ size: 2, waitingMax: 9 });
    using first = await room.enter(1, forever);
    const leaving = new AbortController();
    const large = room.enter(2, leaving.signal).catch((error: unknown) => error);
    const small = room.enter(1, forever);
    leaving.abort(new Error('gone'));
    expect(await large).to.have.property('message', 'gone');
    expect(await small).to.not.equal(undefined);
    expect(room.taken()).to.equal(2);
    first![Symbol.dispose]();
    first![Symbol.dispose]();
    expect(room.taken()).to.equal(1);
  });
});
