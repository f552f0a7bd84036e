import { expect } from 'chai';
import { X509Certificate } from 'node:crypto';
import { subjectOf, type Subject } from './names.ts';
import { x509 } from './x509.ts';

type Name = { type: 'dns' | 'url' | 'email'; value: string };
const url = (value: string): Name => ({ type: 'url', value });
const dns = (value: string): Name => ({ type: 'dns', value });
const good = url('spiffe://c1/node/n1');

describe('the names in a certificate', () => {
  async function certificate(subject: Record<string, string[]>[], names: Name[]) {
    const keys = await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, [
      'sign',
      'verify',
    ]);
    const made = await x509.X509CertificateGenerator.createSelfSigned({
      name: subject,
      keys: keys as never,
      signingAlgorithm: { name: 'ECDSA', hash: 'SHA-256' },
      extensions: names.length > 0 ? [new x509.SubjectAlternativeNameExtension(names)] : [],
    });
    return new X509Certificate(made.toString('pem'));
  }

  const n1: Subject = { clusterId: 'c1', nodeId: 'n1' };
  const cn = (name: string) => [{ CN: [name] }];
  const cases: [string, Record<string, string[]>[], Name[], Subject | undefined][] = [
    ['are those of a node', cn('n1'), [dns('n1.node.revenge.internal'), good], n1],
    ['need no DNS name', cn('n1'), [good], n1],
    ['need the URI', cn('n1'), [dns('n1.node.revenge.internal')], undefined],
    ['need any at all', cn('n1'), [], undefined],
    ['are of one node', cn('n1'), [good, url('spiffe://c1/node/n2')], undefined],
    ['are said once', cn('n1'), [good, good], undefined],
    ['agree', cn('n2'), [good], undefined],
    ['have a common name', [], [good], undefined],
    ['have one common name', [{ CN: ['n1'] }, { CN: ['n2'] }], [good], undefined],
    ['have nothing beside it', [{ CN: ['n1'] }, { O: ['Home'] }], [good], undefined],
    ['are not smuggled in by DNS', cn('n1'), [dns('x, URI:spiffe://c1/node/n1')], undefined],
    ['nor beside another', cn('n1'), [dns('x, URI:spiffe://c2/node/n1'), good], n1],
    ['nor by a URI', cn('n1'), [url('spiffe://c1/node/n1, DNS:x')], undefined],
    ['have no path beyond', cn('n1'), [url('spiffe://c1/node/n1/x')], undefined],
    ['name a node', cn('n1'), [url('spiffe://c1/user/n1')], undefined],
    ['name a cluster', cn('n1'), [url('spiffe:///node/n1')], undefined],
    ['are written one way', cn('n1'), [url('SPIFFE://c1/node/n1')], undefined],
    ['have no port', cn('n1'), [url('spiffe://c1:1/node/n1')], undefined],
    ['have no query', cn('n1'), [url('spiffe://c1/node/n1?x')], undefined],
    ['are not escaped', cn('n1'), [url('spiffe://c1/node/n%31')], undefined],
  ];
  for (const [name, subject, names, expected] of cases) {
    it(name, async () => {
      expect(subjectOf(await certificate(subject, names))).to.deep.equal(expected);
    });
  }
});
