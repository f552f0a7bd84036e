import { expect } from 'chai';
import fc from 'fast-check';
import { isCountable, majorityValue, quorumSize } from './quorum.ts';

describe('a quorum', () => {
  for (const [voters, size] of [
    [1, 1],
    [2, 2],
    [3, 2],
    [4, 3],
    [5, 3],
  ] as const) {
    it(`of ${voters} is ${size}`, () => expect(quorumSize(voters)).to.equal(size));
  }

  it('has reached the largest value that so many reached, whatever the order', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(20), { minLength: 1, maxLength: 7 }), (values) => {
        const reached = majorityValue([...values]);
        const atLeast = (bound: number) => values.filter((value) => value >= bound).length;
        return (
          atLeast(reached) >= quorumSize(values.length) &&
          atLeast(reached + 1) < quorumSize(values.length)
        );
      }),
    );
  });

  it('of nobody has reached nothing', () => expect(majorityValue([])).to.equal(0));

  it('counts no further than numbers do', () => {
    expect(isCountable(Number.MAX_SAFE_INTEGER)).to.equal(true);
    expect(isCountable(Number.MAX_SAFE_INTEGER + 1)).to.equal(false);
    expect(isCountable(-1)).to.equal(false);
  });
});
