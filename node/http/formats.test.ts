import { expect } from 'chai';
import { Ajv } from 'ajv';
import { timeFormats } from './formats.ts';

const ajv = new Ajv({ formats: timeFormats });
const accepts = (format: string) => ajv.compile({ type: 'string', format });

describe('formats of times', () => {
  const moments: readonly [string, boolean][] = [
    ['2026-01-02T03:04:05Z', true],
    ['2026-01-02t03:04:05.123456z', true],
    ['2024-02-29T23:59:59+05:30', true],
    ['0001-01-01T00:00:00Z', true],
    ['9999-12-31T23:59:59Z', true],
    ['2016-12-31T23:59:60Z', false],
    ['0000-01-01T00:00:00Z', false],
    ['0001-01-01T00:00:00+01:00', false],
    ['9999-12-31T23:59:59-01:00', false],
    ['2023-02-29T00:00:00Z', false],
    ['2026-01-02T24:00:00Z', false],
    ['2026-01-02T03:04:05', false],
    ['2026-01-02', false],
    ['+12026-01-02T03:04:05Z', false],
    ['', false],
  ];
  for (const [text, isFit] of moments) {
    it(`${isFit ? 'takes' : 'refuses'} the time ${text}`, () => {
      expect(accepts('date-time')(text)).to.equal(isFit);
    });
  }

  const days: readonly [string, boolean][] = [
    ['2024-02-29', true],
    ['0001-01-01', true],
    ['2023-02-29', false],
    ['0000-01-01', false],
    ['2026-1-2', false],
  ];
  for (const [text, isFit] of days) {
    it(`${isFit ? 'takes' : 'refuses'} the day ${text}`, () => {
      expect(accepts('date')(text)).to.equal(isFit);
    });
  }
});
