import { expect } from 'chai';
import {
  accept,
  agree,
  append,
  ask,
  lead,
  one,
  saved,
  settledLeader,
  status,
  step,
  timeOut,
} from '#test/raft/transcripts/one.ts';
import { testOptions } from '#test/raft/transcripts/cluster.ts';
import type { AppendRequest, Effects, Send } from './types.ts';

const encoder = new TextEncoder();
const propose = (node: ReturnType<typeof one>, ...words: string[]) =>
  step(node, {
    type: 'propose',
    proposals: words.map((word) => ({ type: 'command' as const, data: encoder.encode(word) })),
  });

function appendsTo(effects: Effects, to: string): AppendRequest[] {
  const isMeant = (send: Send) => send.to === to;
  return effects.send
    .filter(isMeant)
    .map(({ request }) => request)
    .filter((request): request is AppendRequest => request.kind === 'append')
    .filter((request) => !request.isHeartbeat);
}

const refuse = (
  node: ReturnType<typeof one>,
  request: AppendRequest,
  { lastLog, noRetryBackoff = true }: { lastLog: number; noRetryBackoff?: boolean },
) => {
  const { term } = request;
  const response = { kind: 'append', term, lastLog, isSuccess: false, noRetryBackoff } as const;
  return step(node, { type: 'answer', from: 'b', request, response });
};

describe('Raft leaders', () => {
  describe('commit', () => {
    it('begin with an entry of their own, sent while it is being saved', () => {
      const effects = lead(one());
      expect(effects.save?.entries.map(({ type }) => type)).to.deep.equal(['noop']);
      expect(appendsTo(effects, 'b')[0]).to.deep.include({ prevIndex: 1, prevTerm: 1, commit: 0 });
    });

    it('tell of it again to who may have restarted, also when nothing else happens', () => {
      const node = settledLeader();
      const { commit, lastIndex } = status(node);
      const told: AppendRequest[] = [];
      const until = node.now + 2 * testOptions.heartbeatTimeoutMs + 1;
      while (node.now < until) {
        node.now += 5;
        const effects = step(node, { type: 'tick' });
        told.push(...appendsTo(effects, 'b'));
        agree(node, 'b', effects);
        agree(node, 'c', effects);
      }
      expect(told).to.have.length(2);
      expect(told[1]).to.deep.include({ commit, prevIndex: lastIndex, entries: [] });
    });

    it('count themselves only with what is saved, and commit no more than that', () => {
      const node = one();
      const effects = lead(node);
      agree(node, 'b', effects);
      agree(node, 'c', effects);
      // Both others have entry 2, so all is committed; only entry 1 is on the own disk.
      expect(status(node)).to.include({ commit: 1, durable: 1 });
      saved(node);
      expect(status(node).commit).to.equal(2);
    });

    it('commit no entry of an older term by counting (figure 8, LogCabin #44)', () => {
      const node = one({ terms: [2], options: { maxAppendEntries: 1 } });
      const [request] = appendsTo(lead(node), 'b');
      saved(node);
      const again = refuse(node, request!, { lastLog: 1 });
      const [older] = appendsTo(again, 'b');
      expect(older).to.include({ prevIndex: 1 });
      accept(node, 'b', older!);
      expect(status(node).peers[0]).to.include({ match: 2 });
      expect(status(node).commit).to.equal(0);
    });

    it('tell followers that are idle at once', () => {
      const node = settledLeader();
      const effects = propose(node, 'x');
      saved(node);
      const [word] = appendsTo(agree(node, 'b', effects), 'b');
      expect(word).to.deep.include({ prevIndex: 3, entries: [], commit: 3 });
    });

    it('never tell a commit beyond what the request verifies (H1)', () => {
      const node = one({ terms: [2, 2, 2], options: { maxAppendEntries: 1 } });
      const effects = lead(node, ['c']);
      saved(node);
      agree(node, 'c', effects);
      expect(status(node).commit).to.equal(5);
      const back = refuse(node, appendsTo(effects, 'b')[0]!, { lastLog: 1 });
      expect(appendsTo(back, 'b')[0]).to.include({ prevIndex: 1, commit: 2 });
    });

    it('are not moved by answers to an earlier term', () => {
      const node = one();
      const [old] = appendsTo(lead(node), 'b');
      saved(node);
      ask(node, append('b', { term: 3, prevIndex: 1, prevTerm: 1 }));
      lead(node);
      accept(node, 'b', old!);
      expect(status(node).peers[0]).to.include({ match: 0 });
    });
  });

  describe('replication', () => {
    it('goes back to where the follower says its log may join', () => {
      const node = one({ terms: [2, 2, 2, 2] });
      const [request] = appendsTo(lead(node), 'b');
      expect(request).to.include({ prevIndex: 5 });
      const back = refuse(node, request!, { lastLog: 2 });
      expect(appendsTo(back, 'b')[0]).to.include({ prevIndex: 2 });
    });

    it('goes back one step at least, and never before the first', () => {
      const node = one({ terms: [2, 2] });
      let [request] = appendsTo(lead(node), 'b');
      const seen: (number | undefined)[] = [];
      for (let round = 0; round < 3 && request; round += 1) {
        seen.push(request.prevIndex);
        [request] = appendsTo(refuse(node, request, { lastLog: 90 }), 'b');
      }
      expect(seen).to.deep.equal([3, 2, 1]);
    });

    it('asks a follower it knows little of one thing at a time', () => {
      const node = one();
      lead(node);
      saved(node);
      expect(appendsTo(propose(node, 'x'), 'b')).to.be.empty;
    });

    it('has maxInflight requests under way to one that follows', () => {
      const node = settledLeader();
      expect(appendsTo(propose(node, 'x'), 'b')).to.have.length(1);
      expect(appendsTo(propose(node, 'y'), 'b')).to.have.length(1);
      expect(appendsTo(propose(node, 'z'), 'b')).to.be.empty;
    });

    it('keeps to the windows of entries and bytes, but always sends one', () => {
      const node = settledLeader({ options: { maxAppendEntries: 3, maxAppendBytes: 100 } });
      const effects = propose(node, 'a', 'b', 'c', 'd', 'x'.repeat(500), 'e');
      const sizes = appendsTo(effects, 'b').map(({ entries }) => entries.length);
      expect(sizes).to.deep.equal([3, 1]);
    });

    it('shares one array of entries between peers at the same place', () => {
      const node = settledLeader();
      const effects = propose(node, 'x');
      expect(effects.save?.entries[0]).to.equal(appendsTo(effects, 'b')[0]?.entries[0]);
    });

    it('waits longer after each failure, and goes on when the peer is back', () => {
      const node = settledLeader();
      let [request] = appendsTo(propose(node, 'x'), 'b');
      const waits: number[] = [];
      for (let round = 0; round < 4 && request; round += 1) {
        step(node, { type: 'failed', to: 'b', request, reason: 'unreachable' });
        const since = node.now;
        for (request = undefined; !request;) [request] = appendsTo(timeOut(node), 'b');
        waits.push(Math.round(node.now - since));
        step(node, { type: 'tick' });
        expect(status(node).role).to.equal('leader');
      }
      expect(waits).to.deep.equal([10, 20, 40, 80]);
    });

    it('is not troubled by an answer that comes twice', () => {
      const node = settledLeader();
      const [request] = appendsTo(propose(node, 'x'), 'b');
      saved(node);
      accept(node, 'b', request!);
      const before = status(node);
      accept(node, 'b', request!);
      refuse(node, request!, { lastLog: 0 });
      expect(status(node)).to.deep.equal(before);
    });
  });

  it('refuse proposals while too much waits, and take them again after', () => {
    const node = settledLeader({ options: { maxUncommittedBytes: 100 } });
    const first = propose(node, 'x'.repeat(200));
    expect(first.outcome).to.deep.equal({ isAccepted: true, index: 3, term: 2 });
    expect(propose(node, 'y').outcome).to.include({ reason: 'too-much-uncommitted' });
    saved(node);
    agree(node, 'b', first);
    expect(propose(node, 'y').outcome).to.include({ isAccepted: true });
    expect(propose(one(), 'y').outcome).to.include({ reason: 'not-leader' });
  });

  it('beat every [HB/10, HB/5), in the exact shape of hashicorp', () => {
    const node = settledLeader();
    const before = node.now;
    const { send } = timeOut(node);
    expect(node.now - before).to.be.within(100, 200);
    expect(send[0]?.request).to.deep.equal({
      kind: 'append',
      from: { id: 'a', address: 'a:7001' },
      term: 2,
      prevIndex: 0,
      prevTerm: 0,
      entries: [],
      commit: 0,
      isHeartbeat: true,
    });
  });

  it('step down when no quorum answers within the lease (check-quorum)', () => {
    const node = settledLeader();
    const begun = node.now;
    for (let tick = 0; tick < 20 && status(node).role === 'leader'; tick += 1) timeOut(node);
    expect(node.now - begun).to.be.within(500, 600);
    expect(status(node)).to.include({ role: 'follower', term: 2 });
  });

  it('read the answers of meanwhile before they judge after a pause', () => {
    const node = settledLeader();
    const beat = timeOut(node).send[0]!.request as AppendRequest;
    node.now += 5000;
    step(node, { type: 'tick' });
    accept(node, 'b', beat);
    node.now += 400;
    step(node, { type: 'tick' });
    expect(status(node).role).to.equal('leader');
  });
});
