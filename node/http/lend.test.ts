import { expect } from 'chai';
import { createLender } from './lend.ts';

describe('memory that is lent', () => {
  it('is lent again while somebody waits, to one at a time', () => {
    const lend = createLender(() => true);
    const first = lend(1_000);
    const second = lend(900);
    expect(first.bytes).to.have.length(1_000);
    expect(second.bytes.buffer).to.not.equal(first.bytes.buffer);
    first[Symbol.dispose]();
    const third = lend(1_020);
    expect(third.bytes).to.have.length(1_020);
    expect(third.bytes.buffer).to.equal(first.bytes.buffer);
    expect(lend(1).bytes.buffer).to.not.equal(first.bytes.buffer);
  });

  it('is not lent to who needs more', () => {
    const lend = createLender(() => true);
    const first = lend(0);
    expect(first.bytes).to.have.length(0);
    first[Symbol.dispose]();
    expect(lend(2).bytes).to.have.length(2);
  });

  it('is let go when nobody waits', () => {
    const lend = createLender(() => false);
    const first = lend(1_000);
    first[Symbol.dispose]();
    expect(lend(1_000).bytes.buffer).to.not.equal(first.bytes.buffer);
  });
});
