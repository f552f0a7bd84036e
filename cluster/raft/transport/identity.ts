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

/** No name has a comma or a quote in it that is not quoted: such an entry matches nothing. */
function namesOf({ subject, subjectaltname }: PeerCertificate): string[] {
  const common: string | string[] = subject?.CN ?? [];
  const others = (subjectaltname ?? '').split(', ').filter((each) => each.startsWith('DNS:'));
  return [common, others.map((each) => each.slice('DNS:'.length))].flat().filter(Boolean);
}
