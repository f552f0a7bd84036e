import { createHash } from 'node:crypto';
import { errors, jwtVerify, SignJWT } from 'jose';
import { problem } from '../errors.ts';
import type { Principal } from '../principal.ts';

/** How long an access token is good for. */
export const accessTokenMs = 15 * 60_000;

/** What an access token says; that it holds must be asked of the session. */
export interface AccessClaims {
  readonly userId: string;
  readonly sessionId: string;
  readonly role: Principal['role'];
}

/** Claims that have been verified, with the token's end (epoch ms). */
export type VerifiedClaims = AccessClaims & { readonly expiresAtMs: number };

/** Signs and reads access tokens. */
export interface AccessTokens {
  sign(claims: AccessClaims): Promise<{ token: string; expiresAt: Date }>;
  /** Throws `token-expired` or `token-invalid`. */
  verify(token: string): Promise<VerifiedClaims>;
}

const issuer = 'revenge';
const audience = 'revenge-api';
const algorithm = 'HS256';

/**
 * Makes the access tokens of this cluster: JWTs (RFC 7519, 8725) with HMAC-SHA-256. The key id is
 * taken from the secret, so that a token made with another one is known by its header.
 */
export function createAccessTokens(deps: { secret: Uint8Array; now: () => number }): AccessTokens {
  const { secret, now } = deps;
  if (secret.byteLength < 32) throw new RangeError('the token secret needs at least 32 bytes');
  const keyId = createHash('sha256').update('key id').update(secret).digest('hex').slice(0, 16);
  return {
    async sign({ userId, sessionId, role }) {
      const issuedAt = Math.floor(now() / 1_000);
      const expiresAt = issuedAt + accessTokenMs / 1_000;
      const token = await new SignJWT({ sid: sessionId, role })
        .setProtectedHeader({ alg: algorithm, kid: keyId, typ: 'at+jwt' })
        .setSubject(userId)
        .setIssuer(issuer)
        .setAudience(audience)
        .setIssuedAt(issuedAt)
        .setExpirationTime(expiresAt)
        .sign(secret);
      return { token, expiresAt: new Date(expiresAt * 1_000) };
    },
    async verify(token) {
      const { payload, protectedHeader } = await jwtVerify(token, secret, {
        algorithms: [algorithm],
        issuer,
        audience,
        typ: 'at+jwt',
        requiredClaims: ['sub', 'sid', 'role', 'iat', 'exp'],
        currentDate: new Date(now()),
      }).catch(refuse);
      const { sub, sid, role, exp } = payload;
      const isWhole =
        typeof sub === 'string' && typeof sid === 'string' && isRole(role) && exp !== undefined;
      if (!isWhole || protectedHeader.kid !== keyId) throw invalid();
      return { userId: sub, sessionId: sid, role, expiresAtMs: exp * 1_000 };
    },
  };
}

const isRole = (value: unknown): value is Principal['role'] =>
  value === 'admin' || value === 'user';

const invalid = () => problem('token-invalid', 'The access token was not made by this server.');

/** jose checks the signature before the claims, so "expired" is only said of our own tokens. */
function refuse(error: unknown): never {
  if (error instanceof errors.JWTExpired) {
    throw problem('token-expired', 'Refresh the session, then try again.');
  }
  if (error instanceof errors.JOSEError) throw invalid();
  throw error;
}
