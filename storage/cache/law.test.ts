import { expect } from 'chai';
import fc from 'fast-check';
import { createTestOrder, type NodeClock } from '#test/clock.ts';
import { quiet } from '#test/log.ts';
import { createCache, type Cached } from './index.ts';
import type { SharedStore } from './shared.ts';

/**
 * The law: a get that begins on a node which has applied index i never returns a value that was
 * loaded from a state older than the write that index i acknowledges. Held here over random
 * interleavings of reads, writes, and every single step of the loader and of the shared tier,
 * in phases: all of one phase overlap, and the next finds what they left behind.
 */

type Row = { version: number } | undefined;

type Op =
  | { kind: 'get'; node: number; key: number }
  | { kind: 'write'; node: number; key: number; isGone: boolean }
  | { kind: 'apply' | 'install'; node: number }
  | { kind: 'wait'; ms: number };

const nodes = 2;
const keys = ['a', 'b', 'c'];
const node = fc.integer({ min: 0, max: nodes - 1 });
const key = fc.integer({ min: 0, max: keys.length - 1 });
const kind = <K extends string>(name: K) => fc.constant(name);
const op: fc.Arbitrary<Op> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ kind: kind('get'), node, key }) },
  {
    weight: 5,
    arbitrary: fc.record({ kind: kind('write'), node, key, isGone: fc.boolean() }),
  },
  { weight: 4, arbitrary: fc.record({ kind: kind('apply'), node }) },
  { weight: 1, arbitrary: fc.record({ kind: kind('install'), node }) },
  {
    weight: 2,
    arbitrary: fc.record({ kind: kind('wait'), ms: fc.integer({ min: 1, max: 60 }) }),
  },
);

type Settings = { isShared: boolean; staleMs: number; tagsMax: number; l1MaxEntries: number };

const settings: fc.Arbitrary<Settings> = fc.record({
  isShared: fc.boolean(),
  staleMs: fc.constantFrom(0, 30),
  tagsMax: fc.constantFrom(1, 2, 100),
  l1MaxEntries: fc.constantFrom(1, 2, 100),
});

const runs = Number(process.env['REVENGE_LAW_RUNS'] ?? 1_000);

describe('the law of the cache', function () {
  this.timeout(600_000);

  it('holds over random interleavings on two nodes that share a tier', async () => {
    const phases = fc.array(fc.array(op, { minLength: 1, maxLength: 8 }), {
      minLength: 1,
      maxLength: 10,
    });
    await fc.assert(
      fc.asyncProperty(fc.scheduler(), phases, settings, async (scheduler, list, options) => {
        const world = createWorld(scheduler, options);
        for (const phase of list) {
          const begun = phase.map(async (each) => {
            await scheduler.schedule(Promise.resolve());
            await world.run(each);
          });
          await scheduler.waitFor(Promise.all(begun));
        }
        expect(world.offences).to.deep.equal([]);
      }),
      { numRuns: runs },
    );
  });
});

/** Every version a row ever had, and which of them were "there is none". */
function createTruth() {
  const rows = new Map<string, boolean[]>();
  const acknowledged: { key: string; version: number; index: number }[] = [];
  const history = (id: string) => rows.get(id) ?? [true];
  return {
    read(id: string): Row {
      const all = history(id);
      return all.at(-1) ? undefined : { version: all.length - 1 };
    },
    write(id: string, isGone: boolean): number {
      rows.set(id, [...history(id), isGone]);
      return history(id).length - 1;
    },
    acknowledge: (id: string, version: number, index: number) =>
      void acknowledged.push({ key: id, version, index }),
    /** The oldest version that a node at this index may still show. */
    least(id: string, applied: number): number {
      const known = acknowledged.filter((write) => write.key === id && write.index <= applied);
      return Math.max(0, ...known.map((write) => write.version));
    },
    allows(id: string, row: Row, least: number): boolean {
      if (row) return row.version >= least;
      return history(id).some((isGone, version) => isGone && version >= least);
    },
  };
}

/** The truth, two nodes with a cache each, and a judge. */
function createWorld(scheduler: fc.Scheduler, options: Settings) {
  const truth = createTruth();
  const offences: string[] = [];
  const order = createTestOrder();
  let now = 0;
  const step = () => scheduler.schedule(Promise.resolve());
  const store = createSteppedStore(step, () => now);
  const members = Array.from({ length: nodes }, () => {
    const clock = order.node();
    const { l1MaxEntries, tagsMax } = options;
    const limits = { l1MaxBytes: 1_000_000, l1MaxEntries, tagsMax };
    const cache = createCache({ clock, store, log: quiet, now: () => now, ...limits });
    const item: Cached<string, Row> = cache.define({
      name: 'item',
      ttlMs: 50,
      negativeTtlMs: 20,
      staleMs: options.staleMs,
      ...(options.isShared && { sharedTtlMs: 200 }),
      load: async (id: string) => {
        await step();
        const row = truth.read(id);
        await step();
        return row;
      },
      tags: (_: Row, id: string) => [`row:${id}`],
    });
    return { clock, item };
  });
  const get = async (clock: NodeClock, item: Cached<string, Row>, id: string) => {
    const least = truth.least(id, clock.applied());
    const row = await item.get(id);
    if (truth.allows(id, row, least)) return;
    offences.push(`${id}: ${row ? row.version : 'none'}, but ${least} was acknowledged`);
  };
  const write = async (clock: NodeClock, id: string, isGone: boolean) => {
    const version = truth.write(id, isGone);
    await step();
    truth.acknowledge(id, version, await clock.invalidate([`row:${id}`]));
  };
  return {
    offences,
    async run(each: Op): Promise<void> {
      if (each.kind === 'wait') return void (now += each.ms);
      const { clock, item } = members[each.node]!;
      if (each.kind === 'get') return get(clock, item, keys[each.key]!);
      if (each.kind === 'write') return write(clock, keys[each.key]!, each.isGone);
      if (each.kind === 'apply') return void clock.step();
      clock.install();
    },
  };
}

/** A shared store each of whose operations takes effect at a moment the scheduler chooses. */
function createSteppedStore(step: () => Promise<void>, now: () => number): SharedStore {
  const data = new Map<string, { text: string; until: number }>();
  const live = (key: string) => {
    const found = data.get(key);
    return found && found.until > now() ? found.text : null;
  };
  const act = async <T>(effect: () => T): Promise<T> => {
    await step();
    const result = effect();
    await step();
    return result;
  };
  return {
    read: (key) => act(() => live(key)),
    write: (key, text, ttlMs) => act(() => data.set(key, { text, until: now() + ttlMs })),
    take: (key, id, ttlMs) =>
      act(() => {
        if (live(key) !== null) return false;
        data.set(key, { text: id, until: now() + ttlMs });
        return true;
      }),
    give: (key, id) => act(() => live(key) === id && data.delete(key)),
    pause: step,
  };
}
