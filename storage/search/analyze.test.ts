import { expect } from 'chai';
import fc from 'fast-check';
import { analyzeQuery, compounds, fold, phrase, phrasesOf, tokens, words } from './analyze.ts';
import { limits } from './engine.ts';

const wordTable: readonly [text: string, ...words: string[]][] = [
  ['Amélie', 'amelie'],
  ['L’Avventura', 'lavventura'],
  ["Ocean's Eleven", 'oceans', 'eleven'],
  ['WALL·E', 'wall', 'e'],
  ['Fast & Furious', 'fast', 'and', 'furious'],
  ['Spider-Man: No Way Home', 'spider', 'man', 'no', 'way', 'home'],
  ['Straße ŁÓDŹ Ærø', 'strasse', 'lodz', 'aero'],
  ['İstanbul', 'istanbul'],
  ['ΟΔΟΣ', 'οδοσ'],
  ['Ёлки', 'елки'],
  ['ﬁnal ＡＢＣ １２', 'final', 'abc', '12'],
  ['千と千尋', '千と', 'と千', '千尋'],
  ['千', '千'],
  ['東京 Tokyo', '東京', 'tokyo'],
  ['ガンダム', 'ガン', 'ンダ', 'ダム'],
  ['기생충', '기생충'],
  ['a㈠', 'a', '一'],
  ['ｶﾞｰ2', 'ガー', '2'],
  ['ﱣ', ...[]],
  ['2001: A Space Odyssey', '2001', 'a', 'space', 'odyssey'],
  ['8½', '812'],
  ['...', ...[]],
];

describe('the words of a text', () => {
  it('are what people type for it', () => {
    for (const [text, ...expected] of wordTable) {
      expect(words(text), text).to.deep.equal(expected);
    }
  });

  it('stand where they were found', () => {
    const text = 'Le Fabuleux Destin d’Amélie & 千尋x';
    for (const { start, end, word } of tokens(text)) {
      expect(words(text.slice(start, end)).join(' ')).to.contain(word.slice(0, 2));
    }
  });

  it('are joined where only a sign parts them', () => {
    expect(compounds('WALL·E')).to.deep.equal(['walle']);
    expect(compounds('Spider-Man and X-Men')).to.deep.equal(['spiderman', 'xmen']);
    expect(compounds('Mission: Impossible')).to.deep.equal([]);
    expect(compounds('R.I.P.D.')).to.deep.equal(['ripd']);
  });

  it('make names comparable, with and without their article', () => {
    expect(phrasesOf(['the matrix', 'die matrix'])).to.deep.equal([
      'the matrix',
      'die matrix',
      'matrix',
    ]);
  });

  it('do not change when they are taken again', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (text) => {
        const once = fold(text);
        expect(fold(once)).to.equal(once);
        if (!tokens(text).some(({ isRun }) => isRun)) {
          expect(phrase(phrase(text))).to.equal(phrase(text));
        }
      }),
    );
  });

  it('hold neither signs nor capitals, and their places are in the text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        for (const { word, start, end } of tokens(text)) {
          expect(word).to.match(/^[\p{L}\p{N}\p{M}]+$/u);
          expect(start).to.be.within(0, end);
          expect(end).to.be.at.most(text.length);
        }
      }),
    );
  });
});

describe('a query', () => {
  it('has limits', () => {
    const text = analyzeQuery('word '.repeat(1_000), true);
    expect(text.words).to.have.lengthOf(limits.words);
    expect(analyzeQuery('x'.repeat(500), true).words[0]).to.have.lengthOf(limits.wordLength);
  });

  it('knows whether its last word is still being typed', () => {
    expect(analyzeQuery('the mat', true).isLastOpen).to.equal(true);
    expect(analyzeQuery('the mat ', true).isLastOpen).to.equal(false);
    expect(analyzeQuery('the mat.', true).isLastOpen).to.equal(false);
    expect(analyzeQuery('the mat', false).isLastOpen).to.equal(false);
  });
});
