import { expect } from 'chai';
import { parseFault } from './faults.ts';
import { termsLed } from './leaders.ts';
import { showMemory, type Reading } from './memory.ts';
import type { ClassSummary } from './record.ts';
import { failuresOf, type Outcome } from './verdict.ts';

const of = (name: ClassSummary['class'], parts: Partial<ClassSummary>): ClassSummary => ({
  ...{ class: name, count: 100, ok: 100, failed: 0, excused: 0, gapMs: 200 },
  ...{ medianMs: 5, p99Ms: 20, slowestMs: 30, statuses: {} },
  ...parts,
});

const fine: Outcome = {
  classes: [of('read', {}), of('write', {})],
  judgement: {
    ...{ lost: [], doubled: [], stale: [], unseen: [], unordered: [] },
    ...{ wrongBytes: 0, oldestReadMs: 40, registersChecked: 4 },
  },
  ...{ convergedMs: 900, outageMs: 10_000, isBalanced: false, wasLeader: true, terms: [3, 4] },
  ...{ twoLeaders: [], crashes: 0 },
};

describe('the verdict on a round', () => {
  for (const { what, fault, parts, found } of [
    { what: 'an election when the leader dies', fault: 'leader-kill', parts: {}, found: [] },
    {
      what: 'an election when another dies',
      fault: 'follower-kill',
      parts: { wasLeader: false },
      found: ['1 new terms, where 0 may be'],
    },
    {
      what: 'two elections by a leader that nobody hears',
      fault: 'leader-one-way',
      parts: { terms: [3, 5] as const },
      found: ['2 new terms, where 1 may be'],
    },
    {
      what: 'a long wait for a write',
      fault: 'leader-kill',
      parts: { classes: [of('write', { gapMs: 3_100 })] },
      found: ['no write for 3100 ms'],
    },
    {
      what: 'the same wait when nothing can be written',
      fault: 'power',
      parts: { classes: [of('write', { gapMs: 31_000, failed: 7 })] },
      found: [],
    },
    {
      what: 'a read that fails at a living node',
      fault: 'leader-kill',
      parts: { classes: [of('read', { failed: 2 })] },
      found: ['2 failed: read'],
    },
    {
      what: 'a node that ends by itself',
      fault: 'leader-cut',
      parts: { crashes: 1 },
      found: ['nodes ended by themselves 1 times'],
    },
    {
      what: 'a node that may end by itself',
      fault: 'n1-restore-old',
      parts: { crashes: 1, wasLeader: true },
      found: [],
    },
    {
      what: 'anything that fails through a balancer when a node is told to stop',
      fault: 'leader-term',
      parts: { isBalanced: true, classes: [of('append', { failed: 1, excused: 1 })] },
      found: ['2 failed: append'],
    },
    {
      what: 'what a node that is killed takes with it, through a balancer',
      fault: 'leader-kill',
      parts: { isBalanced: true, classes: [of('read', { failed: 3 })] },
      found: [],
    },
    {
      what: 'a balancer that sends on to who is not there',
      fault: 'leader-kill',
      parts: { isBalanced: true, classes: [of('read', { gapMs: 5_000 })] },
      found: ['no read for 5000 ms'],
    },
    {
      what: 'nodes that never agree, and two leaders of a term',
      fault: 'leader-cut',
      parts: { convergedMs: undefined, twoLeaders: ['n1 and n2 led in term 4'] },
      found: ['n1 and n2 led in term 4', 'the nodes do not agree within 30000 ms'],
    },
  ]) {
    it(`${found.length === 0 ? 'accepts' : 'refuses'} ${what}`, () => {
      expect(failuresOf(parseFault(fault), { ...fine, ...parts })).to.deep.equal(found);
    });
  }
});

describe('who led', () => {
  it('is read from the lines that say so, and no others', () => {
    const lines = [
      '{"level":"info","msg":"is leader","term":7,"leader":"a"}',
      '{"level":"info","msg":"is follower","term":8,"leader":"b"}',
      '=== leader-kill at n1, seed 1',
      '{"msg":"is leader","term":9}',
    ];
    expect(termsLed(lines.join('\n'))).to.deep.equal([7, 9]);
  });
});

describe('memory', () => {
  it('is told at the start, in the middle and at the end, and of the longest life', () => {
    const reading = (at: number, mebi: number, pid: number): Reading => ({
      ...{ at, pid, node: mebi * 2 ** 20, raft: 2 ** 20 },
    });
    const own = [
      ...[0, 100, 200, 300].map((at) => reading(at, 100 + at / 100, 1)),
      reading(310, 90, 2),
    ];
    expect(showMemory([own]).split('\n')[1]).to.equal(
      '  n1: 100+1 → 102+1 → 90+1 MiB, most 103; its longest life: 102 → 103 MiB in 2 min',
    );
  });
});
