import { mkdir, open, readFile, rename, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { DamagedError } from './errors.ts';

/** What is known of a data directory beside its log, so that a lost log is not taken for a new one. */
export interface Identity {
  /** Grows with each wipe: the id that a wiped node had must never vote again. */
  readonly generation: number;
  readonly hasLog: boolean;
}

export async function makeFolder(dir: string): Promise<void> {
  if (await mkdir(dir, { recursive: true, mode: 0o700 })) await syncFolder(dirname(dir));
}

/** @throws DamagedError when it is there and says nothing sensible */
export async function readIdentity(dir: string): Promise<Identity | undefined> {
  const path = join(dir, 'identity.json');
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    if (await hasDatabase(join(dir, 'log'))) return { generation: 1, hasLog: true };
    return undefined;
  }
  try {
    const { generation, hasLog } = JSON.parse(text) as Partial<Identity>;
    if (Number.isSafeInteger(generation) && typeof hasLog === 'boolean') {
      return { generation: generation as number, hasLog };
    }
  } catch {
    // said below
  }
  throw new DamagedError(dir, `${path} is not what was written there`);
}

export async function writeIdentity(dir: string, identity: Identity): Promise<void> {
  await writeDurably(join(dir, 'identity.json'), `${JSON.stringify(identity)}\n`);
}

/** LevelDB's own sign that a database was begun. */
export async function hasDatabase(place: string): Promise<boolean> {
  return stat(join(place, 'CURRENT')).then(
    () => true,
    () => false,
  );
}

/** A file that is there whole or not at all. */
export async function writeDurably(path: string, content: string | Uint8Array): Promise<void> {
  const temporary = `${path}.tmp`;
  const file = await open(temporary, 'w', 0o600);
  try {
    await file.writeFile(content);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(temporary, path);
  await syncFolder(dirname(path));
}

/** A rename is durable only with its folder. */
export async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
