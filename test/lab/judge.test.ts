import { expect } from 'chai';
import { checkOrder, judge } from './judge.ts';
import { createRecording, summarize } from './record.ts';
import type { Append, Recording, RegisterRead, RegisterWrite, Sample } from './record.ts';

const write = (
  value: string,
  [callAt, endAt]: [number, number],
  index?: number,
): RegisterWrite => ({
  ...{ register: 'a', value, callAt, endAt, index },
});
const read = (value: string | null, [callAt, endAt]: [number, number], index?: number) =>
  ({ register: 'a', value, node: 0, callAt, endAt, index }) satisfies RegisterRead;

const recordingOf = (parts: Partial<Recording>): Recording => ({ ...createRecording(2), ...parts });

describe('judge', () => {
  const writes = [write('1', [0, 10], 5), write('2', [20, 30], 6), write('3', [40, Infinity])];

  for (const { what, last, found } of [
    { what: 'what was acknowledged last', last: '2', found: 0 },
    { what: 'what nobody acknowledged', last: '3', found: 0 },
    { what: 'what was overwritten', last: '1', found: 1 },
    { what: 'what was there before', last: null, found: 1 },
  ]) {
    it(`${found ? 'misses' : 'accepts'} a change when a node shows ${what} in the end`, () => {
      const { lost } = judge(recordingOf({ writes }), {
        made: new Map(),
        last: [read(last, [90, 91])],
      });
      expect(lost).to.have.lengthOf(found);
    });
  }

  for (const { what, index, at, found } of [
    { what: 'the index of the newer one', index: 6, at: 50, found: 1 },
    { what: 'only the index of what it saw', index: 5, at: 50, found: 0 },
    { what: 'no index', index: undefined, at: 50, found: 0 },
  ]) {
    it(`calls an older value stale ${found ? '' : 'not '}when the read named ${what}`, () => {
      const reads = [read('1', [at, at + 1], index)];
      const { stale, oldestReadMs } = judge(recordingOf({ writes, reads }), {
        ...{ made: new Map(), last: [] },
      });
      expect(stale).to.have.lengthOf(found);
      expect(oldestReadMs).to.equal(20);
    });
  }

  it('tells changes that are gone, and those that happened twice', () => {
    const appends: Append[] = [
      { name: 'once', isAcknowledged: true, seen: 1 },
      { name: 'gone', isAcknowledged: true },
      { name: 'twice', isAcknowledged: true, seen: 2 },
      { name: 'unseen', isAcknowledged: true, seen: 0 },
      { name: 'open', isAcknowledged: false },
    ];
    const made = new Map([
      ['once', 1],
      ['twice', 2],
      ['unseen', 1],
    ]);
    const { lost, doubled } = judge(recordingOf({ appends }), { made, last: [] });
    expect(lost.map((line) => line.split(':')[0])).to.deep.equal(['gone', 'unseen']);
    expect(doubled).to.deep.equal(['twice']);
  });

  it('finds a client that does not see its own progress', () => {
    const progress = [
      { expected: 5, found: 5, node: 1 },
      { expected: 6, found: 5, node: 1 },
    ];
    const { unseen } = judge(recordingOf({ progress }), { made: new Map(), last: [] });
    expect(unseen).to.deep.equal(['n2: 5 instead of 6']);
  });

  for (const { what, reads, verdict } of [
    { what: 'reads in order', reads: [read('1', [12, 13]), read('2', [31, 32])] },
    {
      what: 'a value after the one that replaced it',
      reads: [read('2', [31, 32]), read('1', [33, 34])],
      verdict: 'not linearizable',
    },
    {
      what: 'a value seen before its index was told, and another node that does not have it yet',
      reads: [read('2', [22, 23]), read('1', [24, 25])],
    },
    {
      what: 'what was there before the round, after a change',
      reads: [read('old', [-1, 0]), read('old', [12, 13])],
      verdict: 'not linearizable',
    },
  ]) {
    it(`finds ${what} ${verdict ?? 'linearizable'}`, () => {
      expect(checkOrder(writes, reads)).to.have.lengthOf(verdict ? 1 : 0);
    });
  }
});

describe('summarize', () => {
  const sample = (node: number, [callAt, endAt]: [number, number], status = 200): Sample => ({
    ...{ class: 'read', node, status, code: undefined, callAt, endAt },
  });

  it('takes the longest time without a good answer, with the ends of the round', () => {
    const recording = recordingOf({
      ...{ startedAt: 0, endedAt: 100 },
      samples: [sample(0, [5, 10]), sample(1, [40, 50], 503), sample(1, [55, 70])],
    });
    expect(summarize(recording)[0]).to.include({ count: 3, ok: 2, failed: 1, gapMs: 60 });
  });

  it('excuses a node that was taken away while it was asked, and no other', () => {
    const recording = recordingOf({
      ...{ startedAt: 0, endedAt: 100 },
      conditions: [
        [
          { condition: 'up', since: -Infinity },
          { condition: 'down', since: 20 },
          { condition: 'up', since: 60 },
        ],
        [{ condition: 'up', since: -Infinity }],
      ],
      samples: [
        sample(0, [15, 25], 0),
        sample(0, [61, 62], 0),
        sample(1, [15, 25], 0),
        sample(0, [30, 31], 0),
      ],
    });
    expect(summarize(recording)[0]).to.include({ failed: 2, excused: 2 });
  });
});
