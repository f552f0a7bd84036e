import { LRUCache } from 'lru-cache';
import type { Cache } from '#storage/cache/cache.ts';
import type { Sql } from '#storage/postgres/connect.ts';
import { userTag } from './accounts.ts';
import { findKeyByHash, findKeyById, type KeyState } from './key-store.ts';
import { keyTag } from './keys.ts';
import { hashToken } from './opaque.ts';
import { findSessionState, type SessionState } from './session-store.ts';
import { sessionTag } from './sessions.ts';

/** What each request asks of the database, through the cache. */
export interface Readings {
  session(sessionId: string): Promise<SessionState | undefined>;
  /** By the key itself; the cache sees its hash only. */
  keyOf(apiKey: string): Promise<KeyState | undefined>;
  keyById(keyId: string): Promise<KeyState | undefined>;
  /** True when the use of a key is to be noted: once a minute on this node. */
  isUseDue(keyId: string): boolean;
}

const ttlMs = 30_000;
const noteMs = 60_000;

/** Makes the readings. Their tags are named in the transaction that changes what they show. */
export function createReadings(deps: { sql: Sql; cache: Cache; now: () => number }): Readings {
  const { sql, cache, now } = deps;
  const noted = new LRUCache<string, number>({ max: 10_000 });
  const keyTags = (key: KeyState | undefined) =>
    key === undefined ? [] : [keyTag(key.keyId), userTag(key.userId)];
  const sessions = cache.define({
    name: 'session',
    ttlMs,
    load: (sessionId: string) => findSessionState(sql, sessionId),
    tags: (session: SessionState | undefined, sessionId: string) => [
      sessionTag(sessionId),
      ...(session === undefined ? [] : [userTag(session.userId)]),
    ],
  });
  const keys = cache.define({
    name: 'apikey',
    ttlMs,
    load: (hash: string) => findKeyByHash(sql, Buffer.from(hash, 'hex')),
    tags: keyTags,
  });
  const keysById = cache.define({
    name: 'apikey-by-id',
    ttlMs,
    load: (keyId: string) => findKeyById(sql, keyId),
    tags: (key: KeyState | undefined, keyId: string) => [
      keyTag(keyId),
      ...(key === undefined ? [] : [userTag(key.userId)]),
    ],
  });
  return {
    session: (sessionId) => sessions.get(sessionId),
    keyOf: (apiKey) => keys.get(hashToken(apiKey).toString('hex')),
    keyById: (keyId) => keysById.get(keyId),
    isUseDue(keyId) {
      const last = noted.get(keyId);
      if (last !== undefined && now() - last < noteMs) return false;
      noted.set(keyId, now());
      return true;
    },
  };
}
