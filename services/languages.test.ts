import { expect } from 'chai';
import { languageCode, languageSpellings, normaliseLanguage } from './languages.ts';

describe('languages', () => {
  it('are known by two letters, three letters of either kind, and name', () => {
    for (const name of ['de', 'ger', 'deu', 'German', 'DEUTSCH', 'de-AT', 'de_DE']) {
      expect(languageCode(name), name).to.equal('de');
    }
    expect(languageCode('zh-Hant-TW')).to.equal('zh');
    for (const name of ['', 'xx', 'title', 'the', 'en fr']) {
      expect(languageCode(name), name).to.equal(undefined);
    }
  });

  it('of streams keep tags we do not know, and drop those that say nothing', () => {
    expect(normaliseLanguage('tlh')).to.equal('tlh');
    expect(normaliseLanguage('und')).to.equal(undefined);
    expect(normaliseLanguage(undefined)).to.equal(undefined);
    expect(languageSpellings('de')).to.deep.equal(['de', 'deu', 'ger']);
  });
});
