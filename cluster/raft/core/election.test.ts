import { expect } from 'chai';
import {
  append,
  ask,
  lead,
  one,
  preVote,
  ref,
  saved,
  status,
  step,
  timeOut,
  vote,
} from '#test/raft/transcripts/one.ts';
import { testOptions } from '#test/raft/transcripts/cluster.ts';

describe('Raft elections', () => {
  describe('the paper, section 5.2', () => {
    it('begins as a follower, and asks for votes when it hears nobody', () => {
      const node = one();
      expect(status(node).role).to.equal('follower');
      expect(timeOut(node).send.map(({ to, request }) => `${request.kind} ${to}`)).to.deep.equal([
        'preVote b',
        'preVote c',
      ]);
    });

    it('waits for a time of its own, in [1, 2) of the timeout', () => {
      const waits = [1, 2, 3, 4, 5].map((seed) => one({ options: { seed } }).raft.deadline());
      expect(new Set(waits)).to.have.length(5);
      for (const wait of waits) expect(wait).to.be.within(1000, 2000);
    });

    it('increments its term, votes for itself, and leads with a majority', () => {
      const node = one();
      lead(node);
      expect(status(node)).to.include({ role: 'leader', term: 2 });
    });

    it('sends heartbeats as soon as it leads', () => {
      const beats = lead(one()).send.filter(
        ({ request }) => request.kind === 'append' && request.isHeartbeat,
      );
      expect(beats.map(({ to }) => to)).to.deep.equal(['b', 'c']);
    });

    it('gives one vote per term, to who asks first', () => {
      const node = one();
      expect(ask(node, vote('b', {}))).to.include({ isGranted: true });
      expect(ask(node, vote('c', {}))).to.include({ isGranted: false });
      expect(ask(node, vote('b', {}))).to.include({ isGranted: true });
    });

    it('returns to follower when another leads its term', () => {
      const node = one();
      timeOut(node);
      ask(node, append('b', { term: 2, isHeartbeat: true }));
      expect(status(node)).to.include({ role: 'follower', term: 2 });
      expect(status(node).leader?.id).to.equal('b');
    });

    it('refuses a leader of an older term, and tells its own', () => {
      const node = one({ term: 5 });
      expect(ask(node, append('b', { term: 4 }))).to.include({ isSuccess: false, term: 5 });
    });

    it('steps down for an answer of a newer term, whatever it answers', () => {
      const node = one();
      const { send } = lead(node);
      const request = send[0]!.request;
      const response = {
        kind: 'append',
        term: 7,
        lastLog: 0,
        isSuccess: false,
        noRetryBackoff: false,
      } as const;
      step(node, { type: 'answer', from: 'b', request, response });
      expect(status(node)).to.include({ role: 'follower', term: 7 });
    });
  });

  describe('one that had better not lead', () => {
    const reluctant = () => one({ options: { reluctanceMs: 3000 } });

    it('forgets a silent leader before anybody else asks, so that its vote is free', () => {
      const node = reluctant();
      ask(node, append('b', { term: 1, isHeartbeat: true }));
      expect(node.raft.deadline()).to.equal(node.now + testOptions.heartbeatTimeoutMs);
      expect(timeOut(node).send).to.be.empty;
      expect(status(node).leader).to.equal(undefined);
      expect(ask(node, preVote('c', { term: 2 }))).to.include({ isGranted: true });
    });

    it('asks for votes itself when nobody else has led for long enough', () => {
      const node = reluctant();
      timeOut(node);
      const since = node.now;
      expect(node.raft.deadline() - since).to.be.within(3000, 4000);
      expect(timeOut(node).send.map(({ request }) => request.kind)).to.deep.equal([
        'preVote',
        'preVote',
      ]);
    });

    it('holds back again once it has heard of a leader, or voted for one', () => {
      const node = reluctant();
      timeOut(node);
      ask(node, append('b', { term: 1, isHeartbeat: true }));
      expect(timeOut(node).send).to.be.empty;
      expect(ask(node, vote('c', { term: 2 }))).to.include({ isGranted: true });
      expect(timeOut(node).send).to.be.empty;
    });
  });

  describe('the paper, section 5.4.1: only who has all may win', () => {
    const cases: readonly [string, { lastTerm: number; lastIndex: number }, boolean][] = [
      ['an older last term', { lastTerm: 2, lastIndex: 90 }, false],
      ['the same term, a shorter log', { lastTerm: 3, lastIndex: 2 }, false],
      ['the same log', { lastTerm: 3, lastIndex: 3 }, true],
      ['the same term, a longer log', { lastTerm: 3, lastIndex: 4 }, true],
      ['a newer last term, a shorter log', { lastTerm: 4, lastIndex: 1 }, true],
    ];
    for (const [name, last, isGranted] of cases) {
      it(`${name}: ${isGranted ? 'yes' : 'no'}`, () => {
        expect(ask(one({ terms: [3, 3] }), vote('b', { term: 9, ...last }))).to.include({
          isGranted,
        });
        expect(ask(one({ terms: [3, 3] }), preVote('b', { term: 9, ...last }))).to.include({
          isGranted,
        });
      });
    }
  });

  describe('term and vote', () => {
    it('are durable before anybody hears of them', () => {
      const node = one();
      const asked = step(node, { type: 'request', token: 1, request: vote('b', {}) });
      expect(asked.replies).to.be.empty;
      expect(asked.save?.hardState).to.deep.equal({ term: 2, vote: ref('b') });
      expect(saved(node).replies).to.have.length(1);
    });

    it('hold back an own request for votes, and the own vote', () => {
      const node = one();
      const [first] = timeOut(node).send;
      const response = { kind: 'preVote', term: 2, isGranted: true } as const;
      const begun = step(node, { type: 'answer', from: 'b', request: first!.request, response });
      expect(begun.send).to.be.empty;
      expect(begun.save?.hardState).to.deep.equal({ term: 2, vote: ref('a') });
      expect(saved(node).send.map(({ request }) => request.kind)).to.deep.equal(['vote', 'vote']);
    });

    it('hold back even a refusal that shows a new term', () => {
      const node = one({ terms: [3] });
      const asked = step(node, { type: 'request', token: 1, request: vote('b', { term: 8 }) });
      expect(asked.replies).to.be.empty;
      expect(saved(node).replies[0]?.response).to.include({ isGranted: false, term: 8 });
    });

    it('survive stepping down within the term (CCF #8094, etcd #2461)', () => {
      const node = one();
      lead(node);
      step(node, { type: 'stepDown' });
      expect(ask(node, vote('b', { term: 2, lastTerm: 2 }))).to.include({ isGranted: false });
    });

    it('are what a restart begins with', () => {
      const node = one({ term: 4, votedFor: 'c' });
      expect(ask(node, vote('b', { term: 4 }))).to.include({ isGranted: false });
      expect(ask(node, vote('c', { term: 4 }))).to.include({ isGranted: true });
    });

    it('do not go beyond what can be counted', () => {
      const node = one();
      expect(ask(node, vote('b', { term: 2 ** 53 }))).to.include({ isGranted: false, term: 1 });
      expect(ask(node, append('b', { term: 2 ** 53 }))).to.include({ isSuccess: false, term: 1 });
    });
  });

  describe("hashicorp's order of a vote", () => {
    it('refuses a rival of a known leader without touching the term', () => {
      const node = one();
      ask(node, append('b', { term: 2, isHeartbeat: true }));
      expect(ask(node, vote('c', { term: 9 }))).to.include({ isGranted: false, term: 2 });
      expect(status(node).leader?.id).to.equal('b');
    });

    it('hears a rival who was told to lead', () => {
      const node = one();
      ask(node, append('b', { term: 2, isHeartbeat: true }));
      expect(ask(node, vote('c', { term: 9, isTransfer: true }))).to.include({
        isGranted: true,
        term: 9,
      });
    });

    it('hears the leader itself: it may have restarted (#606, #609)', () => {
      const node = one();
      ask(node, append('b', { term: 2, isHeartbeat: true }));
      expect(ask(node, preVote('b', { term: 3 }))).to.include({ isGranted: true });
    });

    it('refuses a stranger without touching the term', () => {
      expect(ask(one(), vote('x', { term: 9, lastIndex: 1 }))).to.include({
        isGranted: false,
        term: 1,
      });
    });

    it('hears a stranger whose log may say what it is: it has more than ours', () => {
      expect(ask(one(), vote('x', { term: 9, lastIndex: 2 }))).to.include({ isGranted: true });
    });

    it('takes the term of a nonvoter, but does not vote for it', () => {
      const node = one({ nonvoters: ['d'] });
      expect(ask(node, vote('d', { term: 9, lastIndex: 1 }))).to.include({
        isGranted: false,
        term: 9,
      });
    });

    it('votes for anybody while it knows no configuration', () => {
      expect(ask(one({ voters: [] }), vote('x', {}))).to.include({ isGranted: true });
    });

    it('finds peers without an id by their address', () => {
      const from = { id: undefined, address: 'b:7001' };
      expect(ask(one(), vote('b', { from }))).to.include({ isGranted: true });
      const stranger = { id: undefined, address: 'x:7001' };
      expect(ask(one(), vote('x', { from: stranger, lastIndex: 1 }))).to.include({
        isGranted: false,
      });
    });

    it('keys the vote by address', () => {
      const node = one({ term: 4, votedFor: 'c' });
      const moved = { id: 'c', address: 'elsewhere:7001' };
      expect(ask(node, vote('c', { term: 4, from: moved }))).to.include({ isGranted: false });
    });
  });

  describe('pre-vote', () => {
    it('changes nothing at who is asked', () => {
      const node = one();
      const before = node.raft.deadline();
      expect(ask(node, preVote('b', { term: 9 }))).to.include({ isGranted: true, term: 9 });
      expect(status(node)).to.include({ term: 1, role: 'follower' });
      expect(node.raft.deadline()).to.equal(before);
    });

    it('is refused while a leader is known', () => {
      const node = one();
      ask(node, append('b', { term: 2, isHeartbeat: true }));
      expect(ask(node, preVote('c', { term: 9 }))).to.include({ isGranted: false });
    });

    const failed = (reason: 'closed' | 'unreachable', hasAnswered: boolean) => {
      const node = one();
      let request = timeOut(node).send[0]!.request;
      if (hasAnswered) {
        const response = { kind: 'preVote', term: 2, isGranted: false } as const;
        step(node, { type: 'answer', from: 'b', request, response });
        request = timeOut(node).send[0]!.request;
      }
      step(node, { type: 'failed', to: 'b', request, reason });
      return status(node).role;
    };

    it('counts as granted by a peer that closes the connection instead (H2)', () => {
      expect(failed('closed', false)).to.equal('candidate');
    });

    it('does not by one that once answered, or that nobody reaches', () => {
      expect(failed('closed', true)).to.equal('preCandidate');
      expect(failed('unreachable', false)).to.equal('preCandidate');
    });
  });

  it('a nonvoter and a removed node stay silent', () => {
    for (const node of [one({ voters: ['b'], nonvoters: ['a'] }), one({ voters: ['b'] })]) {
      expect(timeOut(node).send).to.be.empty;
      expect(status(node).role).to.equal('follower');
      step(node, { type: 'request', token: 1, request: { kind: 'timeoutNow', from: ref('b') } });
      expect(status(node).role).to.equal('follower');
    }
  });

  it('a node that is told to lead does so at once, and says why', () => {
    const node = one();
    const request = { kind: 'timeoutNow', from: ref('b') } as const;
    step(node, { type: 'request', token: 1, request });
    expect(saved(node).send[0]?.request).to.include({ kind: 'vote', term: 2, isTransfer: true });
  });

  it('a node alone needs no messages, but its disk (etcd #14370)', () => {
    const node = one({ voters: ['a'] });
    timeOut(node);
    expect(status(node)).to.include({ role: 'candidate', commit: 0 });
    saved(node);
    expect(status(node)).to.include({ role: 'leader', commit: 0 });
    saved(node);
    expect(status(node).commit).to.equal(2);
  });

  it('a restarted node keeps the lease it may have given before', () => {
    const node = one({ term: 5 });
    node.now = 999;
    expect(ask(node, vote('b', { term: 6 }))).to.include({ isGranted: false });
    node.now = 1000;
    expect(ask(node, vote('b', { term: 6 }))).to.include({ isGranted: true });
  });
});
