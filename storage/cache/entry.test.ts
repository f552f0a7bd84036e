import { expect } from 'chai';
import fc from 'fast-check';
import { decodeEntry, encodeEntry, seal } from './entry.ts';

const entry = (value: unknown) => ({ value, stamp: 7, tags: ['a', 'b\n'], freshUntil: 99 });

describe('cache entries', () => {
  it('come back as they were, Dates and "there is none" included', () => {
    const data = fc.letrec((tie) => ({
      value: fc.oneof(
        { depthSize: 'small' },
        fc.jsonValue(),
        fc.date({ noInvalidDate: true }),
        fc.array(tie('value'), { maxLength: 3 }),
        fc.dictionary(fc.string(), tie('value'), { maxKeys: 3, noNullPrototype: true }),
      ),
    })).value;
    fc.assert(
      fc.property(data, (value) => {
        const normal = JSON.stringify(value) === undefined ? undefined : value;
        expect(decodeEntry(encodeEntry(entry(normal)))).to.deep.equal(
          entry(withoutMinusZero(normal)),
        );
      }),
    );
    expect(decodeEntry(encodeEntry(entry(undefined)))).to.deep.equal(entry(undefined));
  });

  for (const text of ['', 'x', '{}\n1', 'null\n1', '{"stamp":1}\n', '{"stamp":"1","tags":[]}\n1']) {
    it(`takes ${JSON.stringify(text)} for a miss`, () => {
      expect(decodeEntry(text)).to.equal(undefined);
    });
  }

  it('are frozen all the way down and weighed', () => {
    const value = { list: [{ name: 'x'.repeat(1_000) }] };
    expect(seal(value, true)).to.be.greaterThan(2_000);
    expect(Object.isFrozen(value.list[0])).to.equal(true);
  });

  const foreign: [string, unknown][] = [
    ['a Map', { a: new Map() }],
    ['a function', { a: () => 1 }],
    ['a bigint', { a: 1n }],
    ['a buffer', { a: Buffer.from('x') }],
    ['an instance', { a: new URL('http://a') }],
    ['NaN', { a: Number.NaN }],
  ];
  for (const [what, value] of foreign) {
    it(`name the place of ${what}, which no other node could read`, () => {
      expect(() => seal(value, true)).to.throw(TypeError, 'value.a is no data');
      expect(seal(value, false)).to.be.greaterThan(0);
    });
  }

  it('refuse a circle', () => {
    const circle: Record<string, unknown> = {};
    circle['self'] = circle;
    expect(() => seal(circle, false)).to.throw(TypeError, 'too deeply');
  });
});

/** JSON has one zero. */
function withoutMinusZero(value: unknown): unknown {
  if (Object.is(value, -0)) return 0;
  if (Array.isArray(value)) return value.map(withoutMinusZero);
  if (typeof value !== 'object' || value === null || value instanceof Date) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, part]) => [key, withoutMinusZero(part)]),
  );
}
