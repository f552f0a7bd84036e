import { LRUCache } from 'lru-cache';
import type { RedisEngine } from '#storage/redis/redis.ts';

/** An answer with what its server calls this state of it. */
export interface KeptAnswer {
  readonly etag: string;
  readonly json: unknown;
}

/** Answers that outlive their time, so that a server need only say that nothing has changed. */
export interface KeptAnswers {
  get(key: string): Promise<KeptAnswer | undefined>;
  put(key: string, answer: KeptAnswer): Promise<void>;
}

const prefix = 'revenge:answer:';
const keptMs = 7 * 24 * 3_600_000;
const charsMax = 512 * 1_024;
const localMax = 200;

/** Keeps answers in Redis for a week; where there is none, the latest few in this process. */
export function createKeptAnswers(redis: Pick<RedisEngine, 'attempt'> | undefined): KeptAnswers {
  const local = new LRUCache<string, KeptAnswer>({ max: localMax, ttl: keptMs });
  return {
    async get(key) {
      const text = await redis?.attempt((client) => client.get(prefix + key));
      return typeof text === 'string' ? (JSON.parse(text) as KeptAnswer) : local.get(key);
    },
    async put(key, answer) {
      const text = JSON.stringify(answer);
      if (text.length > charsMax) return;
      const isKept = await redis?.attempt((client) => client.set(prefix + key, text, 'PX', keptMs));
      if (isKept === undefined) local.set(key, answer);
    },
  };
}
