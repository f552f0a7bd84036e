import { expect } from 'chai';
import type { PeerCertificate } from 'node:tls';
import { createAuthority, openAuthority } from '../../trust/ca.ts';
import { createRequest } from '../../trust/certificates.ts';
import { createKey } from '../../trust/x509.ts';
import { speaksBeside, speaksFor } from './identity.ts';

const named = (CN: string | undefined, subjectaltname?: string) =>
  ({ ...(CN === undefined ? {} : { subject: { CN } }), subjectaltname }) as PeerCertificate;

describe('whom a certificate speaks for', () => {
  it('is the id in its subject or among its DNS names', () => {
    expect(speaksFor('n1', named('n1'))).to.equal(true);
    expect(speaksFor('n1', named('x', 'DNS:n0, DNS:n1'))).to.equal(true);
    expect(speaksFor('n1', named(undefined, 'DNS:n1'))).to.equal(true);
  });

  it('is the same server after a rejoin', () => {
    expect(speaksFor('n1.2', named('n1'))).to.equal(true);
    expect(speaksFor('n1.x', named('n1'))).to.equal(false);
    expect(speaksFor('n1', named('n1.2'))).to.equal(false);
    expect(speaksFor('n12', named('n1'))).to.equal(false);
  });

  it('is nobody else, and nobody who says no id', () => {
    expect(speaksFor('n2', named('n1', 'DNS:n1'))).to.equal(false);
    expect(speaksFor('n1', named(undefined))).to.equal(false);
    expect(speaksFor('n1', named('x', 'IP Address:n1, "DNS:a, DNS:n1"'))).to.equal(false);
    expect(speaksFor(undefined, named('n1'))).to.equal(false);
    expect(speaksFor('', named(''))).to.equal(false);
  });

  it('is nobody of another cluster, though one authority signs for both', async () => {
    const { sign } = openAuthority(await createAuthority('c1', Date.now()), Date.now);
    const request = await createRequest(await createKey(), 'n1');
    const speaks = speaksBeside(await sign(request, { clusterId: 'c1', nodeId: 'n1' }));
    const of = (names: string) => speaks('n2', named('n2', names));
    expect(of('DNS:x, URI:spiffe://c1/node/n2')).to.equal(true);
    expect(of('DNS:x, URI:spiffe://c2/node/n2')).to.equal(false);
    // Who brings certificates of its own gives them names of its own.
    expect(of('DNS:x')).to.equal(true);
    expect(speaks('n3', named('n2', 'URI:spiffe://c1/node/n2'))).to.equal(false);
  });
});
