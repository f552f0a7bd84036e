import { expect } from 'chai';
import cases from '#test/fixtures/naming/movies.json' with { type: 'json' };
import fc from 'fast-check';
import { isGenericName } from './generic.ts';
import { readName } from './name.ts';
import type { ReleaseFacts } from './release.ts';

interface Case {
  name: string;
  title: string;
  year?: number;
  edition?: string | null;
  ids?: Record<string, string>;
  [fact: string]: unknown;
}

const facts = [
  'resolution',
  'source',
  'videoCodec',
  'audioCodec',
  'hdr',
  'format3d',
  'group',
] as const;
const options = { latestYear: 2028, kind: 'movie' } as const;

describe('reading names of films', () => {
  for (const row of cases as Case[]) {
    it(row.name, () => {
      const reading = readName(row.name, options);
      expect(reading.title).to.equal(row.title);
      expect(reading.year).to.equal(row.year);
      if ('edition' in row) expect(reading.edition).to.equal(row.edition ?? undefined);
      if ('ids' in row) expect(reading.ids).to.deep.equal(row.ids);
      for (const fact of facts) {
        if (!(fact in row)) continue;
        const value: ReleaseFacts[typeof fact] = reading.release[fact];
        expect(value, fact).to.equal(row[fact] ?? undefined);
      }
    });
  }

  it('gives both titles of a name that has two', () => {
    const { title, alternates } = readName('Sydney A.K.A. Hard Eight (1996)', options);
    expect([title, ...alternates]).to.deep.equal(['Sydney', 'Hard Eight']);
  });

  it('never fails and always has a title for a name that is not blank', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1, unit: 'grapheme' }), (name) => {
        fc.pre(name.trim() !== '');
        expect(readName(name, options).title).to.not.equal('');
      }),
    );
  });

  it('reads any title and year written as `Title (Year)`', () => {
    const word = fc.constantFrom('Alpha', 'Beta', 'Gamma', 'of', 'the', 'Zürich', '7', 'Ōkami');
    const title = fc.array(word, { minLength: 1, maxLength: 5 }).map((words) => words.join(' '));
    fc.assert(
      fc.property(title, fc.integer({ min: 1890, max: 2026 }), (name, year) => {
        expect(readName(`${name} (${year})`, options)).to.include({ title: name, year });
      }),
    );
  });

  it('knows names that say nothing', () => {
    for (const name of ['movie', 'VTS_01_1', '00001', 'Action', '1990s', '0123456789abcdef01']) {
      expect(isGenericName(name), name).to.equal(true);
    }
    for (const name of ['Up', 'Her', '1917', 'Alien']) {
      expect(isGenericName(name), name).to.equal(false);
    }
  });
});
