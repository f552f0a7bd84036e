import { createHash, X509Certificate } from 'node:crypto';
import { TrustError } from './errors.ts';

const pattern = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/** All certificates of a text, in its order. @throws TrustError `unreadable` when there is none */
export function readCertificates(pem: string, what: string): readonly X509Certificate[] {
  const found = pem.match(pattern) ?? [];
  if (found.length === 0) throw new TrustError('unreadable', `${what} holds no certificate`);
  try {
    return found.map((one) => new X509Certificate(one));
  } catch (error) {
    throw new TrustError('unreadable', `${what} holds a damaged certificate`, error);
  }
}

/** SHA-256 of a certificate's public key (SubjectPublicKeyInfo), as RFC 7469 §2.4 pins it. */
export function fingerprintOf({ publicKey }: X509Certificate): Buffer {
  return createHash('sha256')
    .update(publicKey.export({ type: 'spki', format: 'der' }))
    .digest();
}

/** Certificates as one text, each once. */
export function joinPem(certificates: readonly X509Certificate[]): string {
  const seen = new Set<string>();
  return certificates
    .filter(({ fingerprint256 }) => !seen.has(fingerprint256) && seen.add(fingerprint256))
    .map((certificate) => `${certificate.toString().trim()}\n`)
    .join('');
}
