import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { writeDurably } from '../raft/store/folder.ts';
import type { Member } from '../state/types.ts';
import { clusterFolder } from '../trust/identity.ts';

const addresses = z.array(z.string().max(300)).max(64);
const shape = z.array(
  z.object({
    id: z.string().min(1).max(128),
    gossipId: z.string().max(200).optional(),
    addresses: z.object({ raft: addresses, rpc: addresses, gossip: addresses, api: addresses }),
  }),
);

/** Where a member was last, for a node that does not know the state yet. */
export type KnownPeer = Pick<Member, 'id' | 'gossipId' | 'addresses'>;

const fileOf = (dataDir: string) => join(clusterFolder(dataDir), 'peers.json');

/** What was known last; nothing where there is no file, or none that says anything. */
export async function readPeers(dataDir: string): Promise<readonly KnownPeer[]> {
  try {
    return shape.parse(JSON.parse(await readFile(fileOf(dataDir), 'utf8')));
  } catch {
    // It is only a memory of what others say too: the next one takes its place.
    return [];
  }
}

export async function savePeers(dataDir: string, members: Iterable<KnownPeer>): Promise<void> {
  const peers = [...members].map(({ id, gossipId, addresses: at }) => ({
    id,
    gossipId,
    addresses: at,
  }));
  await writeDurably(fileOf(dataDir), `${JSON.stringify(peers, undefined, 2)}\n`);
}
