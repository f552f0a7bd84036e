import { expect } from 'chai';
import fc from 'fast-check';
import {
  appendTo,
  compactionPoint,
  compactLog,
  createLog,
  entriesBetween,
  entriesFrom,
  entryBytes,
  firstOfTerm,
  lastIndex,
  lastTerm,
  replaceLog,
  termAt,
  truncateLog,
} from './log.ts';
import type { Entry, SnapshotMeta } from './types.ts';

function entry(index: number, term: number, bytes = 0): Entry {
  return { index, term, type: 'command', data: new Uint8Array(bytes) };
}

function entriesOf(from: number, terms: readonly number[]): Entry[] {
  return terms.map((term, at) => entry(from + at, term));
}

function snapshotAt(index: number, term: number): SnapshotMeta {
  return { index, term, configuration: { servers: [] }, configurationIndex: 1 };
}

const indicesOf = (entries: readonly Entry[]) => entries.map(({ index }) => index);

describe('the log in memory', () => {
  it('is empty at first, and its last term is 0', () => {
    const log = createLog(undefined, []);
    expect([lastIndex(log), lastTerm(log), termAt(log, 0), termAt(log, 1)]).to.deep.equal([
      0,
      0,
      0,
      undefined,
    ]);
  });

  it('joins its snapshot, whose term stands before the first entry', () => {
    const log = createLog(snapshotAt(4, 2), entriesOf(5, [2, 3]));
    expect([lastIndex(log), lastTerm(log), termAt(log, 4)]).to.deep.equal([6, 3, 2]);
  });

  it('keeps trailing entries that lie behind the snapshot', () => {
    const log = createLog(snapshotAt(4, 2), entriesOf(3, [1, 2, 2]));
    expect([lastIndex(log), termAt(log, 3), termAt(log, 2)]).to.deep.equal([5, 1, undefined]);
  });

  it('drops entries that contradict the snapshot, or end before it', () => {
    for (const entries of [entriesOf(3, [1, 1, 1]), entriesOf(2, [1, 1])]) {
      const log = createLog(snapshotAt(4, 2), entries);
      expect([lastIndex(log), lastTerm(log)]).to.deep.equal([4, 2]);
    }
  });

  it('refuses a hole', () => {
    expect(() => createLog(undefined, [entry(1, 1), entry(3, 1)])).to.throw(
      RangeError,
      'hole at 2',
    );
    expect(() => createLog(snapshotAt(4, 2), entriesOf(6, [2]))).to.throw(
      RangeError,
      'begins at 6',
    );
  });

  it('finds where the term of an index begins', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(3), { minLength: 1, maxLength: 12 }), (steps) => {
        let term = 1;
        const terms = steps.map((step) => (term += step));
        const log = createLog(undefined, entriesOf(1, terms));
        return terms.every((each, at) => firstOfTerm(log, at + 1) === terms.indexOf(each) + 1);
      }),
    );
  });

  it('cuts by entries and by bytes, but never to nothing', () => {
    const log = createLog(undefined, [entry(1, 1, 100), entry(2, 1, 100), entry(3, 1, 100)]);
    const bytes = entryBytes(entry(1, 1, 100));
    const cut = (maxEntries: number, maxBytes: number) =>
      indicesOf(entriesFrom(log, 1, { maxEntries, maxBytes }));
    expect(cut(2, 1e6)).to.deep.equal([1, 2]);
    expect(cut(9, 2 * bytes)).to.deep.equal([1, 2]);
    expect(cut(9, 1)).to.deep.equal([1]);
    expect(indicesOf(entriesFrom(log, 4, { maxEntries: 9, maxBytes: 1e6 }))).to.deep.equal([]);
  });

  it('gives peers at the same place the same array, until the log is cut', () => {
    const log = createLog(undefined, entriesOf(1, [1, 1, 1]));
    const window = { maxEntries: 9, maxBytes: 1e6 };
    const first = entriesFrom(log, 2, window);
    expect(entriesFrom(log, 2, window)).to.equal(first);
    truncateLog(log, 3);
    appendTo(log, entriesOf(3, [2]));
    expect(entriesFrom(log, 2, window).map(({ term }) => term)).to.deep.equal([1, 2]);
  });

  it('forgets behind a snapshot, except for what slow followers may need', () => {
    const log = createLog(undefined, entriesOf(1, [1, 1, 2, 2, 2]));
    const point = compactionPoint(log, snapshotAt(4, 2), { maxEntries: 1, maxBytes: 1e6 });
    compactLog(log, point);
    expect([point, termAt(log, 3), termAt(log, 2), lastIndex(log)]).to.deep.equal([
      3,
      2,
      undefined,
      5,
    ]);
    expect(compactionPoint(log, snapshotAt(5, 2), { maxEntries: 9, maxBytes: 1 })).to.equal(5);
    expect(indicesOf(entriesBetween(log, 1, 4))).to.deep.equal([4]);
  });

  it('is the empty one behind an installed snapshot', () => {
    const log = createLog(undefined, entriesOf(1, [1, 1]));
    replaceLog(log, snapshotAt(9, 4));
    expect([lastIndex(log), lastTerm(log), termAt(log, 9)]).to.deep.equal([9, 4, 4]);
  });
});
