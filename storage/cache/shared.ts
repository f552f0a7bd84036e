import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import type { RedisEngine } from '../redis/redis.ts';
import type { Entry } from './cache.ts';
import { decodeEntry, encodeEntry } from './entry.ts';

/** The few things the shared tier asks of a server. `undefined` = it is away. */
export interface SharedStore {
  read(key: string): Promise<string | null | undefined>;
  write(key: string, text: string, ttlMs: number): Promise<unknown>;
  /** Takes a lease; false when a peer has it. */
  take(key: string, id: string, ttlMs: number): Promise<boolean | undefined>;
  /** Gives the lease back if it is still ours. */
  give(key: string, id: string): Promise<unknown>;
  pause(ms: number): Promise<unknown>;
}

/** What came of asking for the right to load: a peer's value, or a turn of our own. */
export type Turn = { entry: Entry; done?: undefined } | { entry?: undefined; done: () => void };

/** The tier all nodes share. It may be away at any time; then it has nothing and takes nothing. */
export interface SharedTier {
  /** The entry under a key if `isGood`. */
  read(key: string): Promise<Entry | undefined>;
  write(key: string, entry: Entry, ttlMs: number): Promise<void>;
  /** Waits for a peer that loads the same key, within limits; call `done` after storing. */
  turn(key: string): Promise<Turn>;
}

const leaseMs = 2_000;
const pollMs = 20;
const pollMaxMs = 80;
const pollsMax = 8; // about half a second in all
const valueMaxChars = 1024 * 1024;

/** The shared tier over a store; `isGood` says whether an entry may be served here and now. */
export function createSharedTier(
  store: SharedStore,
  isGood: (entry: Entry) => boolean,
): SharedTier {
  const read = async (key: string) => {
    const text = await store.read(key);
    const entry = typeof text === 'string' ? decodeEntry(text) : undefined;
    return entry && isGood(entry) ? entry : undefined;
  };
  return {
    read,
    async write(key, entry, ttlMs) {
      const text = encodeEntry(entry);
      if (text.length <= valueMaxChars) await store.write(key, text, ttlMs);
    },
    async turn(key) {
      const id = randomUUID();
      for (let poll = 0; poll < pollsMax; poll++) {
        const isOurs = await store.take(`lease:${key}`, id, leaseMs);
        if (isOurs === undefined) break;
        if (isOurs) return { done: () => void store.give(`lease:${key}`, id) };
        await store.pause(Math.min(pollMs * (poll + 1), pollMaxMs));
        const entry = await read(key);
        if (entry) return { entry };
      }
      return { done: () => undefined };
    },
  };
}

/** Deletes a key if it holds what we put there; the key is declared, as Dragonfly demands. */
const giveBack = `if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('del', KEYS[1]) end`;

/** A store on a Redis-protocol server: GET, SET with PX and NX, and one script. */
export function createRedisStore(redis: RedisEngine, prefix: string): SharedStore {
  return {
    read: (key) => redis.attempt((client) => client.get(prefix + key)),
    write: (key, text, ttlMs) =>
      redis.attempt((client) => client.set(prefix + key, text, 'PX', Math.ceil(ttlMs))),
    async take(key, id, ttlMs) {
      const answer = await redis.attempt((client) =>
        client.set(prefix + key, id, 'PX', ttlMs, 'NX'),
      );
      return answer === undefined ? undefined : answer === 'OK';
    },
    give: (key, id) => redis.attempt((client) => client.eval(giveBack, 1, prefix + key, id)),
    pause,
  };
}
