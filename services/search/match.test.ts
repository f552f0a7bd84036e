import { expect } from 'chai';
import { explain } from './match.ts';

const hit = {
  kind: 'movie',
  id: '',
  title: 'Le Fabuleux Destin d’Amélie Poulain',
  titles: ['千と千尋の神隠し', 'Spirited Away'],
  people: ['Audrey Tautou', 'Mathieu Kassovitz'],
  year: 2001,
  subtitle: undefined,
};

/** What is typed, where it is found, and the parts set off. */
const table: readonly [typed: string, field: string | undefined, ...parts: string[]][] = [
  ['poulain', 'title', 'Poulain'],
  ['poul', 'title', 'Poul'],
  ['fabuleux poulain', 'title', 'Fabuleux', 'Poulain'],
  ['fabulxe', 'title', 'Fabuleux'],
  ['spirited', 'otherTitle', 'Spirited'],
  ['千尋', 'otherTitle', '千尋'],
  ['tautou', 'person', 'Tautou'],
  ['audrey tauto', 'person', 'Audrey', 'Tauto'],
  ['tt0211915', undefined],
  ['  ', undefined],
];

describe('where a hit was found', () => {
  it('is told from what is shown of it', () => {
    for (const [typed, field, ...parts] of table) {
      const match = explain(hit, typed, true);
      expect(match?.field, typed).to.equal(field);
      const found = match?.ranges.map(({ start, end }) => match.text.slice(start, end)) ?? [];
      expect(found, typed).to.deep.equal(parts);
    }
  });
});
