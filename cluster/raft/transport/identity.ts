import { X509Certificate } from 'node:crypto';
import type { PeerCertificate } from 'node:tls';
import type { ServerId } from '../core/types.ts';

/**
 * Whether a certificate may speak as this server: its subject's common name, or one of its DNS
 * names, is the id. `n1` also speaks for `n1.2`, which is what n1 is called after a rejoin. Who says
 * no id (hashicorp/raft before 1.3.7) cannot be held to one, and is refused.
 */
export function speaksFor(id: ServerId | undefined, certificate: PeerCertificate): boolean {
  if (!id) return false;
  return namesOf(certificate).some(
    (name) => name === id || (id.startsWith(`${name}.`) && /^\d+$/.test(id.slice(name.length + 1))),
  );
}

/**
 * The same, for one who shows this certificate: where both names of SPIFFE are there, they have to
 * be of one trust domain (SPIFFE-ID §2.1), which is the cluster. An authority may sign for several.
 */
export function speaksBeside(own: string | Buffer): typeof speaksFor {
  const ours = domainOf(new X509Certificate(own).subjectAltName);
  return (id, certificate) => {
    const theirs = domainOf(certificate.subjectaltname);
    const isOther = ours !== undefined && theirs !== undefined && ours !== theirs;
    return !isOther && speaksFor(id, certificate);
  };
}

const domainOf = (names: string | undefined): string | undefined =>
  /(?:^|, )URI:spiffe:\/\/([^/,"]+)\//.exec(names ?? '')?.[1];

/** No name has a comma or a quote in it that is not quoted: such an entry matches nothing. */
function namesOf({ subject, subjectaltname }: PeerCertificate): string[] {
  const common: string | string[] = subject?.CN ?? [];
  const others = (subjectaltname ?? '').split(', ').filter((each) => each.startsWith('DNS:'));
  return [common, others.map((each) => each.slice('DNS:'.length))].flat().filter(Boolean);
}
