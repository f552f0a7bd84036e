import { expect } from 'chai';
import {
  agree,
  ask,
  one,
  saved,
  settledLeader,
  status,
  step,
  timeOut,
  vote,
} from '#test/raft/transcripts/one.ts';

const propose = (node: ReturnType<typeof one>) =>
  step(node, { type: 'propose', proposals: [{ type: 'command', data: new Uint8Array(1) }] });

describe('Raft leadership transfer (dissertation 3.10)', () => {
  it('tells a voter that has all to campaign at once', () => {
    const { send, outcome } = step(settledLeader(), { type: 'transfer' });
    expect(outcome).to.include({ isAccepted: true });
    expect(send.map(({ to, request }) => `${request.kind} ${to}`)).to.include('timeoutNow b');
  });

  it('lets it catch up first, and takes no proposals meanwhile', () => {
    const node = settledLeader();
    const effects = propose(node);
    saved(node);
    const begun = step(node, { type: 'transfer', to: 'b' });
    expect(begun.send).to.be.empty;
    expect(propose(node).outcome).to.include({ reason: 'transfer-in-progress' });
    const { send } = agree(node, 'b', effects);
    expect(send.map(({ request }) => request.kind)).to.include('timeoutNow');
  });

  it('is done when that voter asks for votes', () => {
    const node = settledLeader();
    step(node, { type: 'transfer', to: 'b' });
    const request = vote('b', { term: 3, isTransfer: true, lastTerm: 2 });
    const effects = step(node, { type: 'request', token: 1, request });
    expect(effects.transfer).to.equal('done');
    expect(saved(node).replies[0]?.response).to.include({ isGranted: true });
  });

  it('is done when an answer of that voter has a newer term, which its vote request may follow', () => {
    const newer = { kind: 'append', lastLog: 2, isSuccess: false, noRetryBackoff: false } as const;
    const ended = ['b', 'c'].map((from) => {
      const node = settledLeader();
      const effects = propose(node);
      saved(node);
      agree(node, 'b', effects);
      step(node, { type: 'transfer', to: 'b' });
      const { request } = effects.send[0]!;
      const response = { ...newer, term: 3 };
      return step(node, { type: 'answer', from, request, response }).transfer;
    });
    expect(ended).to.deep.equal(['done', 'leadership-lost']);
  });

  it('ends after an election timeout, and proposals go on', () => {
    const node = settledLeader();
    step(node, { type: 'transfer', to: 'c' });
    let ended;
    const begun = node.now;
    while (!ended && node.now < begun + 5000) {
      const effects = timeOut(node);
      ended = effects.transfer;
      agree(node, 'b', effects);
    }
    expect(ended).to.equal('transfer-timeout');
    expect(node.now - begun).to.equal(1000);
    expect(propose(node).outcome).to.include({ isAccepted: true });
  });

  it('refuses a target that is no other voter', () => {
    for (const to of ['a', 'd', 'x']) {
      const node = settledLeader({ nonvoters: ['d'] });
      expect(step(node, { type: 'transfer', to }).outcome).to.include({ reason: 'no-target' });
    }
    expect(step(one(), { type: 'transfer' }).outcome).to.include({ reason: 'not-leader' });
  });

  it('says when leadership went to somebody else', () => {
    const node = settledLeader();
    step(node, { type: 'transfer', to: 'c' });
    const { transfer } = step(node, { type: 'stepDown' });
    expect(transfer).to.equal('leadership-lost');
    expect(ask(node, vote('b', { term: 3, lastTerm: 2 }))).to.include({ isGranted: true });
    expect(status(node).isTransferring).to.equal(false);
  });
});
