import type { X509Certificate } from 'node:crypto';
import type { TLSSocket } from 'node:tls';
import { checkLeaf } from '../trust/certificates.ts';
import { subjectOf } from '../trust/names.ts';

/** Whose a connection is. */
export type Peer =
  | { readonly nodeId: string }
  /** Nobody's we know: why, and whose it was if its certificate has only ended. */
  | { readonly nodeId: undefined; readonly why: string; readonly formerly: string | undefined };

export interface Expected {
  readonly clusterId: string;
  readonly trusted: string;
  readonly now: number;
}

/** Who the other side of a handshake is: OpenSSL has checked the chain, the names are ours. */
export function peerOf(socket: TLSSocket, expected: Expected): Peer {
  try {
    return find(socket, expected);
  } catch (error) {
    // Anybody may show anything here: what nobody foresaw is a stranger's, and no reason to fall.
    const why = error instanceof Error ? error.message : String(error);
    return { nodeId: undefined, why, formerly: undefined };
  }
}

function find(socket: TLSSocket, expected: Expected): Peer {
  const certificate = socket.getPeerX509Certificate();
  if (!certificate) {
    return { nodeId: undefined, why: 'no certificate was shown', formerly: undefined };
  }
  const subject = subjectOf(certificate);
  if (socket.authorized && subject?.clusterId === expected.clusterId) {
    return { nodeId: subject.nodeId };
  }
  return explain(certificate, expected);
}

/**
 * OpenSSL names the last thing it found wrong, which may be the date of a certificate that is
 * nobody's at all: so what may be renewed is found out here. @throws TrustError for the rest
 */
function explain(certificate: X509Certificate, expected: Expected): Peer {
  const leaf = checkLeaf(certificate, { ...expected, allowExpired: true });
  const why = 'the certificate has ended';
  return { nodeId: undefined, why, formerly: leaf.subject.nodeId };
}
