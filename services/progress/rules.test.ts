import { expect } from 'chai';
import { toCsv } from './export.ts';
import { readProgress } from './rules.ts';

const minute = 60_000;

describe('rules of progress', () => {
  const cases: [positionMs: number, durationMs: number | undefined, expected: object][] = [
    [50 * minute, 100 * minute, { positionMs: 50 * minute, isWatched: false }],
    [90 * minute, 100 * minute, { positionMs: 0, isWatched: true }],
    [90 * minute - 1, 100 * minute, { positionMs: 90 * minute - 1, isWatched: false }],
    [100 * minute, 100 * minute, { positionMs: 0, isWatched: true }],
    [500 * minute, 100 * minute, { positionMs: 0, isWatched: true }],
    [2 * minute - 1, 100 * minute, { positionMs: 0, isWatched: false }],
    [2 * minute, 100 * minute, { positionMs: 2 * minute, isWatched: false }],
    [59_999, 20 * minute, { positionMs: 0, isWatched: false }],
    [20_000, 3 * minute, { positionMs: 20_000, isWatched: false }],
    [59_999, undefined, { positionMs: 0, isWatched: false }],
    [60_000, undefined, { positionMs: 60_000, isWatched: false }],
  ];
  for (const [positionMs, durationMs, expected] of cases) {
    it(`${positionMs} of ${durationMs ?? 'unknown'}`, () => {
      expect(readProgress({ positionMs, durationMs, atMs: 5 }, 10)).to.deep.equal({
        ...expected,
        atMs: 5,
      });
    });
  }

  it('takes a time to come for now', () => {
    expect(readProgress({ positionMs: 0, durationMs: 1, atMs: 99 }, 10).atMs).to.equal(10);
  });

  it('writes CSV that spreadsheets do not execute', () => {
    const row = {
      kind: 'movie',
      title: '=1+1, "x"',
      year: null,
      addedAt: '2026-01-01T00:00:00.000Z',
    };
    expect(toCsv([row])).to.equal(
      'kind,title,year,imdb,tmdb,tvdb,addedAt\r\n' +
        `movie,"'=1+1, ""x""",,,,,2026-01-01T00:00:00.000Z\r\n`,
    );
  });
});
