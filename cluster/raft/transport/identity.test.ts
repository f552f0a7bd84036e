import { expect } from 'chai';
import type { PeerCertificate } from 'node:tls';
import { speaksFor } from './identity.ts';

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
});
