import { hkdfSync } from 'node:crypto';
import { errors, jwtVerify, SignJWT } from 'jose';
import { problem } from '../errors.ts';

/** What a signed address says: who, on whose credential, may fetch what. */
export interface AddressClaims {
  readonly userId: string;
  readonly via: 'session' | 'apikey';
  readonly credentialId: string;
  /** The one operation it opens, and the one file. */
  readonly operationId: string;
  readonly fileId: string;
  /** The user's count of revocations when it was made. */
  readonly epoch: number;
}

/** Makes and reads the tokens of signed addresses. */
export interface AddressTokens {
  sign(claims: AddressClaims, expiresAt: Date): Promise<string>;
  /** Throws `token-expired` or `token-invalid`. */
  verify(token: string): Promise<AddressClaims>;
}

const algorithm = 'HS256';
const audience = 'revenge-address';
const type = 'address+jwt';

/**
 * JWTs (RFC 7519) under a key of their own, derived from the cluster's signing key (RFC 5869), so
 * that no other token of the system can ever pass for one.
 */
export function createAddressTokens(deps: {
  signingKey: Uint8Array;
  now: () => number;
}): AddressTokens {
  const key = new Uint8Array(hkdfSync('sha256', deps.signingKey, '', 'playback address', 32));
  return {
    sign: (claims, expiresAt) =>
      new SignJWT({
        via: claims.via,
        cid: claims.credentialId,
        op: claims.operationId,
        file: claims.fileId,
        epoch: claims.epoch,
      })
        .setProtectedHeader({ alg: algorithm, typ: type })
        .setSubject(claims.userId)
        .setAudience(audience)
        .setExpirationTime(Math.floor(expiresAt.getTime() / 1_000))
        .sign(key),
    async verify(token) {
      const { payload } = await jwtVerify(token, key, {
        algorithms: [algorithm],
        audience,
        typ: type,
        requiredClaims: ['sub', 'via', 'cid', 'op', 'file', 'epoch', 'exp'],
        currentDate: new Date(deps.now()),
      }).catch(refuse);
      const { sub, via, cid, op, file, epoch } = payload;
      const isKnown = via === 'session' || via === 'apikey';
      const areTexts = [sub, cid, op, file].every((value) => typeof value === 'string');
      if (!isKnown || !areTexts || typeof epoch !== 'number') throw invalid();
      return {
        userId: sub as string,
        via,
        credentialId: cid as string,
        operationId: op as string,
        fileId: file as string,
        epoch,
      };
    },
  };
}

const invalid = () => problem('token-invalid', 'The address was not made by this server.');

/** jose checks the signature before the claims, so "expired" is only said of our own tokens. */
function refuse(error: unknown): never {
  if (error instanceof errors.JWTExpired) {
    throw problem('token-expired', 'The address has expired; ask for a new one.');
  }
  if (error instanceof errors.JOSEError) throw invalid();
  throw error;
}
