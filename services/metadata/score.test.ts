import { expect } from 'chai';
import fc from 'fast-check';
import { acceptScore, scoreOf, titleLikeness, type Known, type Wanted } from './score.ts';

const minute = 60_000;

describe('the score of a record', () => {
  const cases: { name: string; wanted: Wanted; known: Known; isTaken: boolean }[] = [
    {
      name: 'the same title and year',
      wanted: { titles: ['Heat'], year: 1995 },
      known: { titles: ['Heat'], year: 1995 },
      isTaken: true,
    },
    {
      name: 'the same title, no year in the name',
      wanted: { titles: ['heat'] },
      known: { titles: ['Heat'], year: 1995 },
      isTaken: true,
    },
    {
      name: 'the year of another country',
      wanted: { titles: ['Léon'], year: 1995 },
      known: { titles: ['Leon'], year: 1994 },
      isTaken: true,
    },
    {
      name: 'another film of the title',
      wanted: { titles: ['Heat'], year: 1995 },
      known: { titles: ['Heat'], year: 1986 },
      isTaken: false,
    },
    {
      name: 'a title in another language',
      wanted: { titles: ['Die üblichen Verdächtigen'], year: 1995 },
      known: { titles: ['The Usual Suspects', 'Die üblichen Verdächtigen'], year: 1995 },
      isTaken: true,
    },
    {
      name: 'a letter that is wrong',
      wanted: { titles: ['The Shawshank Redemtion'], year: 1994 },
      known: { titles: ['The Shawshank Redemption'], year: 1994 },
      isTaken: true,
    },
    {
      name: 'another part',
      wanted: { titles: ['Rocky 2'], year: 1979 },
      known: { titles: ['Rocky 3'], year: 1979 },
      isTaken: false,
    },
    {
      name: 'a part whose number is Roman',
      wanted: { titles: ['Rocky 2'], year: 1979 },
      known: { titles: ['Rocky II'], year: 1979 },
      isTaken: true,
    },
    {
      name: 'a title that begins alike',
      wanted: { titles: ['The Matrix'], year: 1999 },
      known: { titles: ['The Matrix Revisited'], year: 1999 },
      isTaken: false,
    },
    {
      name: 'a running time that is none of it',
      wanted: { titles: ['Heat'], runtimeMs: 170 * minute },
      known: { titles: ['Heat'], year: 1949, runtimeMs: 12 * minute },
      isTaken: false,
    },
    {
      name: 'two years apart, but as long',
      wanted: { titles: ['Heat'], year: 1997, runtimeMs: 170 * minute },
      known: { titles: ['Heat'], year: 1995, runtimeMs: 171 * minute },
      isTaken: true,
    },
  ];
  for (const { name, wanted, known, isTaken } of cases) {
    it(`${isTaken ? 'is enough' : 'is not enough'} for ${name}`, () => {
      expect(scoreOf(wanted, known) >= acceptScore).to.equal(isTaken);
    });
  }

  it('is between 0 and 1, and the same either way round', () => {
    const title = fc.oneof(fc.string(), fc.string({ unit: 'grapheme' }));
    fc.assert(
      fc.property(title, title, (one, other) => {
        const likeness = titleLikeness(one, other);
        expect(likeness).to.be.within(0, 1);
        expect(titleLikeness(other, one)).to.equal(likeness);
        expect(titleLikeness(one, one)).to.equal(1);
      }),
    );
  });
});
