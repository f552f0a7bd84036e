import { LRUCache } from 'lru-cache';
import { createLocalClock } from '#cluster/clock.ts';
import { createCache } from '#storage/cache/index.ts';
import { quiet } from '#test/log.ts';
import { median, report } from './report.ts';

const keysCount = 10_000;
const getsPerRound = 200_000;
const rounds = 9;

type Item = { id: string; title: string };

/** What a hit in this process costs, against a bare look-up in lru-cache in the same run. */
export async function benchCache(): Promise<void> {
  const keys = Array.from({ length: keysCount }, (_, index) => `item-${index}`);
  const bare = new LRUCache<string, Item>({ max: keysCount });
  const clock = createLocalClock({ epoch: 1 });
  const limits = { l1MaxBytes: 256 * 2 ** 20, l1MaxEntries: keysCount };
  const cache = createCache({ clock, log: quiet, now: Date.now, ...limits });
  const items = cache.define({
    name: 'item',
    ttlMs: 3_600_000,
    load: async (id: string) => ({ id, title: `The film ${id}` }),
    tags: (_, id) => [`item:${id}`, 'items'],
  });
  for (const id of keys) {
    bare.set(id, { id, title: `The film ${id}` });
    await items.get(id);
  }
  const timed = async (work: (key: string) => unknown) => {
    const begun = performance.now();
    for (let index = 0; index < getsPerRound; index++) await work(keys[index % keysCount]!);
    return ((performance.now() - begun) * 1e6) / getsPerRound;
  };
  const plain = () => {
    const begun = performance.now();
    for (let index = 0; index < getsPerRound; index++) bare.get(keys[index % keysCount]!);
    return ((performance.now() - begun) * 1e6) / getsPerRound;
  };
  const names = ['plain', 'bare', 'hit', 'busy'] as const;
  const found = Object.fromEntries(names.map((name) => [name, [] as number[]])) as Record<
    (typeof names)[number],
    number[]
  >;
  let writes = 0;
  for (let round = 0; round < rounds; round++) {
    found.plain.push(plain());
    found.bare.push(await timed((key) => Promise.resolve(bare.get(key))));
    found.hit.push(await timed((key) => items.get(key)));
    // A write in every hundred reads makes each entry prove again that it is valid.
    found.busy.push(
      await timed((key) => {
        if (++writes % 100 === 0) void clock.invalidate(['nothing-cached']);
        return items.get(key);
      }),
    );
  }
  const baseline = { name: 'lru-cache get', value: median(found.plain) };
  report('cache', [
    { name: 'lru-cache get, awaited', value: median(found.bare), unit: 'ns', baseline },
    { name: 'L1 hit', value: median(found.hit), unit: 'ns', baseline },
    { name: 'L1 hit, 1 % writes', value: median(found.busy), unit: 'ns', baseline },
  ]);
}

if (import.meta.main) await benchCache();
