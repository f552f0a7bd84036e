/**
 * Join tokens: one line that a person carries from a member to a newcomer.
 *
 *     rj1.<SHA-256 of the authority's public key>.<id>.<secret of 160 bits>
 *
 * The newcomer compares the fingerprint before it says anything, so that the secret only ever
 * reaches a node of the cluster; there only the secret's SHA-256 is kept, so that who reads the
 * state cannot join. All parts are base32, for they are read aloud and typed.
 */
import { createHash, timingSafeEqual, type X509Certificate } from 'node:crypto';
import { fromBase32, toBase32 } from './base32.ts';
import { TrustError } from './errors.ts';
import { fingerprintOf, readCertificates } from './pem.ts';

export interface Token {
  /** SHA-256 of the public key of the cluster's authority. */
  readonly fingerprint: Buffer;
  /** Names it in lists; no secret. */
  readonly id: string;
  readonly secret: Buffer;
}

const version = 'rj1';
const fingerprintBytes = 32;
const idBytes = 5;
const secretBytes = 20;
const scheme = 'Revenge-Join';

/** Draws a token. `random` gives so many bytes that nobody can guess. */
export function createToken(fingerprint: Buffer, random: (bytes: number) => Buffer): Token {
  return { fingerprint, id: toBase32(random(idBytes)), secret: random(secretBytes) };
}

export function formatToken({ fingerprint, id, secret }: Token): string {
  return [version, toBase32(fingerprint), id, toBase32(secret)].join('.');
}

/**
 * Reads a token as it was pasted. The message never repeats it.
 * @throws TrustError `bad-token`
 */
export function parseToken(text: string): Token {
  const parts = text.trim().toLowerCase().split('.');
  const [prefix, fingerprintText = '', id = '', secretText = ''] = parts;
  if (!/^rj\d+$/.test(prefix ?? '')) throw bad(`it does not begin with ${version}.`);
  if (prefix !== version) throw bad(`it is of another version (${prefix}): update this node`);
  if (parts.length !== 4) throw bad(`it has ${parts.length} parts instead of 4: copy it whole`);
  const fingerprint = fromBase32(fingerprintText);
  const secret = fromBase32(secretText);
  if (fingerprint?.length !== fingerprintBytes) throw bad('its fingerprint is mistyped or cut');
  if (fromBase32(id)?.length !== idBytes) throw bad('its id is mistyped or cut');
  if (secret?.length !== secretBytes) throw bad('its secret is mistyped or cut');
  return { fingerprint, id, secret };
}

const bad = (why: string) => new TrustError('bad-token', `this is not a join token: ${why}`);

/** SHA-256 of the secret, hex: what the cluster keeps of it. */
export const hashSecret = (secret: Uint8Array): string =>
  createHash('sha256').update(secret).digest('hex');

/** Whether two hashes are the same, in a time that does not say where they differ. */
export function isSameHash(one: string, other: string): boolean {
  const [a, b] = [Buffer.from(one), Buffer.from(other)];
  return a.length === b.length && timingSafeEqual(a, b);
}

/** Whether a certificate is the authority that the token names. */
export const isPinnedBy = ({ fingerprint }: Token, certificate: X509Certificate): boolean =>
  certificate.ca && timingSafeEqual(fingerprintOf(certificate), fingerprint);

/**
 * Whether a token was made by the cluster that trusts these authorities (PEM). @throws TrustError
 */
export function isTokenOf(text: string, authorities: string): boolean {
  const token = parseToken(text);
  return readCertificates(authorities, 'ca.crt').some((one) => isPinnedBy(token, one));
}

/** A token shown to a node of the cluster: to be sent only once `isPinnedBy` was true. */
export const formatProof = ({ id, secret }: Token): string => `${scheme} ${id}.${toBase32(secret)}`;

/** What a node of the cluster makes of it: the secret goes no further. Undefined: it is none. */
export function readProof(
  header: string | undefined,
): { readonly id: string; readonly secretHash: string } | undefined {
  const [, id = '', text = ''] = /^Revenge-Join ([a-z2-7]+)\.([a-z2-7]+)$/.exec(header ?? '') ?? [];
  const secret = fromBase32(text);
  if (fromBase32(id)?.length !== idBytes || secret?.length !== secretBytes) return undefined;
  return { id, secretHash: hashSecret(secret) };
}
