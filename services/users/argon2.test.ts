import { randomBytes } from 'node:crypto';
import { expect } from 'chai';
import { codeOf } from '#test/users.ts';
import { createHasher, defaultCost } from './argon2.ts';

const cost = { memoryKib: 8, passes: 1, parallelism: 1 };
const random = randomBytes;

describe('argon2id', () => {
  const hasher = createHasher({ cost, random });

  it('hashes with a salt of its own into a PHC string, and knows the password again', async () => {
    const [one, two] = [await hasher.hash('secret'), await hasher.hash('secret')];
    expect(one).to.match(/^\$argon2id\$v=19\$m=8,t=1,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/);
    expect(one).to.not.equal(two);
    expect(await hasher.verify('secret', one)).to.equal(true);
    expect(await hasher.verify('Secret', one)).to.equal(false);
  });

  it('reads what another implementation wrote', async () => {
    // The test vector of the reference implementation (argon2 -id -t 2 -m 16 -p 1, "somesalt").
    const phc =
      '$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc';
    expect(await hasher.verify('password', phc)).to.equal(true);
    expect(hasher.isOutdated(phc)).to.equal(true);
  });

  it('says no to no hash, and to what is none', async () => {
    for (const phc of [undefined, '', 'plain', '$argon2i$v=19$m=8,t=1,p=1$c29tZXNhbHQ$AAAA']) {
      expect(await hasher.verify('secret', phc)).to.equal(false);
    }
    expect(await hasher.verify('', undefined)).to.equal(false);
  });

  it('calls a hash outdated when the cost has changed', async () => {
    const phc = await hasher.hash('secret');
    expect(hasher.isOutdated(phc)).to.equal(false);
    expect(createHasher({ random }).isOutdated(phc)).to.equal(true);
  });

  it('makes only so many wait', async () => {
    const narrow = createHasher({ cost, random, concurrency: 1, queueMax: 2 });
    const codes = await Promise.all(Array.from({ length: 5 }, () => codeOf(narrow.hash('secret'))));
    expect(codes.sort()).to.deep.equal(['none', 'none', 'none', 'unavailable', 'unavailable']);
    expect(await codeOf(narrow.hash('secret'))).to.equal('none');
  });

  it('costs at least what OWASP asks for', () => {
    expect(defaultCost.memoryKib).to.be.at.least(19_456);
    expect(defaultCost.passes).to.be.at.least(2);
  });
});
