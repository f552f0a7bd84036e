import { expect } from 'chai';
import { isDay, isMoment, pageOf } from './cursor.ts';

describe('places in lists', () => {
  const moments: [value: string, isOne: boolean][] = [
    ['2026-01-01 00:00:00+00', true],
    ['2024-02-29 23:59:59.123456+00', true],
    ['2026-02-30 00:00:00+00', false],
    ['2026-13-01 00:00:00+00', false],
    ['2026-01-01 24:00:00+00', false],
    ['0000-01-01 00:00:00+00', false],
    ['2026-01-01', false],
    ['2026-01-01T00:00:00Z', false],
  ];
  for (const [value, isOne] of moments) {
    it(`${value} is ${isOne ? 'a' : 'no'} moment`, () => {
      expect(isMoment(value)).to.equal(isOne);
    });
  }

  it('are days', () => {
    expect(['2024-02-29', '2025-02-29', '0000-01-01', '2026-1-1'].filter(isDay)).to.deep.equal([
      '2024-02-29',
    ]);
  });

  it('end a page only when there are more rows', () => {
    expect(pageOf([1, 2, 3], 2)).to.deep.equal({ page: [1, 2], last: 2 });
    expect(pageOf([1, 2], 2)).to.deep.equal({ page: [1, 2], last: undefined });
    expect(pageOf([], 2)).to.deep.equal({ page: [], last: undefined });
  });
});
