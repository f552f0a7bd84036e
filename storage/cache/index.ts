import { LRUCache } from 'lru-cache';
import type { Log } from '../log.ts';
import type { RedisEngine } from '../redis/redis.ts';
import type { Cache, Cached, CacheDefinition, Entry, Lookup } from './cache.ts';
import type { InvalidationClock } from './clock.ts';
import { seal } from './entry.ts';
import { createFlights, type Flights } from './flights.ts';
import { createFreshness, type Freshness } from './freshness.ts';
import { createRedisStore, createSharedTier, type SharedStore } from './shared.ts';

export type { Cache, Cached, CacheDefinition, Lookup } from './cache.ts';

export interface CacheDeps {
  readonly clock: InvalidationClock;
  /** The tier all nodes share; absent: this process only. */
  readonly redis?: RedisEngine | undefined;
  /** Another store in its place. */
  readonly store?: SharedStore;
  /** Set apart in the shared tier by this; clusters that share a server need one each. */
  readonly prefix?: string;
  readonly log: Log;
  /** Milliseconds; for the age of values. */
  readonly now: () => number;
  /** Counts look-ups. */
  readonly onLookup?: (lookup: Lookup) => void;
  /** Told when a value is served past its time because its source does not answer. */
  readonly onStale?: (ageMs: number) => void;
  /** True while this node cannot know what was written elsewhere: then only sources are asked. */
  readonly isCutOff?: () => boolean;
  /** Memory for values in this process, roughly. */
  readonly l1MaxBytes: number;
  /** Values in this process. */
  readonly l1MaxEntries?: number;
  /** Tags whose last invalidation is remembered; beyond it the oldest are forgotten, safely. */
  readonly tagsMax?: number;
}

/** How long past its time a value is kept for the case that its source does not answer. */
const keptForTroubleMs = 3_600_000;
const loadTimeoutMs = 30_000;
/** A renewal that failed is not tried again before this. */
const renewalPauseMs = 5_000;

/** An entry in this process. */
interface Held extends Entry {
  readonly answer: Promise<unknown>;
  /** The freshness' version it was last found valid at: until that moves it need not be asked. */
  seen: number;
  renewAfter: number;
}

interface Parts extends CacheDeps {
  readonly freshness: Freshness;
  readonly flights: Flights;
  readonly l1: LRUCache<string, Held>;
  readonly store?: SharedStore;
}

/**
 * The index-stamped cache: this process, then the shared tier, then the source. Coherence rests on
 * stamps and tags alone; nothing has to be deleted anywhere to be right.
 */
export function createCache(deps: CacheDeps): Cache {
  const freshness = createFreshness(deps.clock, deps.tagsMax ?? 50_000);
  const { redis, prefix = 'revenge:cache:' } = deps;
  const store = deps.store ?? (redis && createRedisStore(redis, prefix));
  const parts: Parts = {
    ...deps,
    log: deps.log.child({ module: 'cache' }),
    freshness,
    flights: createFlights(deps.clock, freshness),
    l1: new LRUCache({ maxSize: deps.l1MaxBytes, max: deps.l1MaxEntries ?? 50_000 }),
    ...(store && { store }),
  };
  const names = new Set<string>();
  return {
    define(definition) {
      if (names.has(definition.name)) throw new Error(`${definition.name} is cached twice`);
      names.add(definition.name);
      return defineType(parts, definition);
    },
  };
}

function defineType<Key extends string, Value>(
  parts: Parts,
  definition: CacheDefinition<Key, Value>,
): Cached<Key, Value> {
  const { l1, freshness, now } = parts;
  const { name: type, staleMs = 0, isOutside = false } = definition;
  const source = createSource(parts, definition);
  const count = counter(parts, type);

  const isValid = (held: Held) => {
    const version = freshness.version();
    if (held.seen === version) return true;
    if (!freshness.isValid(held.stamp, held.tags)) return false;
    held.seen = version;
    return true;
  };
  const renew = (id: string, key: Key, held: Held) => {
    if (parts.flights.has(id) || held.renewAfter > now()) return;
    held.renewAfter = now() + renewalPauseMs;
    // Whoever asked has an answer; the failure shows again when the value is too old.
    source(id, key).catch((error: unknown) => parts.log.warn('renewal failed', { type, error }));
  };
  const ask = async (id: string, key: Key) => {
    count.miss();
    try {
      return (await source(id, key)).value as Value;
    } catch (error) {
      const kept = l1.get(id);
      const ageMs = kept && isValid(kept) ? now() - kept.freshUntil : Infinity;
      if (!kept || ageMs > keptForTroubleMs) throw error;
      count.stale();
      parts.onStale?.(Math.max(ageMs, 0));
      return kept.value as Value;
    }
  };
  return {
    get(key) {
      const id = `${type}:${key}`;
      if (parts.isCutOff?.()) return load(definition, key);
      const held = l1.get(id);
      if (!held) return ask(id, key);
      const ageMs = now() - held.freshUntil;
      const valid = isValid(held);
      if (valid && ageMs < 0) {
        count.hit();
        return held.answer as Promise<Value>;
      }
      if ((valid || isOutside) && ageMs < staleMs) {
        count.stale();
        renew(id, key, held);
        return held.answer as Promise<Value>;
      }
      if (!valid) l1.delete(id);
      return ask(id, key);
    },
  };
}

function counter({ onLookup }: Parts, type: string) {
  const say = (tier: Lookup['tier'], outcome: Lookup['outcome']) => {
    const lookup = Object.freeze({ type, tier, outcome });
    return () => onLookup?.(lookup);
  };
  return { hit: say('l1', 'hit'), miss: say('l1', 'miss'), stale: say('l1', 'stale') };
}

/** What lies behind this process's memory: the shared tier, if the type uses it, and the loader. */
function createSource<Key extends string, Value>(
  parts: Parts,
  definition: CacheDefinition<Key, Value>,
): (id: string, key: Key) => Promise<Entry> {
  const { freshness, now, store, flights } = parts;
  const { sharedTtlMs } = definition;
  const isGood = (entry: Entry) =>
    entry.freshUntil > now() && freshness.isValid(entry.stamp, entry.tags);
  const shared = store && sharedTtlMs !== undefined ? createSharedTier(store, isGood) : undefined;
  const count = (outcome: 'hit' | 'miss') =>
    parts.onLookup?.({ type: definition.name, tier: 'l2', outcome });

  const fromSource = async (id: string, key: Key, then?: (entry: Entry) => void) => {
    // Before the load begins: a write acknowledged from here on has a higher index, and wins.
    const stamp = parts.clock.applied();
    const value = await load(definition, key);
    const ttlMs = lifetime(definition, value, sharedTtlMs ?? definition.ttlMs);
    const tags = definition.tags(value, key);
    const entry: Entry = { value, stamp, tags, freshUntil: now() + ttlMs };
    remember(parts, definition, { id, entry });
    then?.(entry);
    return entry;
  };
  const fetch = async (id: string, key: Key): Promise<Entry> => {
    if (!shared) return fromSource(id, key);
    const found = (await shared.read(id)) ?? undefined;
    count(found ? 'hit' : 'miss');
    const turn = found ? { entry: found } : await shared.turn(id);
    if (turn.entry) return remember(parts, definition, { id, entry: turn.entry });
    const { done } = turn;
    try {
      return await fromSource(id, key, (entry) => {
        // Nobody waits for the tier to take it.
        void shared.write(id, entry, entry.freshUntil - now()).finally(done);
      });
    } catch (error) {
      done();
      throw error;
    }
  };
  return (id, key) => flights.join(id, () => fetch(id, key));
}

function lifetime<Key extends string, Value>(
  { negativeTtlMs }: CacheDefinition<Key, Value>,
  value: unknown,
  ttlMs: number,
): number {
  return value === undefined ? Math.min(negativeTtlMs ?? ttlMs, ttlMs) : ttlMs;
}

/** Asks the loader; its time is bounded even when it does not look at the signal. */
async function load<Key extends string, Value>(
  definition: CacheDefinition<Key, Value>,
  key: Key,
): Promise<Value> {
  const controller = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      const error = new Error(`${definition.name} was not loaded within ${loadTimeoutMs} ms`);
      controller.abort(error);
      reject(error);
    }, loadTimeoutMs).unref();
  });
  try {
    return await Promise.race([definition.load(key, controller.signal), late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Keeps an entry in this process unless it is stale already or a newer one is there. */
function remember<Key extends string, Value>(
  parts: Parts,
  definition: CacheDefinition<Key, Value>,
  { id, entry }: { id: string; entry: Entry },
): Entry {
  const { l1, freshness, now } = parts;
  const size = seal(entry.value, definition.sharedTtlMs !== undefined);
  const valid = freshness.isValid(entry.stamp, entry.tags);
  if (!valid && !definition.isOutside) return entry;
  const present = l1.peek(id);
  if (present && present.stamp > entry.stamp) return entry;
  const ttlMs = lifetime(definition, entry.value, definition.ttlMs);
  const held: Held = {
    ...entry,
    freshUntil: valid ? Math.min(entry.freshUntil, now() + ttlMs) : now(),
    answer: Promise.resolve(entry.value),
    seen: valid ? freshness.version() : -1,
    renewAfter: 0,
  };
  l1.set(id, held, { size: size + id.length });
  return entry;
}
