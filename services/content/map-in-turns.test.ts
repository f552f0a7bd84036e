import { expect } from 'chai';
import { mapInTurns } from './map-in-turns.ts';

describe('mapping in turns', () => {
  it('keeps the order, and lets others have a turn meanwhile', async () => {
    let turns = 0;
    const others = setInterval(() => (turns += 1), 0);
    const busyMs = (ms: number) => {
      for (const until = performance.now() + ms; performance.now() < until;);
    };
    try {
      const results = await mapInTurns([1, 2, 3, 4, 5], (item) => {
        busyMs(6);
        return item * 2;
      });
      expect(results).to.deep.equal([2, 4, 6, 8, 10]);
      expect(turns).to.be.greaterThan(0);
    } finally {
      clearInterval(others);
    }
  });

  it('passes on what the work throws', async () => {
    const fails = mapInTurns([1], () => {
      throw new Error('no');
    });
    const error: unknown = await fails.catch((thrown: unknown) => thrown);
    expect(error).to.have.property('message', 'no');
  });
});
