import { expect } from 'chai';
import {
  agree,
  lead,
  one,
  saved,
  settledLeader,
  status,
  step,
} from '#test/raft/transcripts/one.ts';
import type { Change, Effects } from './types.ts';

const change = (node: ReturnType<typeof one>, wanted: Change): Effects =>
  step(node, { type: 'change', change: wanted });

const suffrages = (node: ReturnType<typeof one>) =>
  status(node)
    .configuration.servers.map(({ id, suffrage }) => `${id} ${suffrage}`)
    .join(', ');

const add = (id: string): Change => ({ kind: 'addNonvoter', id, address: `${id}:7001` });

describe('Raft membership', () => {
  it('changes as soon as the entry is in the log, and tells the new server', () => {
    const node = settledLeader();
    const effects = change(node, add('d'));
    expect(effects.outcome).to.deep.equal({ isAccepted: true, index: 3, term: 2 });
    expect(suffrages(node)).to.equal('a voter, b voter, c voter, d nonvoter');
    expect(effects.send.some(({ to }) => to === 'd')).to.equal(true);
  });

  it('changes one server at a time', () => {
    const node = settledLeader();
    const effects = change(node, add('d'));
    expect(change(node, add('e')).outcome).to.include({ reason: 'change-in-progress' });
    saved(node);
    agree(node, 'b', effects);
    expect(change(node, add('e')).outcome).to.include({ isAccepted: true });
  });

  it('waits for a commit in the own term (Ongaro, raft-dev 2015)', () => {
    const node = one();
    const effects = lead(node);
    expect(change(node, add('d')).outcome).to.include({ reason: 'change-in-progress' });
    saved(node);
    agree(node, 'b', effects);
    expect(change(node, add('d')).outcome).to.include({ isAccepted: true });
  });

  const refusals: readonly [string, Change, string][] = [
    ['a stale prevIndex', { ...add('d'), prevIndex: 7 }, 'stale-prev-index'],
    ['an unknown server', { kind: 'removeServer', id: 'x' }, 'unknown-server'],
    ['the demotion of an unknown server', { kind: 'demoteVoter', id: 'x' }, 'unknown-server'],
    ['a taken address', { ...add('d'), address: 'b:7001' }, 'bad-address'],
    ['no address', { kind: 'addVoter', id: 'd' }, 'bad-address'],
  ];
  for (const [name, wanted, reason] of refusals) {
    it(`refuses ${name}`, () => {
      expect(change(settledLeader(), wanted).outcome).to.include({ isAccepted: false, reason });
    });
  }

  it('refuses to be left without voters', () => {
    const node = one({ voters: ['a'] });
    lead(node, []);
    saved(node);
    const outcome = change(node, { kind: 'removeServer', id: 'a', force: true }).outcome;
    expect(outcome).to.include({ reason: 'no-voters-left' });
  });

  it('refuses what could not reach a quorum now, unless forced (H5)', () => {
    const node = settledLeader();
    const wanted: Change = { kind: 'addVoter', id: 'd', address: 'd:7001' };
    expect(change(node, wanted).outcome).to.include({ reason: 'would-lose-quorum' });
    expect(change(node, { ...wanted, force: true }).outcome).to.include({ isAccepted: true });
  });

  it('follows hashicorp: adding promotes, moves, and demotes nobody', () => {
    const node = settledLeader({ nonvoters: ['d'] });
    const effects = lead(one({ nonvoters: ['d'] }));
    agree(node, 'c', effects);
    change(node, { kind: 'addVoter', id: 'd', address: 'd:7001', force: true });
    expect(suffrages(node)).to.contain('d voter');
    const other = settledLeader();
    change(other, { kind: 'addNonvoter', id: 'b', address: 'new:7001' });
    expect(suffrages(other)).to.contain('b voter');
    expect(status(other).configuration.servers[1]?.address).to.equal('new:7001');
  });

  it('leads until its own removal is committed, not counting itself, then tells and stops', () => {
    const node = settledLeader();
    const effects = change(node, { kind: 'removeServer', id: 'a', force: true });
    saved(node);
    agree(node, 'b', effects);
    expect(status(node)).to.include({ role: 'leader', commit: 2 });
    const probe = effects.send.find(({ to, request }) => to === 'c' && request.kind === 'append');
    expect(probe).to.equal(undefined);
    expect(status(node).peers.map(({ match }) => match)).to.deep.equal([3, 0]);
  });

  it('goes on telling a removed server until it knows', () => {
    const node = settledLeader();
    const effects = change(node, { kind: 'removeServer', id: 'b', force: true });
    saved(node);
    expect(status(node).peers.map(({ server }) => server.id)).to.deep.equal(['b', 'c']);
    agree(node, 'b', effects);
    node.now += 2500;
    step(node, { type: 'tick' });
    expect(status(node).peers.map(({ server }) => server.id)).to.not.include('b');
  });
});
