import { expect } from 'chai';
import fc from 'fast-check';
import { packTimes, unpackTimes } from './times.ts';

describe('packed times', () => {
  it('are those that were packed', () => {
    const first = fc.integer({ min: -86_400_000, max: 2 ** 40 });
    const steps = fc.array(fc.nat(2 ** 31), { maxLength: 200 });
    fc.assert(
      fc.property(first, steps, (begin, gaps) => {
        const times = gaps.reduce((all, gap) => [...all, all.at(-1)! + gap], [begin]);
        expect(unpackTimes(packTimes(times))).to.deep.equal(times);
      }),
    );
    expect(unpackTimes(packTimes([]))).to.deep.equal([]);
  });

  it('of a film of two hours take about 2 kB', () => {
    const times = Array.from({ length: 1_000 }, (_, nth) => nth * 7_200 + (nth % 7) * 41);
    expect(packTimes(times).length).to.be.lessThan(2_048);
  });
});
