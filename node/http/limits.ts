import type { Redis } from 'ioredis';
import { RateLimiterMemory, RateLimiterRedis, type RateLimiterRes } from 'rate-limiter-flexible';
import { problem } from '#services/errors.ts';

/** So many requests in so many seconds. */
export interface Allowance {
  readonly points: number;
  readonly seconds: number;
}

/** The limits of a node; one that is undefined does not exist. */
export interface Limits {
  /** Per address; all of a household behind one proxy may share it. */
  readonly ip?: Allowance | undefined;
  /** Per session, API key or signed address. */
  readonly principal?: Allowance | undefined;
  /** Per address, for operations where guessing must be slow. */
  readonly auth?: Allowance | undefined;
  /** Per address, for proofs too long to be guessed that cost the database a write. */
  readonly refresh?: Allowance | undefined;
}

/** Generous for people and their apps, tight for loops and guesses. */
export const defaultLimits: Limits = {
  ip: { points: 12_000, seconds: 60 },
  principal: { points: 6_000, seconds: 60 },
  auth: { points: 20, seconds: 60 },
  // Each page load is one: a household behind one address reloads at will.
  refresh: { points: 300, seconds: 60 },
};

export interface RateLimits {
  /** Counts a request; throws `too-many-requests`. Resolves to the `RateLimit-*` headers. */
  ip(ip: string): Promise<string[]>;
  principal(credentialId: string): Promise<string[]>;
  auth(ip: string): Promise<string[]>;
  refresh(ip: string): Promise<string[]>;
}

type Limiter = Pick<RateLimiterMemory, 'consume'>;

/**
 * Rate limits. Those against floods protect this node, so it counts by itself, in memory (0.5 µs
 * instead of a round trip per request); the one against guessing counts for the whole cluster in
 * Redis when there is one, and by itself while it is away.
 */
export function createRateLimits(limits: Limits, redis?: Redis): RateLimits {
  const count = (name: string, allowance: Allowance | undefined, shared?: Redis) => {
    if (!allowance) return async () => [];
    const limiter = createLimiter(name, allowance, shared);
    return (key: string) => consume(limiter, allowance, key);
  };
  return {
    ip: keyed(count('ip', limits.ip)),
    principal: count('principal', limits.principal),
    auth: keyed(count('auth', limits.auth, redis)),
    refresh: keyed(count('refresh', limits.refresh)),
  };
}

const keyed = (run: (key: string) => Promise<string[]>) => (ip: string) => run(networkOf(ip));

/** One home has a whole /64 of IPv6 addresses: they count as one (RFC 6177). */
export function networkOf(ip: string): string {
  if (!ip.includes(':')) return ip;
  const [head = '', tail] = ip.split('::');
  const left = head.split(':').filter(Boolean);
  const right = tail === undefined ? [] : tail.split(':').filter(Boolean);
  const zeros = tail === undefined ? 0 : Math.max(0, 8 - left.length - right.length);
  const groups = [...left, ...Array<string>(zeros).fill('0'), ...right];
  return `${groups.slice(0, 4).join(':')}::/64`;
}

function createLimiter(name: string, allowance: Allowance, redis: Redis | undefined): Limiter {
  const options = {
    keyPrefix: `revenge:limit:${name}`,
    points: allowance.points,
    duration: allowance.seconds,
  };
  const memory = new RateLimiterMemory(options);
  if (!redis) return memory;
  return new RateLimiterRedis({ ...options, storeClient: redis, insuranceLimiter: memory });
}

async function consume(limiter: Limiter, allowance: Allowance, key: string): Promise<string[]> {
  let result: RateLimiterRes;
  try {
    result = await limiter.consume(key);
  } catch (rejected) {
    if (rejected instanceof Error) throw rejected;
    const { msBeforeNext } = rejected as RateLimiterRes;
    const retryAfterSeconds = Math.max(1, Math.ceil(msBeforeNext / 1000));
    throw problem('too-many-requests', `Try again in ${retryAfterSeconds} seconds`, {
      retryAfterSeconds,
      headers: rateHeaders(allowance, 0, msBeforeNext),
    });
  }
  return Object.entries(rateHeaders(allowance, result.remainingPoints, result.msBeforeNext)).flat();
}

function rateHeaders(allowance: Allowance, left: number, resetMs: number): Record<string, string> {
  return {
    'RateLimit-Limit': String(allowance.points),
    'RateLimit-Remaining': String(Math.max(0, left)),
    'RateLimit-Reset': String(Math.max(0, Math.ceil(resetMs / 1000))),
  };
}
