import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { BackupError } from './errors.ts';
import { isUnfinished } from './file.ts';
import { schemaVersion, type Manifest } from './manifest.ts';
import { isSealedFile, readManifest } from './read.ts';

/** A backup that lies in the folder of backups. */
export interface StoredBackup {
  readonly name: string;
  readonly sizeBytes: number;
  /** Of its content; told by its name. */
  readonly madeAt: Date;
  readonly isSealed: boolean;
  /** Undefined where it is sealed, or cannot be read. */
  readonly about: About | undefined;
  /** Why it cannot be read; undefined: its beginning can. */
  readonly fault: string | undefined;
}

export interface About {
  readonly application: string;
  readonly schemaVersion: number;
  readonly clusterId: string | null;
  readonly rows: number;
}

/** `revenge-3f6b2c1d9a04-20260131T042300Z.tar.zst`, with `.age` behind it where it is sealed. */
const nameRule = /^revenge-([0-9a-z]{1,12})-(\d{8}T\d{6}Z)\.tar\.zst(\.age)?$/;
const suffixLength = 12;

/** How a backup is called: which cluster's (the end of its id), and of when. */
export function nameOf(
  clusterId: string | undefined,
  at: Date,
  { isSealed }: { isSealed: boolean },
): string {
  const whose = clusterId
    ?.replaceAll(/[^0-9a-z]/gi, '')
    .slice(-suffixLength)
    .toLowerCase();
  const stamp = at.toISOString().replaceAll(/[-:]|\.\d+/g, '');
  return `revenge-${whose || 'new'}-${stamp}.tar.zst${isSealed ? '.age' : ''}`;
}

/** When, by its name, a backup was made; undefined for a name that is none of ours. */
export function readName(name: string): { cluster: string; madeAt: Date } | undefined {
  const [, cluster, stamp] = nameRule.exec(name) ?? [];
  if (cluster === undefined || stamp === undefined) return undefined;
  const text = stamp.replace(/^(....)(..)(..)T(..)(..)(..)Z$/, '$1-$2-$3T$4:$5:$6Z');
  const madeAt = new Date(text);
  return Number.isNaN(madeAt.getTime()) ? undefined : { cluster, madeAt };
}

const listMax = 1_000;

/** The backups in a folder, the newest first; of each the beginning is read. */
export async function listBackups(folder: string): Promise<StoredBackup[]> {
  const named = (await readdir(folder)).flatMap((name) => {
    const madeAt = readName(name)?.madeAt;
    return madeAt === undefined ? [] : [{ name, madeAt }];
  });
  named.sort((a, b) => b.madeAt.getTime() - a.madeAt.getTime() || (a.name < b.name ? -1 : 1));
  const found: StoredBackup[] = [];
  for (const one of named.slice(0, listMax))
    found.push({ ...one, ...(await look(folder, one.name)) });
  return found;
}

async function look(folder: string, name: string): Promise<Omit<StoredBackup, 'name' | 'madeAt'>> {
  const path = join(folder, name);
  const { size: sizeBytes } = await stat(path);
  const isSealed = await isSealedFile(path);
  if (isSealed) return { sizeBytes, isSealed, about: undefined, fault: undefined };
  try {
    const about = aboutOf(await readManifest(path, undefined));
    return { sizeBytes, isSealed, about, fault: undefined };
  } catch (error) {
    if (!(error instanceof BackupError)) throw error;
    return { sizeBytes, isSealed, about: undefined, fault: error.message };
  }
}

const aboutOf = (manifest: Manifest): About => ({
  application: manifest.application,
  schemaVersion: schemaVersion(manifest),
  clusterId: manifest.cluster.id,
  rows: manifest.tables.reduce((sum, { rows }) => sum + rows, 0),
});

const staleMs = 24 * 3_600_000;

/**
 * Removes what is beyond the newest `keep` backups of the cluster that `latest` is of, and what a
 * backup left that was cut off; resolves to the names of the backups that went.
 */
export async function prune(
  folder: string,
  { keep, latest, now }: { keep: number; latest: string; now: number },
): Promise<string[]> {
  const whose = readName(latest)?.cluster;
  const names = await readdir(folder);
  const ours = names
    .flatMap((name) => {
      const read = readName(name);
      return read !== undefined && read.cluster === whose ? [{ name, ...read }] : [];
    })
    .sort((a, b) => b.madeAt.getTime() - a.madeAt.getTime());
  const gone = ours.slice(keep).map(({ name }) => name);
  for (const name of gone) await rm(join(folder, name), { force: true });
  for (const name of names.filter((one) => isUnfinished(one) && one.startsWith('.revenge-'))) {
    const path = join(folder, name);
    const facts = await stat(path).catch(ifMissing);
    if (facts !== undefined && now - facts.mtimeMs > staleMs) await rm(path, { force: true });
  }
  return gone;
}

/** Whoever else uses the folder may have been quicker. */
function ifMissing(error: NodeJS.ErrnoException): undefined {
  if (error.code === 'ENOENT') return undefined;
  throw error;
}
