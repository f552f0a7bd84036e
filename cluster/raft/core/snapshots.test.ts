import { expect } from 'chai';
import {
  agree,
  append,
  ask,
  entry,
  lead,
  one,
  ref,
  saved,
  status,
  step,
} from '#test/raft/transcripts/one.ts';
import type { InstallRequest, SnapshotMeta } from './types.ts';

const { configuration } = status(one());
const snapshotAt = (index: number, term: number): SnapshotMeta => ({
  index,
  term,
  configuration,
  configurationIndex: 1,
});
const install = (index: number, term: number): InstallRequest => ({
  kind: 'install',
  from: ref('b'),
  term: 5,
  snapshot: snapshotAt(index, term),
  size: 10,
});

describe('Raft snapshots (section 7)', () => {
  it('that a node took let the log behind them go, lazily, but for what slow peers need', () => {
    const node = one({ terms: [2, 2, 2, 2], options: { trailingEntries: 2 } });
    ask(node, append('b', { prevIndex: 5, prevTerm: 2, commit: 5 }));
    const { save } = step(node, { type: 'snapshotTaken', snapshot: snapshotAt(4, 2) });
    expect(save).to.deep.equal({ number: 1, entries: [], compactTo: 2, mustSync: false });
    expect(status(node)).to.include({ firstIndex: 3, snapshotIndex: 4, lastIndex: 5 });
  });

  it('of what is not applied are a mistake', () => {
    const taken = { type: 'snapshotTaken', snapshot: snapshotAt(4, 2) } as const;
    expect(() => step(one({ terms: [2, 2, 2] }), taken)).to.throw(RangeError);
  });

  it('are stored, saved, restored and only then acknowledged', () => {
    const node = one();
    const asked = step(node, { type: 'request', token: 9, request: install(20, 4) });
    expect(asked.receive).to.deep.equal({ token: 9, snapshot: snapshotAt(20, 4), size: 10 });
    saved(node);
    const received = step(node, { type: 'snapshotReceived', token: 9 });
    expect(received.save?.snapshot).to.deep.equal(snapshotAt(20, 4));
    expect(received.replies).to.be.empty;
    expect(received.restore).to.equal(undefined);
    const done = saved(node);
    expect(done.restore).to.deep.equal(snapshotAt(20, 4));
    expect(done.replies[0]?.response).to.include({ isSuccess: true });
    expect(status(node)).to.include({ commit: 20, durable: 20, lastIndex: 20, firstIndex: 21 });
  });

  it('are refused when the stream breaks, and may come again', () => {
    const node = one();
    step(node, { type: 'request', token: 9, request: install(20, 4) });
    saved(node);
    const { replies } = step(node, { type: 'snapshotAborted', token: 9 });
    expect(replies[0]?.response).to.include({ isSuccess: false });
    const again = step(node, { type: 'request', token: 10, request: install(20, 4) });
    expect(again.receive?.token).to.equal(10);
  });

  it('need not come when the entry is here: the log stays, and is committed so far', () => {
    const node = one({ terms: [2, 2, 2, 2] });
    expect(ask(node, install(4, 2))).to.include({ isSuccess: true });
    expect(status(node)).to.include({ commit: 4, lastIndex: 5 });
  });

  it('of an older leader are refused', () => {
    expect(ask(one({ term: 6 }), install(20, 4))).to.include({ isSuccess: false, term: 6 });
  });

  it('take the place of a log that differs, and nothing of it counts any more', () => {
    const node = one({ terms: [3, 3, 3] });
    step(node, {
      type: 'request',
      token: 1,
      request: append('b', { term: 5, prevIndex: 4, prevTerm: 3, entries: [entry(5, 3)] }),
    });
    step(node, { type: 'request', token: 2, request: install(3, 4) });
    const received = step(node, { type: 'snapshotReceived', token: 2 });
    expect(received.apply).to.be.empty;
    saved(node);
    expect(status(node)).to.include({ lastIndex: 3, durable: 3, commit: 3 });
  });

  it('are sent by a leader when what a peer needs is gone, and the log goes on behind them', () => {
    const node = one();
    const begun = lead(node);
    saved(node);
    agree(node, 'b', begun);
    step(node, { type: 'snapshotTaken', snapshot: snapshotAt(2, 2) });
    const probe = begun.send.find(
      ({ to, request }) => to === 'c' && request.kind === 'append' && !request.isHeartbeat,
    )!.request;
    const refusal = {
      kind: 'append',
      term: 2,
      lastLog: 0,
      isSuccess: false,
      noRetryBackoff: true,
    } as const;
    const { send } = step(node, { type: 'answer', from: 'c', request: probe, response: refusal });
    expect(send[0]).to.deep.include({ to: 'c' });
    const offer = send[0]!.request;
    expect(offer).to.deep.include({ kind: 'install', snapshot: snapshotAt(2, 2) });
    expect(status(node).peers[1]).to.include({ mode: 'snapshot', inflight: 1 });
    const response = { kind: 'install', term: 2, isSuccess: true } as const;
    step(node, { type: 'answer', from: 'c', request: offer, response });
    expect(status(node).peers[1]).to.include({ match: 2, next: 3 });
  });
});
