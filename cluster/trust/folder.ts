/**
 * The files of `<data>/cluster/` beside the identity. Each is there whole or not at all, and the
 * order of writing leaves no pair that does not fit: a node keeps its key for life, so a renewal is
 * one file; and while `ca.crt` holds two authorities, `ca.key` may belong to either.
 */
import { readFile, realpath, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { makeFolder, writeDurably } from '../raft/store/folder.ts';
import type { AuthorityFiles } from './ca.ts';
import { TrustError } from './errors.ts';
import { clusterFolder } from './identity.ts';
import { createKey, readKey } from './x509.ts';

export interface TrustFiles {
  /** The authorities that are trusted. */
  readonly authorities: string | undefined;
  /** Only where certificates are signed. */
  readonly authorityKey: string | undefined;
  /** The node's certificate, then the one that signed it. */
  readonly certificate: string | undefined;
  readonly key: string | undefined;
  /** The network key of gossip, as gossip wrote it. */
  readonly gossipKey: string | undefined;
}

const names = {
  authorities: 'ca.crt',
  authorityKey: 'ca.key',
  certificate: 'node.crt',
  key: 'node.key',
  gossipKey: 'gossip.key',
} as const;

const secrets: ReadonlySet<string> = new Set(['ca.key', 'node.key', 'gossip.key']);
/** Where orchestrators mount secrets, with a mode that is theirs to choose. */
const mounts = ['/run/secrets/', '/run/credentials/'];
const forOthers = 0o077;

/**
 * All there are, as PEM or text; a file that is not there is undefined.
 * @throws TrustError `open-to-others` for a key that others may read
 */
export async function readTrust(dataDir: string): Promise<TrustFiles> {
  const read = (name: string) => readOne(join(clusterFolder(dataDir), name), secrets.has(name));
  return {
    authorities: await read(names.authorities),
    authorityKey: await read(names.authorityKey),
    certificate: await read(names.certificate),
    key: await read(names.key),
    gossipKey: await read(names.gossipKey),
  };
}

async function readOne(path: string, isSecret: boolean): Promise<string | undefined> {
  try {
    if (isSecret) await refuseOpen(path);
    return await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

async function refuseOpen(path: string): Promise<void> {
  const { mode } = await stat(path);
  if ((mode & forOthers) === 0) return;
  const real = await realpath(path);
  if (mounts.some((mount) => real.startsWith(mount))) return;
  const who = `${path} may be read by others than its owner`;
  throw new TrustError('open-to-others', `${who}: chmod 600 ${path}`);
}

/**
 * Writes what is given, 0600, each synced before the next; the rest stays as it is. Authorities
 * come first: a node has to trust one before it signs or shows anything of it.
 */
export async function saveTrust(dataDir: string, files: Partial<TrustFiles>): Promise<void> {
  const folder = clusterFolder(dataDir);
  await makeFolder(folder);
  const order = ['authorities', 'authorityKey', 'key', 'certificate', 'gossipKey'] as const;
  for (const which of order) {
    const text = files[which];
    if (text !== undefined) await writeDurably(join(folder, names[which]), text);
  }
}

/** The node's key: made once, before anything asks for a certificate. @throws TrustError */
export async function ensureKey(dataDir: string): Promise<string> {
  const { key } = await readTrust(dataDir);
  if (key !== undefined) {
    readKey(key, join(clusterFolder(dataDir), names.key));
    return key;
  }
  const made = await createKey();
  await saveTrust(dataDir, { key: made });
  return made;
}

/** The authority of these files, if they hold both halves of one. */
export function authorityOf(files: TrustFiles): AuthorityFiles | undefined {
  const { authorities: certificates, authorityKey: key } = files;
  return certificates === undefined || key === undefined ? undefined : { certificates, key };
}
