import { expect } from 'chai';
import fc from 'fast-check';
import { createHash, randomBytes } from 'node:crypto';
import { fromBase32, toBase32 } from './base32.ts';
import { createAuthority, openAuthority } from './ca.ts';
import { TrustError } from './errors.ts';
import {
  createToken,
  formatProof,
  formatToken,
  hashSecret,
  isPinnedBy,
  isSameHash,
  parseToken,
  readProof,
} from './tokens.ts';

const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
const fingerprint = Buffer.alloc(32, 7);
const token = createToken(fingerprint, (length) => Buffer.alloc(length, length));
const text = formatToken(token);

describe('join tokens', () => {
  it('are one line of four parts', () => {
    expect(text).to.match(/^rj1\.[a-z2-7]{52}\.[a-z2-7]{8}\.[a-z2-7]{32}$/);
    expect(parseToken(text)).to.deep.equal(token);
    expect(parseToken(`  ${text.toUpperCase()}\n`), 'as pasted').to.deep.equal(token);
  });

  it('come back as they were written', () => {
    const parts = fc.tuple(bytes(32), bytes(5), bytes(20));
    fc.assert(
      fc.property(parts, ([print, id, secret]) => {
        const drawn = [Buffer.from(id), Buffer.from(secret)];
        const made = createToken(Buffer.from(print), () => drawn.shift()!);
        expect(parseToken(formatToken(made))).to.deep.equal(made);
        expect(readProof(formatProof(made))).to.deep.equal({
          id: made.id,
          secretHash: hashSecret(secret),
        });
      }),
    );
  });

  it('say what is wrong with them, and never repeat the secret', () => {
    const [prefix, print, id, secret] = text.split('.') as [string, string, string, string];
    const cases: [string, string][] = [
      ['', 'begin with rj1.'],
      ['hello', 'begin with rj1.'],
      [`rj2.${print}.${id}.${secret}`, 'another version'],
      [`${prefix}.${print}.${id}`, '3 parts'],
      [`${text}.x`, '5 parts'],
      [`${prefix}.${print.slice(1)}.${id}.${secret}`, 'fingerprint'],
      [`${prefix}.${print.replace(/^./, '1')}.${id}.${secret}`, 'fingerprint'],
      [`${prefix}.${print}.${id}a.${secret}`, 'its id'],
      [`${prefix}.${print}.${id}.${secret.slice(2)}`, 'its secret'],
      [`${prefix}.${print}.${id}.${secret}aa`, 'its secret'],
      [`${prefix}.${print}.${id}.0${secret.slice(1)}`, 'its secret'],
    ];
    for (const [wrong, why] of cases) {
      expect(() => parseToken(wrong), wrong)
        .to.throw(TrustError, why)
        .with.property('problem', 'bad-token');
      try {
        parseToken(wrong);
      } catch (error) {
        expect((error as Error).message).to.not.contain(secret.slice(2));
      }
    }
  });

  it('name the authority, so that a newcomer tells it from another', async () => {
    const at = Date.parse('2026-03-01T00:00:00Z');
    const [ours, other] = await Promise.all(
      ['c1', 'c1'].map(async (id) => openAuthority(await createAuthority(id, at), () => at)),
    );
    const made = createToken(ours!.fingerprint, randomBytes);
    const { publicKey } = ours!.certificate;
    const expected = createHash('sha256').update(publicKey.export({ type: 'spki', format: 'der' }));
    expect(made.fingerprint.equals(expected.digest())).to.be.true;
    expect(isPinnedBy(made, ours!.certificate)).to.be.true;
    expect(isPinnedBy(made, other!.certificate)).to.be.false;
  });

  it('are shown as a header, of which only a hash is kept', () => {
    expect(hashSecret(Buffer.from('abc'))).to.equal(
      'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
    );
    const proof = formatProof(token);
    expect(readProof(proof)).to.deep.equal({ id: token.id, secretHash: hashSecret(token.secret) });
    const wrong = [undefined, '', 'Bearer x', proof.slice(0, -1), `${proof}a`, `${proof} x`];
    for (const header of wrong) expect(readProof(header), header).to.be.undefined;
    expect(isSameHash(hashSecret(token.secret), hashSecret(token.secret))).to.be.true;
    expect(isSameHash(hashSecret(token.secret), hashSecret(fingerprint))).to.be.false;
    expect(isSameHash('ab', 'abc')).to.be.false;
  });
});

describe('base32', () => {
  it('writes what RFC 4648 §10 writes', () => {
    const vectors = { '': '', f: 'my', fo: 'mzxq', foo: 'mzxw6', foob: 'mzxw6yq' };
    for (const [plain, coded] of Object.entries({ ...vectors, foobar: 'mzxw6ytboi' })) {
      expect(toBase32(Buffer.from(plain))).to.equal(coded);
      expect(fromBase32(coded)?.toString()).to.equal(plain);
    }
  });

  it('reads what it wrote, and nothing else as the same', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 50 }), (some) => {
        expect(fromBase32(toBase32(some))).to.deep.equal(Buffer.from(some));
      }),
    );
    for (const text of ['a', 'mz', 'mzxr', '1', 'A', 'my======']) {
      expect(fromBase32(text), text).to.be.undefined;
    }
  });
});
