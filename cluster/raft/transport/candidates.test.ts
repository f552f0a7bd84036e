import { expect } from 'chai';
import { createCandidates } from './candidates.ts';
import { SendError } from './types.ts';

const pace = { backoffMs: 10, maxBackoffMs: 40 };

describe('the addresses of a server', () => {
  it('are tried in turn, with a longer wait after each round', () => {
    const candidates = createCandidates(['a', 'b'], pace);
    let now = 0;
    for (const wait of [10, 20, 40, 40]) {
      expect(candidates.next(now)).to.equal('a');
      candidates.fails('a', now);
      expect(candidates.next(now)).to.equal('b');
      candidates.fails('b', now);
      expect(() => candidates.next(now + wait - 1)).to.throw(SendError, 'waiting');
      now += wait;
    }
  });

  it('stay with the one that works, also when it is broken off and when others join', () => {
    const candidates = createCandidates(['a', 'b'], pace);
    candidates.fails('a', 0);
    candidates.works('b');
    expect(candidates.next(0)).to.equal('b');
    expect(candidates.replace(['c', 'a', 'b'])).to.equal(true);
    expect(candidates.next(0)).to.equal('b');
    candidates.fails('b', 0);
    expect(candidates.next(0)).to.equal('c');
  });

  it('begin anew when they are others, and only then', () => {
    const candidates = createCandidates(['a'], pace);
    candidates.fails('a', 0);
    expect(candidates.replace(['a'])).to.equal(false);
    expect(() => candidates.next(9)).to.throw('waiting');
    expect(candidates.replace(['b', 'a'])).to.equal(true);
    expect(candidates.next(0)).to.equal('b');
  });

  it('count a failure of connections begun together once', () => {
    const candidates = createCandidates(['a', 'b', 'c'], pace);
    candidates.fails('a', 0);
    candidates.fails('a', 0);
    expect(candidates.next(0)).to.equal('b');
  });
});
