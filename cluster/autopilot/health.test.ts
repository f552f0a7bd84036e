import { expect } from 'chai';
import { createHealthTracker, type Reading } from './health.ts';
import { counted, duration, list } from './words.ts';

const config = { lastContactMs: 200, maxTrailingEntries: 10 };
const reading = (now: number, more: Partial<Reading> = {}): Reading => ({
  leaderId: 'a',
  term: 3,
  lastIndex: 100,
  peers: [{ id: 'b', lastContactMs: 20, matchIndex: 100 }],
  config,
  now,
  ...more,
});
const peer = (lastContactMs: number | undefined, matchIndex = 100) => ({
  peers: [{ id: 'b', lastContactMs, matchIndex }],
});

describe('the health tracker', () => {
  it('knows since when a server is healthy, without a break', () => {
    const tracker = createHealthTracker();
    const since = (now: number, more?: Partial<Reading>) =>
      tracker.observe(reading(now, more)).get('b')?.healthySinceMs;
    expect(since(1000)).to.equal(1000);
    expect(since(1500)).to.equal(1000);
    expect(since(2000, peer(201))).to.equal(undefined);
    expect(since(2500)).to.equal(2500);
    expect(since(3000, peer(20, 89)), 'behind').to.equal(undefined);
    expect(since(3500, peer(20, 90))).to.equal(3500);
  });

  it('knows since when it is silent', () => {
    const tracker = createHealthTracker();
    const since = (now: number, more?: Partial<Reading>) =>
      tracker.observe(reading(now, more)).get('b')?.silentSinceMs;
    expect(since(1000, peer(undefined)), 'from when it was first asked').to.equal(1000);
    expect(since(1700, peer(undefined))).to.equal(1000);
    expect(since(1900, peer(100))).to.equal(undefined);
    expect(since(2100, peer(300))).to.equal(1800);
  });

  it('forgets who left, and everything when another leads', () => {
    const tracker = createHealthTracker();
    const since = (now: number, more?: Partial<Reading>) =>
      tracker.observe(reading(now, more)).get('b')?.healthySinceMs;
    since(1000);
    expect(since(2000, { peers: [] })).to.equal(undefined);
    expect(since(3000)).to.equal(3000);
    expect(since(4000, { term: 4 })).to.equal(4000);
    expect(since(5000, { term: 4, leaderId: 'c' })).to.equal(5000);
    expect(since(6000, { term: 4, leaderId: 'c' })).to.equal(5000);
  });

  it('compares terms where they are known', () => {
    const tracker = createHealthTracker();
    const peers = [{ id: 'b', lastContactMs: 1, matchIndex: 100, lastTerm: 2 }];
    const since = (more: Partial<Reading>) =>
      tracker.observe(reading(1000, { peers, ...more })).get('b')?.healthySinceMs;
    expect(since({})).to.equal(1000);
    expect(since({ lastTerm: 3 })).to.equal(undefined);
    expect(since({ lastTerm: 2 })).to.equal(1000);
  });
});

describe('words', () => {
  const durations: [number, string][] = [
    [-5, '0 ms'],
    [999, '999 ms'],
    [1000, '1 second'],
    [119_000, '1 minute'],
    [7_200_000, '2 hours'],
    [86_400_000 * 3, '3 days'],
  ];
  for (const [ms, said] of durations) {
    it(`${ms} ms are ${said}`, () => expect(duration(ms)).to.equal(said));
  }
  it('count and list', () => {
    expect(counted(1, 'node')).to.equal('1 node');
    expect(counted(0, 'node')).to.equal('0 nodes');
    expect([list([]), list(['a']), list(['a', 'b']), list(['a', 'b', 'c'])]).to.deep.equal([
      '',
      'a',
      'a and b',
      'a, b and c',
    ]);
  });
});
