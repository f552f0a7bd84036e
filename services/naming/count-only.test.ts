import { expect } from 'chai';
import { isCountOnly } from './count-only.ts';

describe('titles that only count', () => {
  for (const [what, title, number, wanted] of [
    ['episode', 'Episode 5', 5, true],
    ['episode', 'Folge 5', 5, true],
    ['episode', 'Épisode 5', 5, true],
    ['episode', 'Episódio 12', 12, true],
    ['episode', 'Aflevering 3', 3, true],
    ['episode', 'Серия 7', 7, true],
    ['episode', '7 серия', 7, true],
    ['episode', '第 5 集', 5, true],
    ['episode', '第5話', 5, true],
    ['episode', '5. Bölüm', 5, true],
    ['episode', 'Episode 5', 6, false],
    ['episode', 'Episode 5: Home', 5, false],
    ['episode', 'Five', 5, false],
    ['episode', '5', 5, false],
    ['season', 'Staffel 2', 2, true],
    ['season', '2. évad', 2, true],
    ['season', 'Specials', 0, true],
    ['season', 'Specials', 1, false],
    ['season', 'Murder House', 1, false],
    ['season', 'Season 1', 1, true],
  ] as const) {
    it(`${what} ${number} “${title}”: ${wanted ? 'is one' : 'is none'}`, () => {
      expect(isCountOnly(what, title, number)).to.equal(wanted);
    });
  }
});
