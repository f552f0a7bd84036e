import { expect } from 'chai';
import { createRaft } from './raft.ts';
import type { AppendRequest, Effects, Entry, Input, RaftOptions, Server } from './types.ts';

const options: RaftOptions = {
  id: 'a',
  address: 'A',
  seed: 1,
  heartbeatTimeoutMs: 1_000,
  electionTimeoutMs: 1_000,
  leaderLeaseTimeoutMs: 500,
  maxAppendEntries: 64,
  maxAppendBytes: 1 << 20,
  maxInflight: 2,
  maxUncommittedBytes: 1 << 20,
  trailingEntries: 100,
  trailingBytes: 1 << 20,
  maxClockDrift: 0.1,
};

const servers: Server[] = ['a', 'b'].map((id) => ({
  id,
  address: id.toUpperCase(),
  suffrage: 'voter',
}));

/** `a` leads term 2 with five entries, and `b` has yet to answer its first append. */
function leader() {
  const entries: Entry[] = [1, 2, 3, 4].map((index) => ({
    index,
    term: 1,
    type: index === 1 ? 'configuration' : 'command',
    data: new Uint8Array(0),
    ...(index === 1 ? { configuration: { servers } } : {}),
  }));
  const hardState = { term: 1, vote: undefined };
  const raft = createRaft(options, { hardState, snapshot: undefined, entries }, 0);
  let now = 2_500;
  const step = (input: Input): Effects => raft.step(input, now);
  const preVote = step({ type: 'tick' }).send[0]!.request;
  const granted = { term: 2, isGranted: true };
  const asked = step({
    type: 'answer',
    from: 'b',
    request: preVote,
    response: { kind: 'preVote', ...granted },
  });
  const vote = step({ type: 'saved', save: asked.save!.number }).send[0]!.request;
  const won = step({
    type: 'answer',
    from: 'b',
    request: vote,
    response: { kind: 'vote', ...granted },
  });
  return {
    first: appendOf(won),
    step,
    /** Time passes, so that whatever waits to be tried again is. */
    later: () => {
      now += 300;
      return appendOf(step({ type: 'tick' }));
    },
  };
}

function appendOf({ send }: Effects): AppendRequest | undefined {
  return send
    .map(({ request }) => request)
    .find((request) => request.kind === 'append' && !request.isHeartbeat) as
    AppendRequest | undefined;
}

describe('a leader with a Go peer that has cut its log behind a snapshot', () => {
  it('asks at the same place again when a request had no answer, not from the beginning', () => {
    const { first, step, later } = leader();
    expect(first!.prevIndex).to.equal(4);
    step({ type: 'failed', to: 'b', request: first!, reason: 'unreachable' });
    expect(later()!.prevIndex).to.equal(4);
  });

  it('goes up to the peer’s last entry when even entries without a predecessor are refused', () => {
    const { first, step, later } = leader();
    const refusal = (lastLog: number) =>
      ({ kind: 'append', term: 2, lastLog, isSuccess: false, noRetryBackoff: true }) as const;
    const down = step({ type: 'answer', from: 'b', request: first!, response: refusal(0) });
    const again = appendOf(down)!;
    expect(again.prevIndex).to.equal(0);
    const up = step({ type: 'answer', from: 'b', request: again, response: refusal(3) });
    expect((appendOf(up) ?? later())!.prevIndex).to.equal(3);
  });
});
