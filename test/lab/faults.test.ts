import { expect } from 'chai';
import { parseFault } from './faults.ts';

describe('parseFault', () => {
  for (const [name, whom] of [
    ['kill', 'anyone'],
    ['leader-kill', 'leader'],
    ['follower-one-way', 'follower'],
    ['n2-cut-gossip', 1],
    ['redis', 'anyone'],
  ] as const) {
    it(`reads ${name}`, () => {
      expect(parseFault(name)).to.deep.include({ name, whom });
    });
  }

  for (const name of ['', 'leader-', 'leader-redis', 'n0-kill', 'toString']) {
    it(`refuses ${JSON.stringify(name)}, and says what there is`, () => {
      expect(() => parseFault(name)).to.throw(/no fault .*; there are none, kill/);
    });
  }
});
