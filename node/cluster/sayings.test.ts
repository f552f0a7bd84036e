import { expect } from 'chai';
import { specOf } from '#test/http.ts';
import { note, refuse, sayings } from './sayings.ts';

type Enums = Record<string, { readonly enum?: readonly string[] }>;

describe('what is said of a cluster', () => {
  const schemas = specOf('cluster').components?.['schemas'] as Enums;

  for (const [schema, sentences] of Object.entries(sayings)) {
    it(`stands in the spec with all its codes: ${schema}`, () => {
      const codes = schemas[schema]?.enum?.filter((code) => code !== 'other');
      expect(codes).to.have.members(Object.keys(sentences));
    });
  }

  it('has codes and values, and can be read in English', () => {
    expect(refuse('tooFew', { voters: 3, well: 1, needed: 2 })).to.deep.equal({
      code: 'tooFew',
      values: { voters: 3, well: 1, needed: 2 },
      text:
        'of the 3 voters that would be left only 1 answer, and 2 are needed: ' +
        'bring one back first',
    });
    expect(note('oldMembers', { level: 2, names: ['a', 'b', 'c'] }).text).to.equal(
      'what feature level 2 brings waits until a, b and c can take part in it',
    );
  });

  it('says names as they are', () => {
    const { text } = refuse('votes', { name: '{needed} of $& {name}' });
    expect(text).to.equal('{needed} of $& {name} has a vote already');
  });
});
