import { expect } from 'chai';
import fc from 'fast-check';
import { anyOf, anySeason } from './shuffle-choice.ts';

const season = (number: number, episodeCount: number, watchedCount = 0) => ({
  ...{ number, episodeCount, watchedCount },
  isAvailable: true,
});
const gone = { ...season(1, 2), isAvailable: false };
const episode = (id: string, isWatched = false, isAvailable = true) => ({
  ...{ id, isAvailable },
  userState: { isWatched },
});

describe('any episode', () => {
  it('is of a season with episodes to be watched, as likely as it has those', () => {
    const seasons = [season(0, 9), season(1, 10, 10), season(2, 4, 3), season(3, 3)];
    const chosen = [0, 0.2, 0.26, 0.6, 0.99].map((random) => anySeason(seasons, random));
    expect(chosen).to.deep.equal([2, 2, 3, 3, 3]);
  });

  it('is of any season where all is watched, and special where there is nothing else', () => {
    expect(anySeason([season(1, 1, 1), season(2, 1, 1)], 0.6)).to.equal(2);
    expect(anySeason([season(0, 2), gone], 0.5)).to.equal(0);
    expect(anySeason([gone], 0.5)).to.equal(undefined);
    expect(anySeason([], 0.5)).to.equal(undefined);
  });

  it('is one that can be played, not watched if there is one', () => {
    const random = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
    const all = [episode('gone', false, false), episode('seen', true), episode('new')];
    fc.assert(
      fc.property(random, (at) => {
        expect(anyOf(all, at)?.id).to.equal('new');
        expect(anyOf(all.slice(0, 2), at)?.id).to.equal('seen');
        expect(anyOf(all.slice(0, 1), at)).to.equal(undefined);
      }),
    );
  });
});
