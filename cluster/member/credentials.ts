import { z } from 'zod';
import { makeGossipIdentity, NETWORK_KEY_BYTES } from '../gossip/index.ts';
import { createAuthority, openAuthority } from '../trust/ca.ts';
import type { MemberKind } from '../state/types.ts';
import { createRequest } from '../trust/certificates.ts';
import { ensureKey, readTrust, saveTrust } from '../trust/folder.ts';

/**
 * What gossip keeps, as one text in `gossip.key`: the network's secret, and this node's own key.
 */
const gossipShape = z.object({
  network: z.base64().min(1).max(100),
  identity: z.base64().min(1).max(400),
});

export interface GossipSecrets {
  readonly key: Uint8Array;
  readonly identity: Uint8Array;
}

export async function readGossipFile(dataDir: string): Promise<GossipSecrets> {
  const { gossipKey } = await readTrust(dataDir);
  const { network, identity } = gossipShape.parse(JSON.parse(gossipKey ?? '{}'));
  return { key: Buffer.from(network, 'base64'), identity: Buffer.from(identity, 'base64') };
}

async function gossipFile(network: Uint8Array): Promise<string> {
  const identity = Buffer.from(await makeGossipIdentity()).toString('base64');
  return `${JSON.stringify({ network: Buffer.from(network).toString('base64'), identity })}\n`;
}

export interface MakeOptions {
  readonly dataDir: string;
  readonly clusterId: string;
  readonly nodeId: string;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** So many bytes that nobody can guess. */
  readonly randomBytes: (count: number) => Buffer;
}

/** True where this node has what a member needs to speak to others; a witness tells no hints. */
export async function hasCredentials(dataDir: string, kind: MemberKind = 'node'): Promise<boolean> {
  const { authorities, certificate, key, gossipKey } = await readTrust(dataDir);
  const needed = [authorities, certificate, key, ...(kind === 'node' ? [gossipKey] : [])];
  return needed.every((text) => text !== undefined);
}

/** Makes the cluster's authority and this node's certificate; what is there already is kept. */
export async function makeCredentials(options: MakeOptions): Promise<void> {
  const { dataDir, clusterId, nodeId, now, randomBytes } = options;
  const found = await readTrust(dataDir);
  if (found.authorities === undefined || found.authorityKey === undefined) {
    const made = await createAuthority(clusterId, now());
    await saveTrust(dataDir, { authorities: made.certificates, authorityKey: made.key });
  }
  const key = await ensureKey(dataDir);
  const request = await createRequest(key, nodeId);
  const gossipKey = found.gossipKey ?? (await gossipFile(randomBytes(NETWORK_KEY_BYTES)));
  await saveTrust(dataDir, { certificate: await signHere(dataDir, request, options), gossipKey });
}

/**
 * Signs a node's request with the authority that this node keeps. @throws TrustError, or without it
 */
export async function signHere(
  dataDir: string,
  request: string,
  { clusterId, nodeId, now }: Pick<MakeOptions, 'clusterId' | 'nodeId' | 'now'>,
): Promise<string> {
  const { authorities, authorityKey } = await readTrust(dataDir);
  if (authorities === undefined || authorityKey === undefined) {
    throw new Error('this node does not keep the authority, and signs no certificates');
  }
  const authority = openAuthority({ certificates: authorities, key: authorityKey }, now);
  return authority.sign(request, { clusterId, nodeId });
}

/** What a member gives a newcomer, beside its certificate. */
export interface Gift {
  readonly certificate: string;
  readonly authorities: string;
  /** Only for those who sign others. */
  readonly authorityKey?: string | undefined;
  /** The secret of the gossip network, base64; only for nodes. */
  readonly gossipNetwork?: string | undefined;
}

/** A witness gets what it takes to vote, and nothing that would let it sign or tell hints. */
export async function giftFor(
  dataDir: string,
  certificate: string,
  kind: MemberKind,
): Promise<Gift> {
  const { authorities = '', authorityKey } = await readTrust(dataDir);
  if (kind === 'witness') return { certificate, authorities };
  const { key } = await readGossipFile(dataDir);
  const gossipNetwork = Buffer.from(key).toString('base64');
  return { certificate, authorities, authorityKey, gossipNetwork };
}

export async function acceptGift(dataDir: string, gift: Gift): Promise<void> {
  const { certificate, authorities, authorityKey, gossipNetwork } = gift;
  const found = await readTrust(dataDir);
  const makeGossipKey = async () =>
    gossipNetwork && (await gossipFile(Buffer.from(gossipNetwork, 'base64')));
  await saveTrust(dataDir, {
    authorities,
    ...(authorityKey === undefined ? {} : { authorityKey }),
    certificate,
    gossipKey: found.gossipKey ?? (await makeGossipKey()),
  });
}
