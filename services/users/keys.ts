import { record } from '../activity/record.ts';
import type { Store } from '../changes.ts';
import { problem } from '../errors.ts';
import type { Principal } from '../principal.ts';
import * as keyStore from './key-store.ts';
import type { KeyRow } from './key-store.ts';
import { apiKeyPrefix, hashToken, newApiKey, type Random } from './opaque.ts';
import { isPermission, permissionsOf } from './permissions.ts';
import { lockUser } from './user-store.ts';

/** What API keys need. */
export interface KeyDeps {
  readonly store: Store;
  readonly random: Random;
  readonly now: () => number;
}

/** A key as its owner asks for it. */
export interface NewKey {
  readonly name: string;
  readonly scopes: readonly string[];
  readonly expiresAt: Date | null;
}

/** Creates and deletes API keys. */
export interface Keys {
  /** The secret is in the answer and nowhere else. Throws `unprocessable` or `conflict`. */
  create(owner: Principal, key: NewKey, ip?: string): Promise<{ key: string; row: KeyRow }>;
  /** Throws `not-found`. */
  remove(owner: Principal, keyId: string, ip?: string): Promise<void>;
}

/** Keys a user may have. */
export const keysPerUser = 25;

/** The cache tag of one API key. */
export const keyTag = (keyId: string): string => `apikey:${keyId}`;

/** Makes the API keys. */
export function createKeys(deps: KeyDeps): Keys {
  return {
    create: (owner, key, ip) => create(deps, { owner, key, ip }),
    async remove(owner, keyId, ip) {
      const { userId, username } = owner;
      const at = new Date(deps.now());
      await deps.store.write(async (tx, stale) => {
        const name = await keyStore.deleteKey(tx, { id: keyId, userId });
        if (name === undefined) throw problem('not-found', 'You have no such API key.');
        stale(keyTag(keyId));
        const what = { resourceType: 'apikey', resourceId: keyId, details: { name } };
        await record(tx, { action: 'apikey.deleted', userId, username, ip, ...what, at });
      });
    },
  };
}

async function create(
  deps: KeyDeps,
  request: { owner: Principal; key: NewKey; ip: string | undefined },
): Promise<{ key: string; row: KeyRow }> {
  const { owner, ip } = request;
  const { scopes, expiresAt } = request.key;
  const name = request.key.name.normalize('NFC').trim();
  const at = new Date(deps.now());
  if (name === '') throw unfit('name', 'It must not be blank.');
  checkScopes(owner, scopes);
  if (expiresAt !== null && !(expiresAt > at)) throw unfit('expiresAt', 'It lies in the past.');
  const { userId, username } = owner;
  const key = newApiKey(deps.random);
  const fresh = { userId, name, prefix: apiKeyPrefix(key), hash: hashToken(key), scopes };
  const row = await deps.store.write(async (tx) => {
    // The user's row is the lock that makes the count hold.
    await lockUser(tx, userId);
    if ((await keyStore.countKeys(tx, userId)) >= keysPerUser) {
      throw problem('conflict', `You have ${keysPerUser} API keys; delete one first.`);
    }
    const made = await keyStore.insertKey(tx, { ...fresh, at, expiresAt });
    const details = { name, scopes, expiresAt: expiresAt?.toISOString() ?? null };
    const what = { resourceType: 'apikey', resourceId: made.id, details };
    await record(tx, { action: 'apikey.created', userId, username, ip, ...what, at });
    return made;
  });
  return { key, row };
}

function checkScopes(owner: Principal, scopes: readonly string[]): void {
  const held = permissionsOf(owner.role);
  const unknown = scopes.filter((scope) => !isPermission(scope));
  if (unknown.length > 0) throw unfit('scopes', `There is no ${unknown.join(', ')}.`);
  const beyond = scopes.filter((scope) => isPermission(scope) && !held.has(scope));
  if (beyond.length > 0) throw unfit('scopes', `You do not hold ${beyond.join(', ')}.`);
}

const unfit = (path: string, message: string) =>
  problem('unprocessable', `The API key cannot be made: ${message}`, {
    errors: [{ path: `/${path}`, message }],
  });
