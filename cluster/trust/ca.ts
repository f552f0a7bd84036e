import { X509Certificate, createPublicKey, webcrypto, type KeyObject } from 'node:crypto';
import { TrustError } from './errors.ts';
import { checkId, dnsNameOf, uriOf, type Subject } from './names.ts';
import { fingerprintOf, joinPem, readCertificates } from './pem.ts';
import { createKey, readKey, signingKeyOf, x509 } from './x509.ts';

export const DAY_MS = 86_400_000;
/** Clocks of a home differ, and a machine comes up before its clock is set. */
const backdatedMs = DAY_MS;
const authorityMs = 3650 * DAY_MS;
const leafMs = 365 * DAY_MS;

/** An authority as its two files hold it, PEM. */
export interface AuthorityFiles {
  /** One certificate, or during a rotation two: all are trusted. */
  readonly certificates: string;
  /** Signs for the certificate that it belongs to. */
  readonly key: string;
}

/** What signs the certificates of a cluster's nodes. */
export interface Authority {
  /** The one that signs. */
  readonly certificate: X509Certificate;
  /** All that are trusted, PEM. */
  readonly trusted: string;
  /** SHA-256 of the signing authority's public key: what a join token pins. */
  readonly fingerprint: Buffer;
  /**
   * A certificate for a node: only the public key is taken from the request. Its common name must
   * be the node's id, so that a mix-up is found here. The chain, leaf first, as PEM.
   * @throws TrustError `bad-request`, `bad-id`
   */
  readonly sign: (request: string, subject: Subject) => Promise<string>;
}

/** Makes an authority: ECDSA P-256, ten years, good for leaves only. @throws TrustError `bad-id` */
export async function createAuthority(clusterId: string, now: number): Promise<AuthorityFiles> {
  checkId(clusterId, 'cluster');
  const key = await createKey();
  const object = readKey(key, 'the new key');
  const { privateKey, algorithm } = signingKeyOf(object, 'the new key');
  const publicKey = publicKeyOf(object);
  const { keyCertSign, cRLSign } = x509.KeyUsageFlags;
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: serial(),
    name: [{ CN: [`Revenge ${clusterId}`.slice(0, 64)] }],
    ...validFor(now, authorityMs),
    signingAlgorithm: algorithm,
    keys: { privateKey, publicKey },
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(keyCertSign | cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(publicKey),
    ],
  });
  return { certificates: certificate.toString('pem') + '\n', key };
}

/**
 * A new authority beside the old one. Write it to all nodes, have every node's certificate renewed,
 * then drop the old one with `dropOld`. Tokens made before name the old one.
 */
export async function rotateAuthority(
  old: AuthorityFiles,
  clusterId: string,
  now: number,
): Promise<AuthorityFiles> {
  const fresh = await createAuthority(clusterId, now);
  const all = [fresh.certificates, old.certificates].flatMap((pem) =>
    readCertificates(pem, 'the authority'),
  );
  return { certificates: joinPem(all), key: fresh.key };
}

/** Ends a rotation: only the authority that signs stays trusted. @throws TrustError */
export function dropOld(files: AuthorityFiles): AuthorityFiles {
  const { certificate } = signerOf(files);
  return { ...files, certificates: joinPem([certificate]) };
}

/**
 * Makes an authority of its files, our own or brought along. One that is brought along should sign
 * for this cluster alone: Raft asks only whether a certificate of it bears the node's name.
 * @throws TrustError `unreadable`, `not-an-authority`, `expired`, `not-yet-valid`
 */
export function openAuthority(files: AuthorityFiles, now: () => number): Authority {
  const { certificate, object } = signerOf(files);
  checkIsOf(certificate, now());
  const trusted = joinPem(readCertificates(files.certificates, 'ca.crt'));
  return {
    certificate,
    trusted,
    fingerprint: fingerprintOf(certificate),
    async sign(request, subject) {
      checkId(subject.clusterId, 'cluster');
      checkId(subject.nodeId, 'node');
      checkIsOf(certificate, now());
      const publicKey = await readRequest(request, subject.nodeId);
      const leaf = await signLeaf({ certificate, object, publicKey, subject, now: now() });
      return joinPem([new X509Certificate(leaf), certificate]);
    },
  };
}

function signerOf({ certificates, key }: AuthorityFiles) {
  const object = readKey(key, 'ca.key');
  const all = readCertificates(certificates, 'ca.crt');
  const certificate = all.find((one) => one.checkPrivateKey(object));
  if (certificate) return { certificate, object };
  const why = 'ca.key belongs to none of the certificates in ca.crt';
  throw new TrustError('not-an-authority', `${why}: bring back the pair that was made together`);
}

function checkIsOf(certificate: X509Certificate, now: number): void {
  const usage = new x509.X509Certificate(certificate.raw).getExtension(x509.KeyUsagesExtension);
  const maySign = !usage || (usage.usages & x509.KeyUsageFlags.keyCertSign) !== 0;
  if (!certificate.ca || !maySign) {
    throw new TrustError('not-an-authority', 'the certificate in ca.crt may not sign others');
  }
  if (now > certificate.validToDate.getTime()) {
    const ended = `the cluster's authority ended at ${certificate.validToDate.toISOString()}`;
    throw new TrustError('expired', `${ended}: rotate it, or set this machine's clock right`);
  }
  if (now < certificate.validFromDate.getTime()) {
    const begins = `the cluster's authority begins at ${certificate.validFromDate.toISOString()}`;
    throw new TrustError('not-yet-valid', `${begins}: is this machine's clock right?`);
  }
}

/** The public key of a request. @throws TrustError `bad-request` */
async function readRequest(pem: string, nodeId: string): Promise<webcrypto.CryptoKey> {
  const { request, isSigned } = await openRequest(pem);
  if (!isSigned) {
    throw new TrustError('bad-request', 'the request was changed: its key did not sign it');
  }
  const names = request.subjectName.toJSON();
  if (names.length !== 1 || names[0]!['CN']?.join() !== nodeId) {
    const asked = `the request is for '${request.subject}'`;
    throw new TrustError('bad-request', `${asked}, not for the node ${nodeId}`);
  }
  const key = (await request.publicKey.export()) as webcrypto.CryptoKey;
  const { name, namedCurve } = key.algorithm as webcrypto.EcKeyAlgorithm;
  if (name !== 'ECDSA' || namedCurve !== 'P-256') {
    throw new TrustError('bad-request', 'the key of the request is not ECDSA P-256');
  }
  return key;
}

async function openRequest(pem: string) {
  try {
    const request = new x509.Pkcs10CertificateRequest(pem);
    return { request, isSigned: await request.verify() };
  } catch (error) {
    throw new TrustError('bad-request', 'this is no request for a certificate', error);
  }
}

interface Leaf {
  readonly certificate: X509Certificate;
  readonly object: KeyObject;
  readonly publicKey: webcrypto.CryptoKey;
  readonly subject: Subject;
  readonly now: number;
}

async function signLeaf({ certificate, object, publicKey, subject, now }: Leaf): Promise<string> {
  const issuer = new x509.X509Certificate(certificate.raw);
  const { privateKey, algorithm } = signingKeyOf(object, 'ca.key');
  const { notBefore, notAfter } = validFor(now, leafMs);
  const end = Math.min(notAfter.getTime(), certificate.validToDate.getTime());
  const { clientAuth, serverAuth } = x509.ExtendedKeyUsage;
  const leaf = await x509.X509CertificateGenerator.create({
    serialNumber: serial(),
    subject: [{ CN: [subject.nodeId] }],
    issuer: issuer.subjectName,
    ...{ notBefore, notAfter: new Date(end) },
    ...{ publicKey, signingKey: privateKey, signingAlgorithm: algorithm },
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([clientAuth, serverAuth]),
      new x509.SubjectAlternativeNameExtension([
        { type: 'dns', value: dnsNameOf(subject.nodeId) },
        { type: 'url', value: uriOf(subject) },
      ]),
      await x509.SubjectKeyIdentifierExtension.create(publicKey),
      await x509.AuthorityKeyIdentifierExtension.create(issuer.publicKey),
    ],
  });
  return leaf.toString('pem');
}

function publicKeyOf(key: KeyObject): webcrypto.CryptoKey {
  return createPublicKey(key).toCryptoKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, ['verify']);
}

/** To the second, as certificates have it. */
function validFor(now: number, ms: number): { notBefore: Date; notAfter: Date } {
  const seconds = (at: number) => new Date(Math.floor(at / 1000) * 1000);
  return { notBefore: seconds(now - backdatedMs), notAfter: seconds(now + ms) };
}

/** 127 random bits: positive, and of at most 20 octets (RFC 5280 §4.1.2.2). */
function serial(): string {
  const bytes = webcrypto.getRandomValues(Buffer.alloc(16));
  bytes[0] = (bytes[0]! & 0x7f) | 0x01;
  return bytes.toString('hex');
}
