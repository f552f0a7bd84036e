import { expect } from 'chai';
import fc from 'fast-check';
import * as z from 'zod';
import { readLeniently } from './drift.ts';

const film = z.object({
  id: z.number(),
  title: z.string(),
  runtime: z.number().nullish(),
  cast: z.array(z.object({ name: z.string(), order: z.number().optional() })).optional(),
});

describe('drift', () => {
  const cases: { name: string; json: unknown; value: unknown; drift?: readonly string[] }[] = [
    { name: 'what fits', json: { id: 1, title: 'a' }, value: { id: 1, title: 'a' } },
    {
      name: 'fields nobody knows',
      json: { id: 1, title: 'a', new: { x: 1 } },
      value: { id: 1, title: 'a' },
    },
    {
      name: 'an optional field of another type',
      json: { id: 1, title: 'a', runtime: '96' },
      value: { id: 1, title: 'a' },
      drift: ['runtime'],
    },
    {
      name: 'elements of a list that lack what they cannot be without',
      json: {
        id: 1,
        title: 'a',
        cast: [{ name: null }, { name: 'x' }, {}, { name: 'y', order: '' }],
      },
      value: { id: 1, title: 'a', cast: [{ name: 'x' }, { name: 'y' }] },
      drift: ['cast[]', 'cast[].name', 'cast[].order'],
    },
    {
      name: 'a list that is none',
      json: { id: 1, title: 'a', cast: { 0: 'x' } },
      value: { id: 1, title: 'a' },
      drift: ['cast'],
    },
    { name: 'a record that lacks its id', json: { title: 'a' }, value: undefined },
    { name: 'nothing', json: null, value: undefined },
  ];
  for (const { name, json, value, drift = [] } of cases) {
    it(`reads ${name}`, () => {
      const before = JSON.stringify(json);
      const read = readLeniently(film, json);
      expect(read?.value).to.deep.equal(value);
      expect(read?.drift ?? []).to.deep.equal(drift);
      expect(JSON.stringify(json)).to.equal(before);
    });
  }

  it('gives what fits the schema, or nothing, whatever comes', () => {
    const odd = fc.oneof(fc.jsonValue(), fc.constant('x'), fc.constant(1), fc.constant(null));
    const near = fc.record(
      { id: odd, title: odd, runtime: odd, cast: fc.array(fc.record({ name: odd, order: odd })) },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(fc.oneof(near, fc.jsonValue()), (json) => {
        const read = readLeniently(film, json);
        if (read !== undefined) expect(film.parse(read.value)).to.deep.equal(read.value);
      }),
    );
  });
});
