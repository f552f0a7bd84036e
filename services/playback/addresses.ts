import type { HandlersOf } from '#api/handler.ts';
import type { Cache } from '#storage/cache/cache.ts';
import type { Store } from '../changes.ts';
import { problem } from '../errors.ts';
import { callerOf, type Credentials } from '../principal.ts';
import { createAddressTokens, type AddressClaims } from './address.ts';
import type { Files } from './files.ts';
import { findEpoch, raiseEpoch } from './store.ts';

/** The credential an address was made with; the address lives as long as that one. */
export interface SignedAddress {
  readonly via: 'session' | 'apikey';
  readonly credentialId: string;
}

/**
 * Reads a signed address. Throws `token-expired`; `token-invalid` when it was not made here or has
 * been revoked; `forbidden` when it is for another file or another operation.
 */
export type VerifyAddress = (
  signature: NonNullable<Credentials['signature']>,
) => Promise<SignedAddress>;

export interface AddressDeps {
  readonly store: Store;
  readonly cache: Cache;
  readonly files: Pick<Files, 'get'>;
  readonly signingKey: Uint8Array;
  readonly now: () => number;
}

export interface Addresses {
  readonly verify: VerifyAddress;
  readonly handlers: HandlersOf<'createPlaybackAddress' | 'revokePlaybackAddresses'>;
}

const lifetimeMs = 6 * 3_600_000;
const operationId = 'getPlaybackContent';
const epochTag = (userId: string) => `addresses:${userId}`;

/** Makes, checks and revokes signed addresses. */
export function createAddresses({ store, cache, files, signingKey, now }: AddressDeps): Addresses {
  const tokens = createAddressTokens({ signingKey, now });
  const epochs = cache.define({
    name: 'address-epoch',
    ttlMs: 30_000,
    load: (userId: string) => findEpoch(store.sql, userId),
    tags: (_, userId) => [epochTag(userId)],
  });
  return {
    async verify(signature) {
      const claims = await tokens.verify(signature.token);
      checkBinding(claims, signature);
      if (claims.epoch !== (await epochs.get(claims.userId))) {
        throw problem('token-invalid', 'The address has been revoked; ask for a new one.');
      }
      return { via: claims.via, credentialId: claims.credentialId };
    },
    handlers: {
      async createPlaybackAddress({ params, body, principal }) {
        const caller = callerOf(principal);
        const { userId, via, credentialId } = caller;
        if (via === 'signed') throw problem('forbidden', 'An address cannot make another one');
        if (via === 'operator') {
          throw problem(
            'forbidden',
            'An address ends with its session: sign in, or use an API key',
          );
        }
        const file = await files.get(params.fileId, caller);
        // Whole seconds, as tokens count them, so that what is said is what holds.
        const endMs = now() + (body?.lifetimeMs ?? lifetimeMs);
        const expiresAt = new Date(Math.floor(endMs / 1_000) * 1_000);
        const epoch = await findEpoch(store.sql, userId);
        const claims = { userId, via, credentialId, operationId, fileId: file.id, epoch };
        const token = await tokens.sign(claims, expiresAt);
        const url = `/api/v1/playback/files/${file.id}/content?token=${token}`;
        return { status: 201, body: { url, expiresAt: expiresAt.toISOString() } };
      },
      async revokePlaybackAddresses({ principal }) {
        const { userId } = callerOf(principal);
        await store.write(async (tx, stale) => {
          await raiseEpoch(tx, userId);
          stale(epochTag(userId));
        });
        return { status: 204, body: undefined };
      },
    },
  };
}

function checkBinding(
  claims: AddressClaims,
  signature: NonNullable<Credentials['signature']>,
): void {
  const isSame =
    claims.operationId === signature.operationId && claims.fileId === signature.params['fileId'];
  if (!isSame) throw problem('forbidden', 'The address was made for something else');
}
