import { expect } from 'chai';
import { createPrivateKey, createPublicKey, generateKeyPairSync } from 'node:crypto';
import { speaksFor } from '../raft/transport/identity.ts';
import { DAY_MS, createAuthority, dropOld, openAuthority, rotateAuthority } from './ca.ts';
import { checkLeaf, createRequest, readLeaf, type Wanted } from './certificates.ts';
import { TrustError, type TrustProblem } from './errors.ts';
import { readCertificates } from './pem.ts';
import { createKey, x509 } from './x509.ts';

const now = Date.parse('2026-03-01T12:00:00Z');
const clusterId = '0192f0c4-1111-7222-8333-444455556666';
const subject = { clusterId, nodeId: 'n1' };

async function problemOf(run: () => unknown): Promise<TrustProblem | 'none'> {
  try {
    await run();
    return 'none';
  } catch (error) {
    if (error instanceof TrustError) return error.problem;
    throw error;
  }
}

/** A self-signed certificate by any recipe, for authorities that people bring along. */
async function selfSigned(algorithm: EcKeyGenParams | RsaHashedKeyGenParams, isAuthority = true) {
  const pair = await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const keys = pair as never;
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    name: [{ CN: ['Somebody'], O: ['Home, "Sweet" Home'] }],
    notBefore: new Date(now - DAY_MS),
    notAfter: new Date(now + 100 * DAY_MS),
    signingAlgorithm: { ...algorithm, hash: 'SHA-256' },
    keys,
    extensions: [new x509.BasicConstraintsExtension(isAuthority, 0, true)],
  });
  const der = await crypto.subtle.exportKey('pkcs8', pair.privateKey);
  return {
    certificates: certificate.toString('pem'),
    key: x509.PemConverter.encode(der, 'PRIVATE KEY'),
  };
}
type EcKeyGenParams = { name: string; namedCurve: string };
type RsaHashedKeyGenParams = {
  name: string;
  hash: string;
  modulusLength: number;
  publicExponent: Uint8Array<ArrayBuffer>;
};
const ec = { name: 'ECDSA', namedCurve: 'P-384' };
const rsa = {
  name: 'RSASSA-PKCS1-v1_5',
  hash: 'SHA-256',
  modulusLength: 2048,
  publicExponent: new Uint8Array([1, 0, 1]),
};

describe('the certificates of a cluster', () => {
  let files: Awaited<ReturnType<typeof createAuthority>>;
  let key: string;
  let request: string;
  let chain: string;
  let wanted: Wanted;

  before(async () => {
    files = await createAuthority(clusterId, now);
    key = await createKey();
    request = await createRequest(key, 'n1');
    chain = await openAuthority(files, () => now).sign(request, subject);
    wanted = { trusted: files.certificates, clusterId, nodeId: 'n1', key, now };
  });

  it('are made by an authority for ten years, which may sign leaves only', () => {
    const [authority] = readCertificates(files.certificates, 'ca.crt');
    expect(authority!.ca).to.be.true;
    expect(authority!.validFromDate.getTime()).to.equal(now - DAY_MS);
    expect(authority!.validToDate.getTime()).to.equal(now + 3650 * DAY_MS);
    const parsed = new x509.X509Certificate(authority!.raw);
    const constraints = parsed.getExtension(x509.BasicConstraintsExtension);
    expect(constraints).to.include({ ca: true, pathLength: 0, critical: true });
    expect(createPublicKey(authority!.toString()).asymmetricKeyDetails).to.deep.equal({
      namedCurve: 'prime256v1',
    });
  });

  it('name the node and its cluster, and speak for it in Raft', () => {
    const { certificate, subject: found, ...times } = checkLeaf(chain, wanted);
    expect(found).to.deep.equal(subject);
    expect(certificate.subjectAltName).to.equal(
      `DNS:n1.node.revenge.internal, URI:spiffe://${clusterId}/node/n1`,
    );
    expect(certificate.keyUsage).to.have.members(['1.3.6.1.5.5.7.3.1', '1.3.6.1.5.5.7.3.2']);
    expect(times.validFrom).to.equal(now - DAY_MS);
    expect(times.validTo).to.equal(now + 365 * DAY_MS);
    expect(times.renewAt).to.equal(now - DAY_MS + 244 * DAY_MS);
    const legacy = certificate.toLegacyObject();
    const says = ['n1', 'n1.2', 'n2', 'n1.node', undefined].map((id) => speaksFor(id, legacy));
    expect(says).to.deep.equal([true, true, false, false, false]);
  });

  it('come with the authority, for newcomers who know only its fingerprint', () => {
    const [, authority] = readCertificates(chain, 'node.crt');
    expect(authority!.toString().trim()).to.equal(files.certificates.trim());
  });

  it('are refused with the gravest reason', async () => {
    const other = await createAuthority(clusterId, now);
    const otherKey = await createKey();
    const at = (days: number) => now + days * DAY_MS;
    const cases: [string, Partial<Wanted>, TrustProblem | 'none'][] = [
      ['as wanted', {}, 'none'],
      ['any node', { nodeId: undefined }, 'none'],
      ['another authority of the same name', { trusted: other.certificates }, 'wrong-authority'],
      ['another cluster', { clusterId: 'c2' }, 'wrong-cluster'],
      ['another node', { nodeId: 'n2' }, 'wrong-node'],
      ['a rejoined node', { nodeId: 'n1.2' }, 'wrong-node'],
      ['another key', { key: otherKey }, 'wrong-key'],
      ['a key that is none', { key: 'x' }, 'unreadable'],
      ['a clock a day behind', { now: at(-1) }, 'none'],
      ['a clock of 1970', { now: 0 }, 'not-yet-valid'],
      ['its last day', { now: at(365) }, 'none'],
      ['later', { now: at(366) }, 'expired'],
      ['later, to renew', { now: at(366), allowExpired: true }, 'none'],
      ['to renew, too early', { now: 0, allowExpired: true }, 'not-yet-valid'],
      [
        'to renew, of another authority',
        { now: at(366), allowExpired: true, trusted: other.certificates },
        'wrong-authority',
      ],
      ['no authorities', { trusted: '' }, 'unreadable'],
    ];
    for (const [name, change, problem] of cases) {
      const found = await problemOf(() => checkLeaf(chain, { ...wanted, ...change }));
      expect(found, name).to.equal(problem);
    }
  });

  it('are not read out of garbage', async () => {
    const pem = (body: string) =>
      `-----BEGIN CERTIFICATE-----\n${body}\n-----END CERTIFICATE-----\n`;
    const [, authority] = readCertificates(chain, 'node.crt');
    const texts = [
      '',
      'garbage',
      pem('AAAA'),
      pem('?'),
      chain.slice(0, 200),
      authority!.toString(),
    ];
    for (const text of texts) {
      expect(await problemOf(() => readLeaf(text)), text).to.equal('unreadable');
    }
  });

  describe('signing', () => {
    it('refuses what was not signed, what names another, and what is no request', async () => {
      const { sign } = openAuthority(files, () => now);
      const body = request.split('\n').slice(1, -2).join('');
      const bytes = Buffer.from(body, 'base64');
      const pem = (der: Buffer) => x509.PemConverter.encode(der, 'CERTIFICATE REQUEST');
      const name = bytes.indexOf('n1');
      expect(name).to.be.greaterThan(0);
      const renamed = Buffer.from(bytes);
      renamed.write('n2', name);
      const resigned = Buffer.from(bytes);
      resigned[bytes.length - 1]! ^= 1;
      const cases: [string, string, string][] = [
        ['another name in it', pem(renamed), 'n2'],
        ['another signature', pem(resigned), 'n1'],
        ['for another node', request, 'n2'],
        ['cut', pem(bytes.subarray(0, 40)), 'n1'],
        ['garbage', 'garbage', 'n1'],
        ['nothing', '', 'n1'],
        ['a certificate', chain, 'n1'],
      ];
      for (const [what, text, nodeId] of cases) {
        const found = await problemOf(() => sign(text, { clusterId, nodeId }));
        expect(found, what).to.equal('bad-request');
      }
    });

    it('survives every byte of a request being changed', async () => {
      const { sign } = openAuthority(files, () => now);
      const bytes = Buffer.from(request.split('\n').slice(1, -2).join(''), 'base64');
      for (let at = 0; at < bytes.length; at += 1) {
        const changed = Buffer.from(bytes);
        changed[at]! ^= 0xff;
        const text = x509.PemConverter.encode(changed, 'CERTIFICATE REQUEST');
        expect(await problemOf(() => sign(text, subject)), `byte ${at}`).to.equal('bad-request');
      }
    });

    it('takes only keys of the agreed kind', async () => {
      const { sign } = openAuthority(files, () => now);
      const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'secp384r1' });
      const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
      expect(await problemOf(() => createRequest(pem, 'n1'))).to.equal('unreadable');
      const keys = await crypto.subtle.generateKey(ec, true, ['sign', 'verify']);
      const asked = await x509.Pkcs10CertificateRequestGenerator.create({
        name: [{ CN: ['n1'] }],
        signingAlgorithm: { name: 'ECDSA', hash: 'SHA-256' },
        keys: keys as never,
      });
      expect(await problemOf(() => sign(asked.toString('pem'), subject))).to.equal('bad-request');
    });

    it('keeps to ids that can only be one node', async () => {
      const { sign } = openAuthority(files, () => now);
      const ids = ['', '-a', 'a b', 'a/b', 'a,DNS:b', 'n1.node.revenge.internal', 'x'.repeat(64)];
      for (const nodeId of [...ids, 'n1.node.revenge.internal.2']) {
        expect(await problemOf(() => createRequest(key, nodeId)), nodeId).to.equal('bad-id');
        expect(await problemOf(() => sign(request, { clusterId, nodeId })), nodeId).to.equal(
          'bad-id',
        );
      }
    });

    it('ends with the authority, not after it', async () => {
      const late = now + 3600 * DAY_MS;
      const { sign, certificate } = openAuthority(files, () => late);
      const leaf = readLeaf(await sign(request, subject));
      expect(leaf.validTo).to.equal(certificate.validToDate.getTime());
    });
  });

  describe('the authority', () => {
    it('says what is wrong with its files', async () => {
      const other = await createAuthority(clusterId, now);
      const notOne = await selfSigned(ec, false);
      const cases: [string, () => unknown, TrustProblem][] = [
        [
          'not its key',
          () => openAuthority({ ...files, key: other.key }, () => now),
          'not-an-authority',
        ],
        ['no key', () => openAuthority({ ...files, key: 'x' }, () => now), 'unreadable'],
        [
          'no certificate',
          () => openAuthority({ ...files, certificates: 'x' }, () => now),
          'unreadable',
        ],
        [
          'a leaf',
          () => openAuthority({ certificates: chain, key }, () => now),
          'not-an-authority',
        ],
        ['not an authority', () => openAuthority(notOne, () => now), 'not-an-authority'],
        ['ended', () => openAuthority(files, () => now + 3651 * DAY_MS), 'expired'],
        ['not begun', () => openAuthority(files, () => 0), 'not-yet-valid'],
      ];
      for (const [name, run, problem] of cases) {
        expect(await problemOf(run), name).to.equal(problem);
      }
    });

    for (const [name, algorithm] of Object.entries({ 'ECDSA P-384': ec, RSA: rsa })) {
      it(`may be brought along: ${name}`, async () => {
        const brought = await selfSigned(algorithm);
        const { sign, trusted } = openAuthority(brought, () => now);
        const leaf = checkLeaf(await sign(request, subject), { ...wanted, trusted });
        expect(leaf.validTo).to.equal(now + 100 * DAY_MS);
      });
    }

    it('is rotated: both are trusted, the newer signs, then the old one goes', async () => {
      const both = await rotateAuthority(files, clusterId, now);
      expect(readCertificates(both.certificates, 'ca.crt')).to.have.length(2);
      const authority = openAuthority(both, () => now);
      const fresh = await authority.sign(request, subject);
      const { trusted } = authority;
      expect(await problemOf(() => checkLeaf(chain, { ...wanted, trusted }))).to.equal('none');
      expect(await problemOf(() => checkLeaf(fresh, { ...wanted, trusted }))).to.equal('none');
      expect(await problemOf(() => checkLeaf(fresh, wanted))).to.equal('wrong-authority');
      const last = { ...wanted, trusted: dropOld(both).certificates };
      expect(await problemOf(() => checkLeaf(fresh, last))).to.equal('none');
      expect(await problemOf(() => checkLeaf(chain, last))).to.equal('wrong-authority');
      // A crash between the two files leaves the old key with both certificates: it still signs.
      const torn = openAuthority({ ...both, key: files.key }, () => now);
      expect(torn.fingerprint.equals(authority.fingerprint)).to.be.false;
      const signed = await torn.sign(request, subject);
      expect(await problemOf(() => checkLeaf(signed, { ...wanted, trusted }))).to.equal('none');
    });

    it('keeps its key in a form that Node reads', () => {
      expect(createPrivateKey(files.key).asymmetricKeyType).to.equal('ec');
    });
  });
});
