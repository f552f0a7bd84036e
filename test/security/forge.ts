import { createPublicKey, webcrypto, X509Certificate } from 'node:crypto';
import { createAuthority, DAY_MS, type AuthorityFiles } from '#cluster/trust/ca.ts';
import { dnsNameOf, uriOf, type Subject } from '#cluster/trust/names.ts';
import { createKey, readKey, signingKeyOf, x509 } from '#cluster/trust/x509.ts';

/** A certificate with its key, and who vouches for it; PEM. */
export interface Credentials {
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

export interface Forgery extends Subject {
  /** Milliseconds since 1970; a year around now unless given. */
  readonly from?: number;
  readonly to?: number;
}

/** A certificate as the authority itself would make it, at whatever time and for whomever. */
export async function forge(authority: AuthorityFiles, forgery: Forgery): Promise<Credentials> {
  const { from = Date.now() - DAY_MS, to = Date.now() + 365 * DAY_MS, ...subject } = forgery;
  const key = await createKey();
  const issuer = new x509.X509Certificate(new X509Certificate(authority.certificates).raw);
  const { privateKey, algorithm } = signingKeyOf(readKey(authority.key, 'ca.key'), 'ca.key');
  const { clientAuth, serverAuth } = x509.ExtendedKeyUsage;
  const publicKey = createPublicKey(readKey(key, 'key')).toCryptoKey(
    { name: 'ECDSA', namedCurve: 'P-256' },
    ...([true, ['verify']] as const),
  );
  const leaf = await x509.X509CertificateGenerator.create({
    serialNumber: Buffer.from(webcrypto.getRandomValues(new Uint8Array(8))).toString('hex'),
    subject: [{ CN: [subject.nodeId] }],
    issuer: issuer.subjectName,
    ...{ notBefore: new Date(from), notAfter: new Date(to) },
    ...{ publicKey, signingKey: privateKey, signingAlgorithm: algorithm },
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([clientAuth, serverAuth]),
      new x509.SubjectAlternativeNameExtension([
        { type: 'dns', value: dnsNameOf(subject.nodeId) },
        { type: 'url', value: uriOf(subject) },
      ]),
      await x509.AuthorityKeyIdentifierExtension.create(issuer.publicKey),
    ],
  });
  const { certificates: ca } = authority;
  return { ca, cert: `${leaf.toString('pem')}\n${ca}`, key };
}

/** Who wants to come in, by what it shows. */
export interface Crowd {
  /** A member's own, taken from its disk: what a thief of one node has. */
  readonly member: Credentials;
  /** Of one that was a member, and was removed: its certificate is good for a year. */
  readonly removed: Credentials;
  readonly expired: Credentials;
  readonly notYet: Credentials;
  /** All names of a member, by another authority. */
  readonly wrongAuthority: Credentials;
  /** A member's name, of another cluster that has the same authority. */
  readonly wrongCluster: Credentials;
}

/** Makes the others; `member` is the real one, of the node with this id. */
export async function gather(
  authority: AuthorityFiles,
  { member, removed, clusterId, nodeId }: Subject & Pick<Crowd, 'member' | 'removed'>,
): Promise<Crowd> {
  const now = Date.now();
  const us = { clusterId, nodeId };
  const strange = await createAuthority(clusterId, now);
  return {
    ...{ member, removed },
    expired: await forge(authority, { ...us, from: now - 2 * DAY_MS, to: now - DAY_MS }),
    notYet: await forge(authority, { ...us, from: now + DAY_MS }),
    wrongAuthority: await forge(strange, us),
    wrongCluster: await forge(authority, { clusterId: 'another', nodeId }),
  };
}
