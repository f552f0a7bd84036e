import { expect } from 'chai';
import { append, ask, entry, one, ref, saved, status, step } from '#test/raft/transcripts/one.ts';
import type { Configuration, Entry } from './types.ts';

const logOf = (node: ReturnType<typeof one>) =>
  node.raft
    .entries(1, status(node).lastIndex)
    .map(({ term }) => term)
    .join(' ');

function configurationEntry(index: number, term: number, voters: string[]): Entry {
  const servers = voters.map((id) => ({ ...ref(id), id, suffrage: 'voter' as const }));
  const configuration: Configuration = { servers };
  return { index, term, type: 'configuration', data: new Uint8Array(0), configuration };
}

describe('Raft followers', () => {
  describe('the paper, section 5.3', () => {
    it('store what follows what they have', () => {
      const node = one();
      const request = append('b', {
        prevIndex: 1,
        prevTerm: 1,
        entries: [entry(2, 2), entry(3, 2)],
      });
      expect(ask(node, request)).to.include({ isSuccess: true, lastLog: 1 });
      expect(logOf(node)).to.equal('1 2 2');
    });

    it('refuse what would leave a hole, and say where they end', () => {
      expect(ask(one(), append('b', { prevIndex: 5, prevTerm: 1 }))).to.include({
        isSuccess: false,
        lastLog: 1,
        noRetryBackoff: true,
      });
    });

    it('refuse what does not join, and skip the whole term that is in doubt', () => {
      const node = one({ terms: [2, 2, 3, 3, 3] });
      const request = append('b', { term: 5, prevIndex: 7, prevTerm: 4 });
      expect(ask(node, request)).to.include({ isSuccess: false, lastLog: 6 });
      const next = append('b', { term: 5, prevIndex: 6, prevTerm: 4 });
      expect(ask(node, next)).to.include({ isSuccess: false, lastLog: 3 });
    });

    it('cut at the first entry that differs, and only there (figure 7)', () => {
      const node = one({ terms: [2, 2, 3, 3] });
      const request = append('b', {
        term: 4,
        prevIndex: 1,
        prevTerm: 1,
        entries: [entry(2, 2), entry(3, 2), entry(4, 4)],
      });
      const { save } = step(node, { type: 'request', token: 1, request });
      expect(save).to.include({ truncateFrom: 4 });
      expect(save?.entries).to.have.length(1);
      expect(logOf(node)).to.equal('1 2 2 4');
    });

    it('keep what they have behind an older request that comes late', () => {
      const node = one({ terms: [2, 2, 2] });
      ask(node, append('b', { prevIndex: 1, prevTerm: 1, entries: [entry(2, 2)] }));
      expect(logOf(node)).to.equal('1 2 2 2');
    });

    it('refuse entries that are out of order or of a later term than their leader', () => {
      const wrong = [
        [entry(3, 2)],
        [entry(2, 2), entry(4, 2)],
        [entry(2, 3)],
        [entry(2, 2), entry(3, 1)],
        [entry(2, 0.5)],
      ];
      for (const entries of wrong) {
        const request = append('b', { prevIndex: 1, prevTerm: 1, entries });
        expect(ask(one(), request)).to.include({ isSuccess: false });
      }
    });
  });

  describe('commit', () => {
    it('what the leader committed', () => {
      const node = one();
      ask(node, append('b', { prevIndex: 1, prevTerm: 1, entries: [entry(2, 2)], commit: 2 }));
      expect(status(node).commit).to.equal(2);
    });

    it('never beyond what this request verified (H1; scylladb #9965)', () => {
      const node = one({ terms: [2, 2, 2, 2] });
      ask(
        node,
        append('b', { term: 3, prevIndex: 2, prevTerm: 2, entries: [entry(3, 2)], commit: 5 }),
      );
      expect(status(node).commit).to.equal(3);
    });

    it('never beyond the own disk, though it is known (zeebe #27852)', () => {
      const node = one();
      const request = append('b', { prevIndex: 1, prevTerm: 1, entries: [entry(2, 2)], commit: 2 });
      const stored = step(node, { type: 'request', token: 1, request });
      expect(stored.apply.map(({ index }) => index)).to.deep.equal([1]);
      expect(saved(node).apply.map(({ index }) => index)).to.deep.equal([2]);
    });

    it('nothing by a heartbeat', () => {
      const node = one();
      ask(node, append('b', { isHeartbeat: true, commit: 1 }));
      expect(status(node).commit).to.equal(0);
    });

    it('and never give up what is committed', () => {
      const node = one();
      ask(node, append('b', { prevIndex: 1, prevTerm: 1, entries: [entry(2, 2)], commit: 2 }));
      const request = append('c', { term: 3, prevIndex: 1, prevTerm: 1, entries: [entry(2, 3)] });
      expect(ask(node, request)).to.include({ isSuccess: false });
      expect(logOf(node)).to.equal('1 2');
    });
  });

  describe('promise only what is on their disk', () => {
    const first = append('b', { prevIndex: 1, prevTerm: 1, entries: [entry(2, 2), entry(3, 2)] });
    const rival = append('c', { term: 3, prevIndex: 1, prevTerm: 1, entries: [entry(2, 3)] });

    it('an append once it is saved', () => {
      const node = one();
      expect(step(node, { type: 'request', token: 1, request: first }).replies).to.be.empty;
      expect(saved(node).replies).to.have.length(1);
    });

    it('a repeated append too, while the first is being saved', () => {
      const node = one();
      step(node, { type: 'request', token: 1, request: first });
      expect(step(node, { type: 'request', token: 2, request: first }).replies).to.be.empty;
      expect(saved(node).replies.map(({ token }) => token)).to.deep.equal([1, 2]);
    });

    it('a heartbeat at once, while entries are being saved', () => {
      const node = one();
      step(node, { type: 'request', token: 1, request: append('b', { isHeartbeat: true }) });
      saved(node);
      step(node, { type: 'request', token: 2, request: first });
      const beat = append('b', { isHeartbeat: true });
      expect(step(node, { type: 'request', token: 3, request: beat }).replies).to.have.length(1);
    });

    it('an old save confirms nothing that was overwritten since (etcd: append ABA race)', () => {
      const node = one();
      const old = step(node, { type: 'request', token: 1, request: first }).save!.number;
      step(node, { type: 'request', token: 2, request: rival });
      const late = step(node, { type: 'saved', save: old });
      expect(late.replies[0]?.response).to.include({ isSuccess: false });
      expect(status(node).durable).to.equal(1);
      expect(saved(node).replies[0]?.response).to.include({ isSuccess: true });
      expect(status(node).durable).to.equal(2);
    });

    it('a save that nobody gave is a mistake of the driver', () => {
      expect(() => step(one(), { type: 'saved', save: 1 })).to.throw(RangeError);
    });
  });

  describe('configurations', () => {
    it('hold as soon as they are in the log, and no longer when they are cut', () => {
      const node = one();
      const grown = configurationEntry(2, 2, ['a', 'b', 'c', 'd']);
      ask(node, append('b', { prevIndex: 1, prevTerm: 1, entries: [grown] }));
      expect(status(node)).to.include({ configurationIndex: 2, isConfigurationCommitted: false });
      const request = append('c', { term: 3, prevIndex: 1, prevTerm: 1, entries: [entry(2, 3)] });
      ask(node, request);
      expect(status(node).configurationIndex).to.equal(1);
    });

    it('roll back to one that left the log with a snapshot (canonical/raft #250)', () => {
      const node = one();
      ask(node, append('b', { prevIndex: 1, prevTerm: 1, entries: [entry(2, 2)], commit: 2 }));
      const { configuration } = status(node);
      const snapshot = { index: 2, term: 2, configuration, configurationIndex: 1 };
      expect(step(node, { type: 'snapshotTaken', snapshot }).save).to.include({
        compactTo: 2,
        mustSync: false,
      });
      const grown = configurationEntry(3, 2, ['a', 'b', 'c', 'd']);
      ask(node, append('b', { prevIndex: 2, prevTerm: 2, entries: [grown] }));
      ask(node, append('c', { term: 3, prevIndex: 2, prevTerm: 2, entries: [entry(3, 3)] }));
      expect(status(node).configuration).to.deep.equal(configuration);
      expect(status(node).configurationIndex).to.equal(1);
    });
  });
});
