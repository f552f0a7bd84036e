import { expect } from 'chai';
import fc from 'fast-check';
import { CommandError } from '../exit.ts';
import { parseCount, parseDuration, parseYesNo, plain, showDuration } from './words.ts';

const faultOf = (run: () => unknown) => {
  try {
    run();
    return 'none';
  } catch (error) {
    return error instanceof CommandError ? `${error.exit}: ${error.message}` : String(error);
  }
};

describe('cluster commands: words', () => {
  const durations: [string, number][] = [
    ['200ms', 200],
    ['30s', 30_000],
    ['10m', 600_000],
    ['1h', 3_600_000],
    ['1h30m', 5_400_000],
    ['7d', 604_800_000],
    ['0s', 0],
  ];
  for (const [text, ms] of durations) {
    it(`reads ${text}`, () => expect(parseDuration(text, '--ttl')).to.equal(ms));
  }

  for (const text of ['', '10', '1.5h', '-1s', '1w', '1h 30m', 's', '999999999d999999999d']) {
    it(`does not take "${text}" for a duration`, () => {
      expect(faultOf(() => parseDuration(text, '--ttl'))).to.match(/^2: --ttl .*give a duration/);
    });
  }

  const shown: [number, string][] = [
    [-5, '0ms'],
    [40.7, '40ms'],
    [2_590, '2.5s'],
    [59_999, '59s'],
    [60_000, '1m'],
    [61_000, '1m 1s'],
    [3_600_000, '1h'],
    [5_400_000, '1h 30m'],
    [90_061_000, '1d 1h'],
  ];
  for (const [ms, text] of shown) {
    it(`shows ${ms} ms as ${text}`, () => expect(showDuration(ms)).to.equal(text));
  }

  it('shows no duration as longer than it is, nor by a unit shorter', () => {
    fc.assert(
      fc.property(fc.integer({ min: 10_000, max: 10 ** 11 }), (ms) => {
        const read = parseDuration(showDuration(ms).replaceAll(' ', ''), '');
        expect(read).to.be.at.most(ms);
        expect(ms - read).to.be.below(Math.max(1_000, ms / 24));
      }),
    );
  });

  it('reads whole numbers up to a bound', () => {
    expect(parseCount('0', '--uses', 9)).to.equal(0);
    expect(parseCount('9', '--uses', 9)).to.equal(9);
    for (const text of ['10', '-1', '1.5', 'x', '', '1e1']) {
      expect(
        faultOf(() => parseCount(text, '--uses', 9)),
        text,
      ).to.match(/^2: --uses/);
    }
  });

  it('reads yes and no, and nothing else', () => {
    expect(parseYesNo('yes', '--promote')).to.equal(true);
    expect(parseYesNo('no', '--promote')).to.equal(false);
    expect(faultOf(() => parseYesNo('true', '--promote'))).to.match(/say yes or no/);
  });

  it('lets no text move the cursor', () => {
    expect(plain('a\u001b[2Jb\nc\u009bd é')).to.equal('a?[2Jb?c?d é');
  });
});
