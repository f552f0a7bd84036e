import { expect } from 'chai';
import {
  accept,
  agree,
  lead,
  one,
  saved,
  settledLeader,
  status,
  step,
  timeOut,
} from '#test/raft/transcripts/one.ts';
import type { AppendRequest, Effects } from './types.ts';

const read = (node: ReturnType<typeof one>, id: number, mode: 'quorum' | 'lease' = 'quorum') =>
  step(node, { type: 'read', id, mode });

function beatTo(effects: Effects, to: string): AppendRequest {
  for (const send of effects.send) {
    if (send.to === to && send.request.kind === 'append' && send.request.isHeartbeat) {
      return send.request;
    }
  }
  throw new Error(`no heartbeat goes to ${to}`);
}

describe('Raft reads', () => {
  it('see what was committed when asked, once a majority confirms (dissertation 6.4)', () => {
    const node = settledLeader();
    const asked = read(node, 7);
    expect(asked.reads).to.be.empty;
    expect(accept(node, 'b', beatTo(asked, 'b')).reads).to.deep.equal([{ id: 7, index: 2 }]);
  });

  it('are not confirmed by answers to what was sent before (etcd #20418)', () => {
    const node = settledLeader();
    const before = beatTo(timeOut(node), 'b');
    const asked = read(node, 7);
    expect(accept(node, 'b', before).reads).to.be.empty;
    expect(accept(node, 'b', before).reads).to.be.empty;
    expect(accept(node, 'b', beatTo(asked, 'b')).reads).to.have.length(1);
  });

  it('share a round', () => {
    const node = settledLeader();
    const first = beatTo(read(node, 1), 'b');
    const second = beatTo(read(node, 2), 'b');
    expect(read(node, 3).send).to.be.empty;
    expect(read(node, 4).send).to.be.empty;
    const next = accept(node, 'b', first);
    expect(next.reads.map(({ id }) => id)).to.deep.equal([1]);
    const last = accept(node, 'b', second);
    expect(last.reads.map(({ id }) => id)).to.deep.equal([2]);
    expect(accept(node, 'b', beatTo(next, 'b')).reads.map(({ id }) => id)).to.deep.equal([3, 4]);
  });

  it('wait for the first commit in the term (etcd #7331)', () => {
    const node = one();
    const effects = lead(node);
    expect(read(node, 1).reads).to.deep.equal([{ id: 1, refused: 'no-commit-in-term' }]);
    saved(node);
    agree(node, 'b', effects);
    expect(read(node, 2).reads).to.be.empty;
  });

  it('are refused by who does not lead, and when leadership goes', () => {
    expect(read(one(), 1).reads).to.deep.equal([{ id: 1, refused: 'not-leader' }]);
    const node = settledLeader();
    read(node, 2);
    const { reads } = step(node, { type: 'stepDown' });
    expect(reads).to.deep.equal([{ id: 2, refused: 'leadership-lost' }]);
  });

  it('of a node alone are answered at once', () => {
    const node = one({ voters: ['a'] });
    lead(node, []);
    saved(node);
    expect(read(node, 1).reads).to.deep.equal([{ id: 1, index: 2 }]);
    expect(read(node, 2, 'lease').reads).to.deep.equal([{ id: 2, index: 2 }]);
  });

  describe('by lease', () => {
    const withLease = () => {
      const node = settledLeader();
      accept(node, 'b', beatTo(timeOut(node), 'b'));
      return { node, sentAt: node.now };
    };
    const isAtOnce = (node: ReturnType<typeof one>) => read(node, 9, 'lease').reads.length === 1;

    it('are answered at once while no other can lead', () => {
      expect(isAtOnce(withLease().node)).to.equal(true);
    });

    it('count from when the request was sent, less what clocks may differ', () => {
      // Ticks keep the pauses below what counts as one; nobody answers them.
      const { node, sentAt } = withLease();
      node.now = sentAt + 490;
      accept(node, 'b', beatTo(step(node, { type: 'tick' }), 'b'));
      const since = node.now;
      node.now = since + 400;
      step(node, { type: 'tick' });
      node.now = since + 499;
      expect(isAtOnce(node)).to.equal(true);
    });

    it('stop after a pause', () => {
      const { node } = withLease();
      node.now += 501;
      expect(isAtOnce(node)).to.equal(false);
    });

    it('stop when leadership is being handed over, for the rest of the term', () => {
      const { node } = withLease();
      const { send } = step(node, { type: 'transfer', to: 'b' });
      expect(send.map(({ request }) => request.kind)).to.include('timeoutNow');
      expect(isAtOnce(node)).to.equal(false);
      for (let beats = 0; beats < 20; beats += 1) {
        for (const { to, request } of timeOut(node).send) {
          if (to === 'c' && request.kind === 'append') accept(node, 'c', request);
        }
      }
      expect(status(node).isTransferring).to.equal(false);
      expect(status(node).role).to.equal('leader');
      expect(isAtOnce(node)).to.equal(false);
    });
  });
});
