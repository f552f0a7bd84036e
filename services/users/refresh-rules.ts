import type { ProblemCode } from '../errors.ts';
import { placeOf, type Client } from './client.ts';
import type { KnownToken } from './refresh-store.ts';

/** How long a lost answer may be asked for again. */
export const graceMs = 10_000;

/** What to do with a refresh token that could not be spent. */
export type Verdict =
  | { kind: 'refuse'; code: ProblemCode }
  | { kind: 'again'; token: KnownToken; sealed: Buffer; expiresAt: Date }
  | { kind: 'reused'; token: KnownToken };

/**
 * Decides on a refresh token that could not be spent. A used one ends its session (RFC 9700,
 * §4.14.2), but an answer can be lost on the way, and two tabs can ask at once: for 10 seconds the
 * same client (user agent, place) gets the same successor, as long as nobody has used that one.
 * Providers that allow such an overlap issue a second branch of tokens; here there is ever one live
 * token, so that a copy is found out at the next refresh at the latest.
 */
export function judgeToken(token: KnownToken | undefined, client: Client, nowMs: number): Verdict {
  if (token === undefined) return { kind: 'refuse', code: 'token-invalid' };
  if (token.isDisabled) return { kind: 'refuse', code: 'account-disabled' };
  if (token.isRevoked) {
    return { kind: 'refuse', code: token.usedAt === null ? 'token-invalid' : 'token-reused' };
  }
  if (token.sessionExpiresAt.getTime() <= nowMs) return { kind: 'refuse', code: 'token-expired' };
  if (token.usedAt === null) return { kind: 'refuse', code: 'token-expired' };
  const { usedAt, successorSealed: sealed, successorExpiresAt: expiresAt } = token;
  const isFresh = nowMs - usedAt.getTime() <= graceMs;
  if (isFresh && isSame(token, client) && sealed !== null && expiresAt !== null) {
    return { kind: 'again', token, sealed, expiresAt };
  }
  return { kind: 'reused', token };
}

const isSame = (token: KnownToken, client: Client) =>
  (token.userAgent ?? undefined) === client.userAgent &&
  placeOf(token.ip ?? undefined) === placeOf(client.ip);
