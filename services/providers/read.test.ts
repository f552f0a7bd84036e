import { expect } from 'chai';
import { dayOf } from './read.ts';

describe('a day that a provider says', () => {
  for (const [text, day] of [
    ['1995-12-15', '1995-12-15'],
    ['2024-02-29', '2024-02-29'],
    ['2023-02-29', undefined],
    ['1998-02-30', undefined],
    ['1998-04-31', undefined],
    ['0000-01-01', undefined],
    ['1998-00-10', undefined],
    ['1998', undefined],
    ['', undefined],
    [null, undefined],
  ] as const) {
    it(`is ${day ?? 'none'} where it says ${text}`, () => {
      expect(dayOf(text)).to.equal(day);
    });
  }
});
