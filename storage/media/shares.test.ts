import { expect } from 'chai';
import type { Bulk } from './protocol.ts';
import { createPace, merge, partsOf, type Answer } from './shares.ts';

const callOf = (paths: readonly string[], root = '/films'): Bulk => ({
  ...{ id: 7, name: 'listMany', input: { root, paths } },
});
const letters = [...'abcdefghij'];

describe('a call cut into parts', () => {
  for (const [parts, sizes] of [
    [1, [10]],
    [2, [5, 5]],
    [3, [4, 4, 2]],
    [4, [3, 3, 3, 1]],
    [20, Array.from({ length: 10 }, () => 1)],
  ] as const) {
    it(`asks in ${parts} for all paths, in their order`, () => {
      const asked = partsOf(callOf(letters), parts).map(({ input }) =>
        'paths' in input ? input.paths : [],
      );
      expect(asked.flat()).to.deep.equal(letters);
      expect(asked.map(({ length }) => length)).to.deep.equal(sizes);
    });
  }

  it('stays whole when it is about one thing, or nothing', () => {
    const one: Bulk = { id: 1, name: 'list', input: { root: '/films', path: 'a' } };
    expect(partsOf(one, 4)).to.deep.equal([one]);
    expect(partsOf(callOf([]), 4)).to.deep.equal([callOf([])]);
  });

  it('is answered by all parts in their order, or fails as the first that failed', () => {
    const [a, b]: Answer[] = [
      { device: '8', value: [1, 2] },
      { device: '8', value: [3] },
    ];
    expect(merge([a!, b!])).to.deep.equal({ device: '8', value: [1, 2, 3] });
    const failed = { failed: 'unavailable', message: 'gone' } as const;
    expect(merge([a!, failed, b!])).to.equal(failed);
    expect(merge([b!])).to.equal(b);
  });
});

describe('the number of parts', () => {
  for (const [msPerPath, parts] of [
    [0.01, 1],
    [0.25, 1],
    [0.3, 2],
    [0.9, 4],
    [50, 4],
  ] as const) {
    it(`is ${parts} where a path takes ${msPerPath} ms`, () => {
      const pace = createPace();
      expect(pace.parts(callOf(letters))).to.equal(1);
      pace.note(callOf(letters), { ms: msPerPath * 10, parts: 1 });
      expect(pace.parts(callOf(['z']))).to.equal(parts);
      expect(pace.parts(callOf(['z'], '/series'))).to.equal(1);
    });
  }

  it('counts what parts took beside each other as if one had come after the other', () => {
    const pace = createPace();
    pace.note(callOf(letters), { ms: 2.5, parts: 4 });
    expect(pace.parts(callOf(letters))).to.equal(4);
    pace.note(callOf([]), { ms: 2.5, parts: 1 });
    expect(pace.parts(callOf(letters))).to.equal(4);
  });
});
