import type { X509Certificate } from 'node:crypto';
import { TrustError } from './errors.ts';

/** Who a certificate of a cluster is for. */
export interface Subject {
  readonly clusterId: string;
  readonly nodeId: string;
}

const domain = 'node.revenge.internal';
const idPattern = /^[A-Za-z0-9](?:[A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$/;
const uriPattern = /^URI:spiffe:\/\/([^/]+)\/node\/([^/]+)$/;

/**
 * Whether an id can stand in a certificate: it becomes its common name, of 64 characters at most.
 * One with the domain in it could be another node's DNS name.
 */
export const isId = (id: string): boolean => idPattern.test(id) && !id.includes(`.${domain}`);

/** @throws TrustError `bad-id` */
export function checkId(id: string, what: 'cluster' | 'node'): string {
  if (isId(id)) return id;
  throw new TrustError(
    'bad-id',
    `'${id}' cannot be the id of a ${what}: 1 to 63 letters, digits and . _ -, ` +
      `beginning and ending with a letter or digit, and no .${domain} in it`,
  );
}

export const dnsNameOf = (nodeId: string): string => `${nodeId}.${domain}`;

/** Whose DNS name this is; undefined for what is none of a node. */
export const nodeIdOf = (dnsName: string): string | undefined =>
  dnsName.endsWith(`.${domain}`) ? dnsName.slice(0, -domain.length - 1) : undefined;

/** SPIFFE's form of an identity (SPIFFE-ID §2): the cluster is the trust domain. */
export const uriOf = ({ clusterId, nodeId }: Subject): string =>
  `spiffe://${clusterId}/node/${nodeId}`;

/**
 * Whom a certificate names; undefined unless it has exactly one such URI, as X509-SVID §2 demands,
 * and its common name says the same. Who signed it is another question.
 */
export function subjectOf(certificate: X509Certificate): Subject | undefined {
  // Node quotes a name that could be mistaken for two: with the quotes it matches nothing.
  const uris = (certificate.subjectAltName ?? '')
    .split(', ')
    .filter((name) => name.startsWith('URI:') || name.startsWith('"URI:'));
  const [, clusterId = '', nodeId = ''] = (uris.length === 1 && uriPattern.exec(uris[0]!)) || [];
  if (!isId(clusterId) || !isId(nodeId)) return undefined;
  const names = certificate.subject?.split('\n') ?? [];
  return names.length === 1 && names[0] === `CN=${nodeId}` ? { clusterId, nodeId } : undefined;
}
