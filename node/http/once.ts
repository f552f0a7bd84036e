import type { JsonAnswer } from '#api/handler.ts';
import { problem } from '#services/errors.ts';
import type { Exchange } from './exchange.ts';

/** Carries out what a client may send again under a key of its own. */
export interface OncePort {
  carryOut(
    wish: {
      readonly principalId: string;
      readonly key: string;
      readonly operation: string;
      /** All that was asked, as text. */
      readonly request: string;
    },
    /** Its answer states its status, so that it can be kept. */
    work: () => Promise<JsonAnswer<unknown> & { readonly status: number }>,
  ): Promise<JsonAnswer<unknown>>;
}

/**
 * The key a request came under (draft-ietf-httpapi-idempotency-key-header), if it did and somebody
 * answers for it. Throws `bad-request` for what is no key.
 */
export function idempotencyKeyOf({ req, principal }: Exchange): string | undefined {
  const key = req.headers['idempotency-key'];
  if (key === undefined || !principal) return undefined;
  if (typeof key === 'string' && /^[\x21-\x7e]{1,255}$/.test(key)) return key;
  throw problem('bad-request', 'Idempotency-Key is 1 to 255 visible ASCII characters');
}
