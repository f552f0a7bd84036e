import { createPublicKey, type X509Certificate } from 'node:crypto';
import { TrustError } from './errors.ts';
import { checkId, subjectOf, type Subject } from './names.ts';
import { readCertificates } from './pem.ts';
import { readKey, signingKeyOf, x509 } from './x509.ts';

/** A node's certificate, told apart. */
export interface Leaf {
  readonly certificate: X509Certificate;
  readonly subject: Subject;
  /** Milliseconds since 1970. */
  readonly validFrom: number;
  readonly validTo: number;
  /** When two thirds of its life are over: time to have it renewed, with a third left to manage. */
  readonly renewAt: number;
}

/** What a certificate has to fit. */
export interface Wanted {
  /** The authorities that are trusted, PEM. */
  readonly trusted: string;
  readonly clusterId: string;
  /** Undefined: any node of the cluster. */
  readonly nodeId?: string | undefined;
  /** The private key it has to belong to, PEM. */
  readonly key?: string | undefined;
  readonly now: number;
  /** One that has ended is taken, as long as all else fits: its node may have it renewed. */
  readonly allowExpired?: boolean | undefined;
}

/**
 * Asks for a certificate of this node (PKCS #10, PEM).
 * @throws TrustError `bad-id`, `unreadable`
 */
export async function createRequest(key: string, nodeId: string): Promise<string> {
  checkId(nodeId, 'node');
  const object = readKey(key, 'node.key');
  if (object.asymmetricKeyDetails?.namedCurve !== 'prime256v1') {
    throw new TrustError('unreadable', 'node.key is not an ECDSA P-256 key');
  }
  const { privateKey, algorithm } = signingKeyOf(object, 'node.key');
  const curve = { name: 'ECDSA', namedCurve: 'P-256' };
  const publicKey = createPublicKey(object).toCryptoKey(curve, true, ['verify']);
  const request = await x509.Pkcs10CertificateRequestGenerator.create({
    name: [{ CN: [nodeId] }],
    keys: { privateKey, publicKey },
    signingAlgorithm: algorithm,
  });
  return request.toString('pem') + '\n';
}

/**
 * Reads a node's certificate: the first of the chain. It is not compared with anything.
 * @throws TrustError `unreadable`
 */
export function readLeaf(pem: string): Leaf {
  return leafOf(readCertificates(pem, 'node.crt')[0]!);
}

function leafOf(certificate: X509Certificate): Leaf {
  const subject = subjectOf(certificate);
  if (!subject || certificate.ca) {
    throw new TrustError('unreadable', 'the certificate is not one of a node of a cluster');
  }
  const validFrom = certificate.validFromDate.getTime();
  const validTo = certificate.validToDate.getTime();
  const renewAt = validFrom + Math.floor(((validTo - validFrom) * 2) / 3);
  return { certificate, subject, validFrom, validTo, renewAt };
}

/**
 * Holds a node's certificate to all that is wanted of it.
 * @throws TrustError saying what does not fit, the gravest first
 */
export function checkLeaf(certificate: string | X509Certificate, wanted: Wanted): Leaf {
  const leaf = typeof certificate === 'string' ? readLeaf(certificate) : leafOf(certificate);
  const { subject } = leaf;
  if (!isSignedByOneOf(leaf.certificate, wanted.trusted)) {
    const other = 'the certificate is of another authority than the cluster trusts';
    throw new TrustError('wrong-authority', `${other}: join again with a new token`);
  }
  if (subject.clusterId !== wanted.clusterId) {
    const whose = `the certificate is of the cluster ${subject.clusterId}`;
    throw new TrustError('wrong-cluster', `${whose}, not of ${wanted.clusterId}`);
  }
  if (wanted.nodeId !== undefined && subject.nodeId !== wanted.nodeId) {
    const whose = `the certificate is of the node ${subject.nodeId}`;
    throw new TrustError('wrong-node', `${whose}, not of ${wanted.nodeId}`);
  }
  if (wanted.key && !leaf.certificate.checkPrivateKey(readKey(wanted.key, 'node.key'))) {
    throw new TrustError('wrong-key', 'node.key does not belong to node.crt: join again');
  }
  checkTime(leaf, wanted);
  return leaf;
}

/** Node's `checkIssued` compares names and usages, `verify` the signature; both have to agree. */
function isSignedByOneOf(certificate: X509Certificate, trusted: string): boolean {
  return readCertificates(trusted, 'ca.crt').some(
    (one) => one.ca && certificate.checkIssued(one) && certificate.verify(one.publicKey),
  );
}

function checkTime({ validFrom, validTo }: Leaf, { now, allowExpired }: Wanted): void {
  if (now < validFrom) {
    const begins = `the certificate begins at ${new Date(validFrom).toISOString()}`;
    throw new TrustError('not-yet-valid', `${begins}: is this machine's clock right?`);
  }
  if (now > validTo && allowExpired !== true) {
    const ended = `the certificate ended at ${new Date(validTo).toISOString()}`;
    throw new TrustError('expired', `${ended}: renew it with a join token`);
  }
}
