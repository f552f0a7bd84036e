import { expect } from 'chai';
import { createLocalClock } from './clock.ts';

describe('the clock of a node alone', () => {
  it('counts from its epoch, above everything of the epoch before', async () => {
    const clock = createLocalClock({ epoch: 3 });
    const before = createLocalClock({ epoch: 2 });
    expect(clock.applied()).to.equal(clock.floor());
    expect(await clock.invalidate(['a'])).to.equal(clock.floor() + 1);
    expect(await before.invalidate(['a'])).to.be.lessThan(clock.floor());
  });

  it('tells its listeners, in order, before it answers', async () => {
    const clock = createLocalClock({ epoch: 1 });
    const heard: [number, readonly string[]][] = [];
    const stop = clock.onInvalidate((index, tags) => void heard.push([index, tags]));
    const first = await clock.invalidate(['a']);
    const second = await clock.invalidate(['b', 'c']);
    stop();
    await clock.invalidate(['d']);
    expect(heard).to.deep.equal([
      [first, ['a']],
      [second, ['b', 'c']],
    ]);
    expect(clock.applied()).to.equal(second + 1);
  });

  it('lets wait for an index, but not for ever', async () => {
    const clock = createLocalClock({ epoch: 1 });
    expect(await clock.waitFor(clock.applied(), 0)).to.equal(true);
    expect(await clock.waitFor(clock.applied() + 1, 1)).to.equal(false);
    const waiting = clock.waitFor(clock.applied() + 2, 10_000);
    await clock.invalidate([]);
    await clock.invalidate([]);
    expect(await waiting).to.equal(true);
  });

  it('refuses an epoch that numbers cannot hold', () => {
    expect(() => createLocalClock({ epoch: 2 ** 21 })).to.throw(RangeError);
  });
});
