import { expect } from 'chai';
import fc from 'fast-check';
import { titleLikeness } from './likeness.ts';
import { acceptScore, scoreOf, type Known, type Wanted } from './score.ts';

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
      name: 'a part whose number is a word',
      wanted: { titles: ['Oceans 11'], year: 2001 },
      known: { titles: ["Ocean's Eleven"], year: 2001 },
      isTaken: true,
    },
    {
      name: 'a part that is not announced',
      wanted: { titles: ['The Godfather 2'], year: 1974 },
      known: { titles: ['The Godfather Part II'], year: 1974 },
      isTaken: true,
    },
    {
      name: 'a part with the year of the one before',
      wanted: { titles: ['Kill Bill: Vol. 2'], year: 2003 },
      known: { titles: ['Kill Bill: Vol. 1'], year: 2003 },
      isTaken: false,
    },
    {
      name: 'a first part that most call by no number',
      wanted: { titles: ['Dune Part One'], year: 2021 },
      known: { titles: ['Dune'], year: 2021 },
      isTaken: true,
    },
    {
      name: 'a number that is raised, and a fraction',
      wanted: { titles: ['Naked Gun 33 1-3'], year: 1994 },
      known: { titles: ['Naked Gun 33⅓'], year: 1994 },
      isTaken: true,
    },
    {
      name: 'umlauts written out',
      wanted: { titles: ['Und taeglich gruesst das Murmeltier'], year: 1993 },
      known: { titles: ['Und täglich grüßt das Murmeltier'], year: 1993 },
      isTaken: true,
    },
    {
      name: 'no article, in the same year',
      wanted: { titles: ['Matrix'], year: 1999 },
      known: { titles: ['The Matrix'], year: 1999 },
      isTaken: true,
    },
    {
      name: 'the article behind a first title',
      wanted: { titles: ['Lord of the Rings, The - The Two Towers'], year: 2002 },
      known: { titles: ['The Lord of the Rings: The Two Towers'], year: 2002 },
      isTaken: true,
    },
    {
      name: 'the article behind both titles',
      wanted: { titles: ['Lost World - Jurassic Park, The'], year: 1997 },
      known: { titles: ['The Lost World: Jurassic Park'], year: 1997 },
      isTaken: true,
    },
    {
      name: "a shelf's number",
      wanted: { titles: ['007 GoldenEye'], year: 1995 },
      known: { titles: ['GoldenEye'], year: 1995 },
      isTaken: true,
    },
    {
      name: 'the first of two titles, in the same year',
      wanted: { titles: ['Dr. Strangelove'], year: 1964 },
      known: { titles: ['Dr. Strangelove or: How I Learned to Stop Worrying'], year: 1964 },
      isTaken: true,
    },
    {
      name: 'the first of two titles, in no year',
      wanted: { titles: ['Star Wars'] },
      known: { titles: ['Star Wars: Episode I - The Phantom Menace'], year: 1999 },
      isTaken: false,
    },
    {
      name: 'a country behind the title',
      wanted: { titles: ['The Office (US)'] },
      known: { titles: ['The Office'], year: 2005, countries: ['US'] },
      isTaken: true,
    },
    {
      name: 'another country behind the title',
      wanted: { titles: ['The Office US'] },
      known: { titles: ['The Office'], year: 2001, countries: ['GB'] },
      isTaken: false,
    },
    {
      name: 'a title that ends like a country',
      wanted: { titles: ['The Last of Us'], year: 2023 },
      known: { titles: ['The Last of Us'], year: 2023, countries: ['CA'] },
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
