import { expect } from 'chai';
import fc from 'fast-check';
import { decodeInvalidation, encodeInvalidation } from './invalidation.ts';
import { MAX_MESSAGE_BYTES } from './limits.ts';
import { createReader, createWriter } from './wire.ts';

const count = fc.maxSafeNat();
const text = (maxLength: number) => fc.string({ unit: 'grapheme', minLength: 1, maxLength });

describe('the bytes of hints', () => {
  it('give numbers and texts back', () => {
    fc.assert(
      fc.property(fc.array(count), text(40), (numbers, word) => {
        const writer = createWriter().text(word);
        numbers.forEach((each) => writer.number(each));
        const reader = createReader(writer.bytes());
        expect(reader.text(10_000)).to.equal(word);
        expect(numbers.map(() => reader.number())).to.deep.equal(numbers);
      }),
    );
  });

  it('give tags back, in messages that may be sent', () => {
    const tags = fc.array(text(100), { maxLength: 1_000 });
    fc.assert(
      fc.property(count, tags, fc.integer({ min: 1, max: 4 }), (index, some, times) => {
        const all = some.map((tag) => tag.repeat(times));
        const messages = encodeInvalidation({ index, tags: all });
        const read = messages.map((bytes) => decodeInvalidation(bytes)!);
        const fitting = all.filter((tag) => Buffer.byteLength(tag) <= 256);
        expect(read.flatMap((each) => each.tags)).to.deep.equal([...new Set(fitting)]);
        expect(read.every((each) => each.index === index)).to.equal(true);
        expect(messages.every(({ length }) => length <= MAX_MESSAGE_BYTES)).to.equal(true);
      }),
      { numRuns: 30 },
    );
  });

  it('are few, however many tags there are', () => {
    const tags = Array.from({ length: 50_000 }, (_, i) => `${i}`.padStart(250, 'x'));
    const messages = encodeInvalidation({ index: 1, tags });
    expect(messages).to.have.length(16);
    expect(messages.every(({ length }) => length <= MAX_MESSAGE_BYTES)).to.equal(true);
    expect(encodeInvalidation({ index: 1, tags: [] })).to.deep.equal([]);
  });

  it('leave out tags that no hint can hold', () => {
    const tags = ['', 'x'.repeat(257), 'half \ud800', 'good'];
    const [bytes] = encodeInvalidation({ index: 9, tags });
    expect(decodeInvalidation(bytes!)).to.deep.equal({ index: 9, tags: ['good'] });
  });

  it('are never misread when they are garbage', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        const tags = decodeInvalidation(bytes)?.tags ?? [];
        expect(tags.length).to.be.at.most(512);
      }),
    );
  });

  const [invalidation] = encodeInvalidation({ index: 300, tags: ['film:1', 'film:2'] });
  it('are refused when cut short at any place', () => {
    for (let end = 0; end < invalidation!.length; end++) {
      expect(decodeInvalidation(invalidation!.subarray(0, end)), `${end}`).to.equal(undefined);
    }
  });

  const garbage: [string, number[]][] = [
    ['another version', [2, 1, 1, 1, 0x61]],
    ['an index that is no safe integer', [1, 255, 255, 255, 255, 255, 255, 255, 127, 1, 1, 0x61]],
    ['a number without an end', [1, ...Array<number>(40).fill(0x80)]],
    ['more tags than may be', [1, 1, 0x81, 4, 1, 0x61]],
    ['an empty tag', [1, 1, 1, 0]],
    ['a tag that is too long', [1, 1, 1, 0x81, 2, ...Array<number>(257).fill(0x61)]],
    ['a tag longer than the message', [1, 1, 1, 9, 0x61]],
    ['a tag that is no UTF-8', [1, 1, 1, 2, 0xc3, 0x28]],
  ];
  for (const [what, bytes] of garbage) {
    it(`are refused with ${what}`, () => {
      expect(decodeInvalidation(Uint8Array.from(bytes))).to.equal(undefined);
    });
  }

  it('are not made of an index that is none', () => {
    expect(() => encodeInvalidation({ index: -1, tags: ['a'] })).to.throw(RangeError);
  });
});
