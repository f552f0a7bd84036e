import { LRUCache } from 'lru-cache';
import { RateLimiterRedis } from 'rate-limiter-flexible';
import type { RedisEngine } from '#storage/redis/redis.ts';

/** Counters that forget: what the slow-down of sign-ins counts with. */
export interface Counters {
  /** Adds one; a counter that is new lives for `ttlMs` from now. */
  add(key: string, ttlMs: number): Promise<{ count: number; leftMs: number }>;
  /** Takes one back, if the counter is still there. */
  giveBack(key: string): Promise<void>;
  clear(key: string): Promise<void>;
}

interface Counter {
  count: number;
  readonly until: number;
}

/** Counters of this process; the least used are forgotten beyond `max`. */
export function createMemoryCounters(options: { now: () => number; max?: number }): Counters {
  const { now } = options;
  const counters = new LRUCache<string, Counter>({ max: options.max ?? 50_000 });
  const live = (key: string) => {
    const counter = counters.get(key);
    return counter !== undefined && counter.until > now() ? counter : undefined;
  };
  return {
    async add(key, ttlMs) {
      const counter = live(key) ?? { count: 0, until: now() + ttlMs };
      counter.count += 1;
      counters.set(key, counter);
      return { count: counter.count, leftMs: counter.until - now() };
    },
    async giveBack(key) {
      const counter = live(key);
      if (counter !== undefined) counter.count = Math.max(0, counter.count - 1);
    },
    async clear(key) {
      counters.delete(key);
    },
  };
}

/**
 * Counters that all nodes share, in Redis or Dragonfly. While it is away this node counts for
 * itself (`fallback`), because signing in must not depend on it: limits then hold per node.
 */
export function createRedisCounters(deps: {
  redis: Pick<RedisEngine, 'client' | 'attempt'>;
  fallback: Counters;
}): Counters {
  const { redis, fallback } = deps;
  const limiter = new RateLimiterRedis({
    storeClient: redis.client,
    keyPrefix: 'revenge:slowdown',
    points: Number.MAX_SAFE_INTEGER,
    duration: 3_600,
  });
  return {
    async add(key, ttlMs) {
      const customDuration = Math.ceil(ttlMs / 1_000);
      const shared = await redis.attempt(() => limiter.penalty(key, 1, { customDuration }));
      if (shared === undefined) return fallback.add(key, ttlMs);
      return { count: shared.consumedPoints, leftMs: shared.msBeforeNext };
    },
    async giveBack(key) {
      const shared = await redis.attempt(() => limiter.reward(key, 1));
      if (shared === undefined) await fallback.giveBack(key);
    },
    async clear(key) {
      await redis.attempt(() => limiter.delete(key));
      await fallback.clear(key);
    },
  };
}
