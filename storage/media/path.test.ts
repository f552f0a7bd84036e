import { expect } from 'chai';
import fc from 'fast-check';
import { decodePath, displayName, encodePath, readableName } from './path.ts';

const names = fc.oneof(
  fc.uint8Array({ maxLength: 300 }),
  fc.string({ unit: 'grapheme' }).map((text) => Buffer.from(text)),
  // Around the private range itself, whole and cut in the middle of a character.
  fc
    .array(fc.constantFrom('\uf780', '\uf7ff', '\uf77f', '\uf800', 'é', 'a', '😀'), {
      maxLength: 8,
    })
    .chain((parts) => {
      const bytes = Buffer.from(parts.join(''));
      return fc.nat({ max: bytes.length }).map((cut) => bytes.subarray(0, cut));
    }),
);

describe('media paths', () => {
  it('gives every byte string one string, and back', () => {
    fc.assert(
      fc.property(names, (bytes) => {
        expect(decodePath(encodePath(bytes))).to.deep.equal(Buffer.from(bytes));
      }),
    );
  });

  it('gives different byte strings different strings', () => {
    fc.assert(
      fc.property(names, names, (a, b) => {
        expect(encodePath(a) === encodePath(b)).to.equal(Buffer.compare(a, b) === 0);
      }),
    );
  });

  it('never makes half a surrogate pair, and keeps slashes where they are', () => {
    fc.assert(
      fc.property(names, (bytes) => {
        const text = encodePath(bytes);
        expect(text.isWellFormed()).to.equal(true);
        const slashes = bytes.filter((byte) => byte === 0x2f).length;
        expect(text.split('/').length - 1).to.equal(slashes);
      }),
    );
  });

  it('takes back only what it could have made', () => {
    const strings = fc.string({
      unit: fc.constantFrom('\uf7c3', '\uf7a9', '\uf780', 'a', '\ud800'),
    });
    fc.assert(
      fc.property(strings, (text) => {
        let bytes;
        try {
          bytes = decodePath(text);
        } catch (error) {
          expect(error).to.be.instanceOf(RangeError);
          return;
        }
        expect(encodePath(bytes)).to.equal(text);
      }),
    );
  });

  const table: [bytes: Buffer, text: string, shown: string][] = [
    [Buffer.from('Amélie (2001).mkv'), 'Amélie (2001).mkv', 'Amélie (2001).mkv'],
    [Buffer.from('Am\xe9lie.mkv', 'latin1'), 'Am\uf7e9lie.mkv', 'Amélie.mkv'],
    [Buffer.from('\uf7e9'), '\uf7ef\uf79f\uf7a9', 'ïŸ©'],
    [Buffer.from([0xed, 0xa0, 0x80]), '\uf7ed\uf7a0\uf780', 'í\u00a0€'],
    [Buffer.from('two\nlines'), 'two\nlines', 'two␊lines'],
    [Buffer.from('日本\x7f'), '日本\x7f', '日本␡'],
  ];
  for (const [bytes, text, shown] of table) {
    it(`writes ${bytes.toString('hex').slice(0, 24)} as ${JSON.stringify(text)}`, () => {
      expect(encodePath(bytes)).to.equal(text);
      expect(decodePath(text)).to.deep.equal(bytes);
      expect(displayName(text)).to.equal(shown);
    });
  }

  it('reads a name as text, control characters and all', () => {
    const text = encodePath(Buffer.from('Caf\xe9\n', 'latin1'));
    expect(readableName(text)).to.equal('Caf\xe9\n');
  });
});
