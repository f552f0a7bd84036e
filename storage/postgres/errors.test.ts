import { expect } from 'chai';
import { isDuplicate, isUnavailable } from './errors.ts';

describe('isUnavailable', () => {
  const cases: [string, boolean][] = [
    ['CONNECT_TIMEOUT', true],
    ['CONNECTION_CLOSED', true],
    ['ECONNREFUSED', true],
    ['ENOENT', true],
    ['57P01', true],
    ['57P03', true],
    ['08006', true],
    ['08P01', true],
    ['53300', true],
    ['57014', false], // a statement that took too long
    ['23505', false],
    ['42P01', false],
    ['40001', false],
    ['UNDEFINED_VALUE', false],
  ];
  for (const [code, expected] of cases) {
    it(`${code} → ${expected}`, () => {
      expect(isUnavailable(Object.assign(new Error('x'), { code }))).to.equal(expected);
    });
  }

  it('takes anything', () => {
    for (const value of [undefined, null, 'x', 1, {}, new Error('x'), { code: 5 }]) {
      expect(isUnavailable(value)).to.equal(false);
    }
  });
});

describe('isDuplicate', () => {
  it('looks at the constraint when one is named', () => {
    const error = { code: '23505', constraint_name: 'users_name_key' };
    expect(isDuplicate(error)).to.equal(true);
    expect(isDuplicate(error, 'users_name_key')).to.equal(true);
    expect(isDuplicate(error, 'other_key')).to.equal(false);
  });
});
