import { expect } from 'chai';
import fc from 'fast-check';
import { nearest, typos } from './typos.ts';

const table: readonly [typed: string, word: string, whole: number, beginning: number][] = [
  ['amelie', 'amelie', 0, 0],
  ['amelei', 'amelie', 1, 1],
  ['rngs', 'rings', 1, 1],
  ['matirx', 'matrix', 1, 1],
  ['shwarz', 'schwarzenegger', 3, 1],
  ['godfahter', 'godfather', 1, 1],
  ['heat', 'beat', 1, 1],
  ['heat', 'matrix', 3, 2],
  ['', 'abc', 3, 0],
];

describe('typing mistakes', () => {
  it('are counted', () => {
    for (const [typed, word, whole, beginning] of table) {
      expect(typos(typed, word, { max: 2, isPrefix: false }), `${typed} ${word}`).to.equal(whole);
      expect(typos(typed, word, { max: 2, isPrefix: true }), `${typed} ${word}…`).to.equal(
        beginning,
      );
    }
  });

  const word = fc.string({ unit: fc.constantFrom('a', 'b', 'c'), maxLength: 8 });

  it('are none between equals and as many in either direction', () => {
    fc.assert(
      fc.property(word, word, (a, b) => {
        const count = (x: string, y: string) => typos(x, y, { max: 9, isPrefix: false });
        expect(count(a, a)).to.equal(0);
        expect(count(a, b)).to.equal(count(b, a));
        expect(count(a, b) === 0).to.equal(a === b);
        expect(count(a, b)).to.be.at.most(Math.max(a.length, b.length));
      }),
    );
  });

  it('are fewest against the best beginning', () => {
    fc.assert(
      fc.property(word, word, (typed, other) => {
        const beginnings = Array.from({ length: other.length + 1 }, (_, at) => other.slice(0, at));
        const best = Math.min(
          ...beginnings.map((start) => typos(typed, start, { max: 9, isPrefix: false })),
        );
        expect(typos(typed, other, { max: 9, isPrefix: true })).to.equal(best);
      }),
    );
  });

  it('are allowed by length, the nearest word first', () => {
    const known = ['rings', 'ring', 'kings', 'wings', 'rungs', 'the'];
    expect(nearest('rngs', known, { isPrefix: false, max: 3 })).to.deep.equal(['rings', 'rungs']);
    expect(nearest('teh', known, { isPrefix: false, max: 3 })).to.deep.equal([]);
  });
});
