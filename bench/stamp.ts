import { LRUCache } from 'lru-cache';
import { createRaftClock } from '#cluster/member/clock.ts';
import { perEpoch } from '#cluster/state/limits.ts';
import { createFreshness } from '#storage/cache/freshness.ts';
import { median, type Row } from './report.ts';

const keysCount = 10_000;
const perRound = 1_000_000;
const rounds = 9;

/** What it costs to know that a value in memory is still true, in nanoseconds. */
export function benchStamp(): Row[] {
  const index = 3 * perEpoch + 5_000;
  const clock = createRaftClock(
    {
      index: () => index,
      onInvalidate: (listener) => {
        told = listener;
      },
      onApplied: () => undefined,
      onRestored: () => undefined,
    },
    { announce: async () => index, canFollow: () => true },
  );
  const freshness = createFreshness(clock, 50_000);
  const keys = Array.from({ length: keysCount }, (_, nth) => `movie:${nth}`);
  const tags = keys.map((key) => [key, 'movies']);
  const map = new Map(keys.map((key, nth) => [key, nth]));
  const lru = new LRUCache<string, number>({ max: keysCount });
  keys.forEach((key, nth) => lru.set(key, nth));
  for (const key of keys) told(index - 1, [key]);
  const seen = freshness.version();
  let held = 0;
  const ways = {
    'Map get': (nth: number) => map.get(keys[nth]!)!,
    'lru-cache get': (nth: number) => lru.get(keys[nth]!)!,
    'stamp check, nothing written since': () => Number(freshness.version() === seen),
    'stamp check of two tags, after a write': (nth: number) =>
      Number(freshness.isValid(index, tags[nth]!)),
  };
  const times = new Map<string, number[]>();
  for (let round = 0; round < rounds; round += 1) {
    for (const [name, way] of Object.entries(ways)) {
      const begun = performance.now();
      for (let nth = 0; nth < perRound; nth += 1) held += way(nth % keysCount);
      const took = ((performance.now() - begun) * 1e6) / perRound;
      times.set(name, [...(times.get(name) ?? []), took]);
    }
  }
  if (held === 0) throw new Error('nothing was looked up');
  const value = (name: keyof typeof ways) => median(times.get(name) ?? []);
  const baseline = { name: 'Map get', value: value('Map get') };
  return (Object.keys(ways) as (keyof typeof ways)[])
    .filter((name) => name !== 'Map get')
    .map((name) => ({ name, value: value(name), unit: 'ns', baseline }));
}

let told: (index: number, tags: readonly string[]) => void = () => undefined;
