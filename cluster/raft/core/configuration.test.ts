import { expect } from 'chai';
import { changedConfiguration, isSamePeer, isVoter, resolveServer } from './configuration.ts';
import type { Change, Configuration } from './types.ts';

const three: Configuration = {
  servers: [
    { id: 'a', address: 'A', suffrage: 'voter' },
    { id: 'b', address: 'B', suffrage: 'voter' },
    { id: 'c', address: 'C', suffrage: 'nonvoter' },
  ],
};

/** As `id@address` with a star for a voter. */
function told(configuration: Configuration): string {
  return configuration.servers
    .map(({ id, address, suffrage }) => `${id}@${address}${suffrage === 'voter' ? '*' : ''}`)
    .join(' ');
}

describe('a change of members', () => {
  const rows: [string, Change, string][] = [
    ['adds a voter', { kind: 'addVoter', id: 'd', address: 'D' }, 'a@A* b@B* c@C d@D*'],
    ['adds a learner', { kind: 'addNonvoter', id: 'd', address: 'D' }, 'a@A* b@B* c@C d@D'],
    ['promotes', { kind: 'addVoter', id: 'c', address: 'C' }, 'a@A* b@B* c@C*'],
    ['moves a voter', { kind: 'addVoter', id: 'b', address: 'X' }, 'a@A* b@X* c@C'],
    [
      'moves a voter that is added as a learner',
      { kind: 'addNonvoter', id: 'b', address: 'X' },
      'a@A* b@X* c@C',
    ],
    ['demotes', { kind: 'demoteVoter', id: 'b' }, 'a@A* b@B c@C'],
    ['removes', { kind: 'removeServer', id: 'c' }, 'a@A* b@B*'],
  ];
  for (const [name, change, expected] of rows) {
    it(name, () => {
      const changed = changedConfiguration(three, change);
      expect('configuration' in changed && told(changed.configuration)).to.equal(expected);
    });
  }

  const refusals: [string, Change, string][] = [
    ['an id that is empty', { kind: 'addVoter', id: '', address: 'D' }, 'bad-address'],
    ['no address', { kind: 'addVoter', id: 'd' }, 'bad-address'],
    ['the address of another', { kind: 'addVoter', id: 'd', address: 'A' }, 'bad-address'],
    ['removing a stranger', { kind: 'removeServer', id: 'd' }, 'unknown-server'],
    ['demoting a stranger', { kind: 'demoteVoter', id: 'd' }, 'unknown-server'],
  ];
  for (const [name, change, reason] of refusals) {
    it(`refuses ${name}`, () =>
      expect(changedConfiguration(three, change)).to.have.property('reason', reason));
  }

  it('refuses to leave nobody who votes', () => {
    const one: Configuration = { servers: three.servers.slice(0, 1) };
    for (const kind of ['removeServer', 'demoteVoter'] as const) {
      const refused = changedConfiguration(one, { kind, id: 'a' });
      expect(refused).to.have.property('reason', 'no-voters-left');
    }
  });
});

describe('a peer', () => {
  it('is known by its id, or by its address where it sends none', () => {
    expect(resolveServer(three, { id: 'a', address: 'moved' })?.id).to.equal('a');
    expect(resolveServer(three, { id: undefined, address: 'B' })?.id).to.equal('b');
    expect(resolveServer(three, { id: 'z', address: 'B' })).to.equal(undefined);
    expect(isSamePeer({ id: 'a', address: 'A' }, { id: 'a', address: 'moved' })).to.equal(true);
    expect(isSamePeer({ id: undefined, address: 'A' }, { id: 'a', address: 'A' })).to.equal(true);
    expect(isSamePeer({ id: 'b', address: 'A' }, { id: 'a', address: 'A' })).to.equal(false);
  });

  it('votes only as a voter', () => {
    expect([isVoter(three, 'a'), isVoter(three, 'c'), isVoter(three, 'z')]).to.deep.equal([
      true,
      false,
      false,
    ]);
  });
});
