import { createHash, hkdfSync } from 'node:crypto';

/** A source of random bytes: `crypto.randomBytes`, or a test's own. */
export type Random = (sizeBytes: number) => Uint8Array;

const tokenBytes = 32;

/** A new secret of 256 bits as base64url, for refresh and set-up tokens. */
export const newToken = (random: Random): string =>
  Buffer.from(random(tokenBytes)).toString('base64url');

/** What the database keeps of a secret. One round is enough: the secret has 256 bits to guess. */
export const hashToken = (token: string): Buffer => createHash('sha256').update(token).digest();

/**
 * Hides a successor under its predecessor, or takes it out again: XOR with a key that HKDF
 * (RFC 5869) makes of the predecessor. The predecessor is random and hides one value only, so this
 * is a one-time pad; the database alone, which holds only hashes, cannot undo it.
 */
export function sealSuccessor(predecessor: string, successor: Uint8Array): Buffer {
  const key = hkdfSync('sha256', predecessor, '', 'revenge refresh successor', tokenBytes);
  const pad = new Uint8Array(key);
  return Buffer.from(successor.map((byte, index) => byte ^ (pad[index] ?? 0)));
}

const keyPrefix = 'rv_';
const shownCharacters = keyPrefix.length + 8;

/** A new API key: `rv_` and 64 hexadecimal digits. */
export const newApiKey = (random: Random): string =>
  keyPrefix + Buffer.from(random(tokenBytes)).toString('hex');

/** True for what has the form of an API key. */
export const isApiKey = (text: string): boolean => /^rv_[0-9a-f]{64}$/.test(text);

/** The beginning of an API key, kept to tell keys apart in a list. */
export const apiKeyPrefix = (key: string): string => key.slice(0, shownCharacters);
