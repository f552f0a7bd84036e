import type { HandlersOf } from '#api/handler.ts';
import type { Store } from '../changes.ts';
import { plainIp } from './client.ts';
import { listKeys } from './key-store.ts';
import type { Keys } from './keys.ts';
import { keyJson, signedInOf } from './present.ts';

type KeyOperation = 'listApiKeys' | 'createApiKey' | 'deleteApiKey';

/** The handlers of `apikeys.yaml`. */
export function createKeyRoutes(deps: { store: Store; keys: Keys }): HandlersOf<KeyOperation> {
  const { store, keys } = deps;
  return {
    async listApiKeys({ principal }) {
      const rows = await listKeys(store.sql, signedInOf(principal).userId);
      return { body: { items: rows.map(keyJson), nextCursor: null } };
    },
    async createApiKey({ body, principal, request }) {
      const owner = signedInOf(principal);
      const expiresAt = body.expiresAt == null ? null : new Date(body.expiresAt);
      const asked = { name: body.name, scopes: body.scopes, expiresAt };
      const { key, row } = await keys.create(owner, asked, plainIp(request.ip));
      const headers = { 'cache-control': 'no-store' };
      return { status: 201, headers, body: { ...keyJson(row), key } };
    },
    async deleteApiKey({ params, principal, request }) {
      await keys.remove(signedInOf(principal), params.apiKeyId, plainIp(request.ip));
      return { status: 204, body: undefined };
    },
  };
}
