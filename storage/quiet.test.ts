import { expect } from 'chai';
import { quieten } from './quiet.ts';

describe('a log for what others can cause', () => {
  function world() {
    const said: [message: string, facts: unknown][] = [];
    const time = { now: 0 };
    const note = (message: string, facts?: object) => void said.push([message, facts]);
    return { said, time, log: quieten({ info: note, warn: note }, 10, () => time.now) };
  }

  it('tells each kind at once, and then seldom, with what was left out', () => {
    const { said, time, log } = world();
    for (; time.now < 25; time.now += 1) log.warn('no', { remote: time.now, reason: 'a' });
    log.warn('no', { reason: 'b' });
    expect(said).to.deep.equal([
      ['no', { remote: 0, reason: 'a' }],
      ['no', { remote: 10, reason: 'a', omitted: 9 }],
      ['no', { remote: 20, reason: 'a', omitted: 9 }],
      ['no', { reason: 'b' }],
    ]);
  });

  it('takes numbers for no difference, and a kind for the whole of it', () => {
    const { said, log } = world();
    for (const reason of ['1 of 2', '3 of 4']) log.info('no', { reason });
    for (const reason of ['x', 'y']) log.info('no', { kind: 'E', reason });
    expect(said.map(([, facts]) => facts)).to.deep.equal([{ reason: '1 of 2' }, { reason: 'x' }]);
  });

  it('is silent about reasons without end', () => {
    const { said, log } = world();
    const name = (nth: number) => String.fromCharCode(97 + (nth % 26), 97 + Math.floor(nth / 26));
    for (let nth = 0; nth < 500; nth += 1) log.warn('no', { reason: name(nth) });
    expect(said).to.have.length(65);
  });
});
