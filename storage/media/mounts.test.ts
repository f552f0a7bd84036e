import { expect } from 'chai';
import { createMounts } from './mounts.ts';

/** Two roots on one device. */
function two(isWhollyOn: boolean) {
  let nowMs = 0;
  const mounts = createMounts({ now: () => nowMs, isWhollyOn: () => isWhollyOn });
  mounts.learn('/films', '8');
  mounts.learn('/series', '8');
  return { mounts, pass: (ms: number) => (nowMs += ms) };
}

describe('mounts', () => {
  it('that hang close to all roots on their device', () => {
    const { mounts, pass } = two(true);
    expect(mounts.hung('/films')).to.equal('device:8');
    expect(() => mounts.check('/series')).to.throw('does not answer');
    pass(15_000);
    expect(mounts.ask('/series')).to.equal('trial');
    expect(() => mounts.check('/films')).to.throw('does not answer');
    mounts.answered('/series');
    expect(mounts.ask('/films')).to.equal('open');
  });

  it('close to their root alone when it is not certain that its device hangs', () => {
    const { mounts, pass } = two(false);
    expect(mounts.hung('/films')).to.equal('root:/films');
    expect(mounts.ask('/series')).to.equal('open');
    mounts.answered('/series');
    expect(() => mounts.check('/films')).to.throw('does not answer');
    pass(15_000);
    expect(mounts.ask('/films')).to.equal('trial');
    mounts.learn('/films', '9');
    mounts.answered('/films');
    expect(mounts.key('/films')).to.equal('device:9');
    expect(mounts.ask('/films')).to.equal('open');
    expect(mounts.suspended()).to.deep.equal([]);
  });
});
