import { RateLimiterMemory, RateLimiterRedis, type RateLimiterRes } from 'rate-limiter-flexible';
import type { RedisEngine } from '#storage/redis/redis.ts';

/** So many requests in so many seconds. */
export interface Allowance {
  readonly points: number;
  readonly seconds: number;
}

/** What all nodes together may ask of one provider: the home has one address. */
export interface Budget {
  /**
   * Takes one request's worth. Resolves to 0, or to the milliseconds after which to try again:
   * nothing was taken then.
   */
  take(): Promise<number>;
  /** Nobody asks for so long: the provider said so. */
  rest(ms: number): Promise<void>;
}

export interface BudgetDeps {
  readonly redis: Pick<RedisEngine, 'client' | 'attempt'> | undefined;
  /** Nodes that share the budget while Redis is away, this one included. */
  readonly nodes: () => number;
}

const key = 'all';

/**
 * A budget in Redis that all nodes draw on. While Redis is away each node has its share of it,
 * less than all of it whatever the others do.
 */
export function createBudget(
  { redis, nodes }: BudgetDeps,
  provider: string,
  allowance: Allowance,
): Budget {
  const options = {
    keyPrefix: `revenge:provider:${provider}`,
    points: allowance.points,
    duration: allowance.seconds,
  };
  const local = createShare(options, nodes);
  if (redis === undefined) return local;
  const shared = new RateLimiterRedis({ ...options, storeClient: redis.client });
  return {
    take: async () => (await redis.attempt(() => draw(shared))) ?? local.take(),
    async rest(ms) {
      await redis.attempt(() => shared.block(key, Math.ceil(ms / 1_000)));
      await local.rest(ms);
    },
  };
}

type Limiter = Pick<RateLimiterMemory, 'consume' | 'block'>;

/** This node's part, which changes as nodes come and go: a window per so many nodes. */
function createShare(
  options: { keyPrefix: string; points: number; duration: number },
  nodes: () => number,
): Budget {
  const byNodes = new Map<number, Limiter>();
  const limiter = (): Limiter => {
    const count = Math.max(1, nodes());
    const made = byNodes.get(count) ?? new RateLimiterMemory(shareOf(options, count));
    byNodes.set(count, made);
    return made;
  };
  return {
    take: () => draw(limiter()),
    async rest(ms) {
      await limiter().block(key, Math.ceil(ms / 1_000));
    },
  };
}

/** Fewer in the same time; where that is less than one, one in a longer time. */
function shareOf<Options extends { points: number; duration: number }>(
  options: Options,
  count: number,
): Options {
  const points = options.points / count;
  if (points >= 1) return { ...options, points: Math.floor(points) };
  return { ...options, points: 1, duration: Math.ceil(options.duration / points) };
}

async function draw(limiter: Pick<Limiter, 'consume'>): Promise<number> {
  try {
    await limiter.consume(key);
    return 0;
  } catch (rejected) {
    if (rejected instanceof Error) throw rejected;
    return Math.max(1, (rejected as RateLimiterRes).msBeforeNext);
  }
}
