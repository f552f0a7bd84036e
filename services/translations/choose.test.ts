import { expect } from 'chai';
import { chooseTexts, type Translated } from './choose.ts';

const work: Translated = {
  language: 'de',
  sources: { title: 'tmdb', overview: 'tmdb' },
  lockedFields: [],
  translations: [
    { language: 'en', title: 'Heat', overview: 'In English.' },
    { language: 'fr', title: 'Chaleur', overview: ' ' },
    { language: 'pt-BR', title: 'Fogo', tagline: 'Fogo!' },
    { language: 'de-AT', title: 'Hitz' },
  ],
};

describe('the texts a viewer is shown', () => {
  const cases: readonly [wanted: string[], shown: string[], more?: Partial<Translated>][] = [
    [[], []],
    [['de'], []],
    [['de-DE', 'en'], []],
    [['en'], ['title en: Heat', 'overview en: In English.']],
    [['en-GB'], ['title en: Heat', 'overview en: In English.']],
    [
      ['fr', 'en'],
      ['title fr: Chaleur', 'overview en: In English.'],
    ],
    [['fr', 'de', 'en'], ['title fr: Chaleur']],
    [
      ['it', 'pt'],
      ['title pt-BR: Fogo', 'tagline pt-BR: Fogo!'],
    ],
    [['it'], []],
    [['de-AT'], ['title de-AT: Hitz'], { language: 'de-DE' }],
    [['de-CH'], [], { language: 'de-DE' }],
    [['en'], ['overview en: In English.'], { lockedFields: ['title'] }],
    [['en'], ['title en: Heat'], { sources: { title: 'name', overview: 'nfo' } }],
    [['en'], ['overview en: In English.'], { sources: { title: 'user' } }],
    [['en'], [], { sources: { title: 'embedded', overview: 'nfo' } }],
  ];
  for (const [wanted, shown, more = {}] of cases) {
    const what = `${wanted.join(', ') || 'nothing'} ${JSON.stringify(more)}`;
    it(`are ${shown.join('; ') || 'its own'} where ${what} is wanted`, () => {
      const texts = Object.entries(chooseTexts({ ...work, ...more }, wanted));
      const told = texts.map(([field, { language, text }]) => `${field} ${language}: ${text}`);
      expect(told).to.deep.equal(shown);
    });
  }
});
