/**
 * The only place that loads the certificate library: it wants `reflect-metadata` to be there before
 * it. What merely reads certificates uses Node's own X509Certificate.
 */
import 'reflect-metadata';
import { createPrivateKey, webcrypto, type KeyObject } from 'node:crypto';
import * as x509 from '@peculiar/x509';
import { TrustError } from './errors.ts';

export { x509 };

type CryptoKey = webcrypto.CryptoKey;

export interface SigningKey {
  readonly privateKey: CryptoKey;
  readonly algorithm: webcrypto.EcdsaParams | webcrypto.RsaHashedImportParams;
}

const curves: Readonly<Record<string, readonly [namedCurve: string, hash: string]>> = {
  prime256v1: ['P-256', 'SHA-256'],
  secp384r1: ['P-384', 'SHA-384'],
  secp521r1: ['P-521', 'SHA-512'],
};

/** A new ECDSA P-256 key, PKCS #8 as PEM. */
export async function createKey(): Promise<string> {
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256' };
  const { privateKey } = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const der = await webcrypto.subtle.exportKey('pkcs8', privateKey);
  return x509.PemConverter.encode(der, 'PRIVATE KEY') + '\n';
}

/** Reads a private key. @throws TrustError `unreadable` */
export function readKey(pem: string, what: string): KeyObject {
  try {
    return createPrivateKey(pem);
  } catch (error) {
    const why = 'is not a private key in PEM without a passphrase';
    throw new TrustError('unreadable', `${what} ${why}`, error);
  }
}

/** @throws TrustError `unreadable` for a key that is neither ECDSA nor RSA */
export function signingKeyOf(key: KeyObject, what: string): SigningKey {
  const { asymmetricKeyType: type, asymmetricKeyDetails: details } = key;
  const [namedCurve, hash] = curves[details?.namedCurve ?? ''] ?? [];
  if (type === 'ec' && namedCurve && hash) {
    const privateKey = key.toCryptoKey({ name: 'ECDSA', namedCurve }, true, ['sign']);
    return { privateKey, algorithm: { name: 'ECDSA', hash } };
  }
  if (type === 'rsa') {
    const algorithm = { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' };
    return { privateKey: key.toCryptoKey(algorithm, true, ['sign']), algorithm };
  }
  throw new TrustError('unreadable', `${what} is neither an ECDSA (P-256 …) nor an RSA key`);
}
