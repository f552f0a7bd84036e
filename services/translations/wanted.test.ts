import { expect } from 'chai';
import fc from 'fast-check';
import { acceptedLanguages, wantedLanguages } from './wanted.ts';

describe('the languages a viewer wants', () => {
  const cases: readonly [header: string | undefined, languages: string[]][] = [
    [undefined, []],
    ['', []],
    ['*', []],
    ['de', ['de']],
    ['DE-at', ['de-AT']],
    ['de-DE,de;q=0.9,en;q=0.8', ['de-DE', 'de', 'en']],
    ['en;q=0.5, fr;q=0.9, de', ['de', 'fr', 'en']],
    ['fr;q=0, de;q=0.001', ['de']],
    ['zh-Hant-TW', ['zh-TW']],
    ['iw', ['he']],
    ['x-klingon, en_US, de;q=2, ;;;, fr ; q=0.7', ['fr']],
    ['a'.repeat(10_000), []],
    ['aa,ab,af,ak,am,an', ['aa', 'ab', 'af', 'ak', 'am']],
  ];
  for (const [header, languages] of cases) {
    it(`are ${languages.join(', ') || 'none'} of ${header?.slice(0, 60) ?? 'no header'}`, () => {
      expect(acceptedLanguages(header)).to.deep.equal(languages);
    });
  }

  it('is that of the account, whatever a request accepts', () => {
    const request = { headers: { 'accept-language': 'fr' } };
    expect(wantedLanguages({ principal: { language: 'de' }, request })).to.deep.equal(['de']);
    expect(wantedLanguages({ principal: {}, request })).to.deep.equal(['fr']);
    expect(wantedLanguages({ principal: undefined, request })).to.deep.equal(['fr']);
  });

  it('are five at most that mean something, of any header', () => {
    const pieces = fc.constantFrom('de', 'en-US', ';q=', '0.5', ',', '*', '-', ' ', 'x', '1', 'ü');
    const header = fc.oneof(
      fc.string(),
      fc.array(pieces).map((parts) => parts.join('')),
    );
    fc.assert(
      fc.property(header, (text) => {
        const found = acceptedLanguages(text);
        expect(found.length).to.be.at.most(5);
        for (const one of found) expect(one).to.match(/^[a-z]{2,3}(?:-[A-Z0-9]{2,3})?$/);
      }),
    );
  });
});
