import { expect } from 'chai';
import { createLocalClock } from '#cluster/clock.ts';
import { quiet } from '#test/log.ts';
import { createCache, type CacheDefinition, type Lookup } from './index.ts';

type Row = { id: string; load: number };

/** One cache with a source that counts and can be held up. */
function createWorld(more: Partial<CacheDefinition<string, Row | undefined>> = {}) {
  const clock = createLocalClock({ epoch: 1 });
  const lookups: Lookup[] = [];
  const staleAges: number[] = [];
  const state = {
    nowMs: 0,
    loads: 0,
    isCutOff: false,
    isGone: false,
    fails: false,
    gate: Promise.resolve() as Promise<unknown>,
  };
  const cache = createCache({
    clock,
    log: quiet,
    now: () => state.nowMs,
    l1MaxBytes: 100_000,
    onLookup: (lookup) => void lookups.push(lookup),
    onStale: (ageMs) => void staleAges.push(ageMs),
    isCutOff: () => state.isCutOff,
  });
  const rows = cache.define<string, Row | undefined>({
    name: 'row',
    ttlMs: 100,
    negativeTtlMs: 10,
    async load(id) {
      const row = state.isGone ? undefined : { id, load: ++state.loads };
      await state.gate;
      if (state.fails) throw new Error('the source is away');
      return row;
    },
    tags: (row, id) => [`row:${id}`, ...(row ? ['rows'] : [])],
    ...more,
  });
  const outcomes = () => lookups.map(({ tier, outcome }) => `${tier} ${outcome}`);
  return { clock, cache, rows, state, outcomes, staleAges };
}

describe('the cache', () => {
  it('loads once, serves it until its time is up, and counts', async () => {
    const { rows, state, outcomes } = createWorld();
    const first = await rows.get('a');
    expect(await rows.get('a')).to.equal(first);
    state.nowMs = 100;
    expect((await rows.get('a'))?.load).to.equal(2);
    expect(outcomes()).to.deep.equal(['l1 miss', 'l1 hit', 'l1 miss']);
    expect(first).to.be.frozen;
  });

  it('asks again after each of the tags, and only then', async () => {
    const { rows, clock } = createWorld();
    await rows.get('a');
    await clock.invalidate(['row:b', 'other']);
    expect((await rows.get('a'))?.load).to.equal(1);
    await clock.invalidate(['row:a']);
    expect((await rows.get('a'))?.load).to.equal(2);
    await clock.invalidate(['rows']);
    expect((await rows.get('a'))?.load).to.equal(3);
  });

  it('remembers that there is none, more briefly, and drops that with a tag too', async () => {
    const { rows, state, clock } = createWorld();
    state.isGone = true;
    expect(await rows.get('a')).to.equal(undefined);
    state.isGone = false;
    expect(await rows.get('a')).to.equal(undefined);
    await clock.invalidate(['row:a']);
    expect(await rows.get('a')).to.include({ id: 'a' });
    state.isGone = true;
    expect(await rows.get('b')).to.equal(undefined);
    state.isGone = false;
    state.nowMs = 10;
    expect(await rows.get('b')).to.include({ id: 'b' });
  });

  it('loads once for many who ask at once, and once more for those after a write', async () => {
    const { rows, state, clock } = createWorld();
    const gate = Promise.withResolvers<void>();
    state.gate = gate.promise;
    const before = Array.from({ length: 100 }, () => rows.get('a'));
    await clock.invalidate(['row:a']);
    const after = Array.from({ length: 100 }, () => rows.get('a'));
    gate.resolve();
    expect((await Promise.all(before)).every((row) => row?.load === 1)).to.equal(true);
    expect((await Promise.all(after)).every((row) => row?.load === 2)).to.equal(true);
    expect(state.loads).to.equal(2);
  });

  it('shares a load across a write that does not concern it', async () => {
    const { rows, state, clock } = createWorld();
    const gate = Promise.withResolvers<void>();
    state.gate = gate.promise;
    const before = rows.get('a');
    await clock.invalidate(['row:z']);
    const after = rows.get('a');
    gate.resolve();
    expect(await after).to.equal(await before);
    expect(state.loads).to.equal(1);
  });

  it('never serves what a slow load brings after a write', async () => {
    const { rows, state, clock } = createWorld();
    const gate = Promise.withResolvers<void>();
    state.gate = gate.promise;
    const slow = rows.get('a');
    await clock.invalidate(['row:a']);
    gate.resolve();
    expect((await slow)?.load).to.equal(1);
    expect((await rows.get('a'))?.load).to.equal(2);
  });

  it('does not remember a failure, nor give it to those who came after a write', async () => {
    const { rows, state, clock } = createWorld();
    const gate = Promise.withResolvers<void>();
    state.gate = gate.promise;
    state.fails = true;
    const failing = rows.get('a').then(
      () => 'no',
      (error: Error) => error.message,
    );
    await clock.invalidate(['row:a']);
    const after = rows.get('a').catch(() => 'failed with it');
    gate.resolve();
    expect(await failing).to.equal('the source is away');
    state.fails = false;
    await after;
    expect(await rows.get('a')).to.include({ id: 'a' });
  });

  it('serves a valid old value while its source is away, and says how old', async () => {
    const { rows, state, staleAges, clock } = createWorld();
    await rows.get('a');
    state.nowMs = 1_100;
    state.fails = true;
    expect((await rows.get('a'))?.load).to.equal(1);
    expect(staleAges).to.deep.equal([1_000]);
    await clock.invalidate(['row:a']);
    expect(await rows.get('a').catch((error: Error) => error.message)).to.include('away');
  });

  it('serves stale while it renews, but never past an invalidation', async () => {
    const { rows, state, clock } = createWorld({ staleMs: 50 });
    await rows.get('a');
    state.nowMs = 120;
    expect((await rows.get('a'))?.load).to.equal(1);
    await settled();
    expect((await rows.get('a'))?.load).to.equal(2);
    state.nowMs = 240;
    await clock.invalidate(['row:a']);
    expect((await rows.get('a'))?.load).to.equal(3);
    state.nowMs = 600;
    expect((await rows.get('a'))?.load).to.equal(4);
  });

  it('serves what is from outside even past an invalidation, while it renews', async () => {
    const { rows, clock } = createWorld({ staleMs: 50, isOutside: true });
    await rows.get('a');
    await clock.invalidate(['row:a']);
    expect((await rows.get('a'))?.load).to.equal(1);
    await settled();
    expect((await rows.get('a'))?.load).to.equal(2);
  });

  it('does not try a failed renewal at every look-up', async () => {
    const { rows, state } = createWorld({ staleMs: 100_000 });
    await rows.get('a');
    state.nowMs = 200;
    state.fails = true;
    for (let i = 0; i < 5; i++) {
      await rows.get('a');
      await settled();
    }
    expect(state.loads).to.equal(2);
    state.nowMs = 200 + 5_000;
    await rows.get('a');
    expect(state.loads).to.equal(3);
  });

  it('asks the source alone while the node is cut off', async () => {
    const { rows, state } = createWorld();
    await rows.get('a');
    state.isCutOff = true;
    expect((await rows.get('a'))?.load).to.equal(2);
    state.isCutOff = false;
    expect((await rows.get('a'))?.load).to.equal(1);
  });

  it('keeps to its limits', async () => {
    const { rows, state } = createWorld();
    for (let i = 0; i < 2_000; i++) await rows.get(`${i}`);
    state.loads = 0;
    await rows.get('1999');
    expect(state.loads).to.equal(0);
    await rows.get('0');
    expect(state.loads).to.equal(1);
  });

  it('has one definition for a name', () => {
    const { cache } = createWorld();
    const again = { name: 'row', ttlMs: 1, load: async () => 1, tags: () => [] };
    expect(() => cache.define(again)).to.throw('row is cached twice');
  });
});

/** After what is queued now: a renewal in the background is through. */
function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
