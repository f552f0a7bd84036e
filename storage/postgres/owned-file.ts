import { chown, open, readFile, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Owner } from './binaries.ts';

/**
 * Puts a file that only `owner` may read in place: whole or not at all, and synced. False when it
 * held just that before.
 */
export async function writeOwned(path: string, text: string, owner: Owner): Promise<boolean> {
  if ((await readIfThere(path)) === text) return false;
  const draft = `${path}.new`;
  await rm(draft, { force: true });
  {
    await using handle = await open(draft, 'wx', 0o600);
    await handle.writeFile(text);
    await handle.sync();
  }
  await chown(draft, owner.uid, owner.gid);
  await rename(draft, path);
  await syncFolder(dirname(path));
  return true;
}

/** The text of a file, or undefined when there is none. */
export async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** Makes what was renamed or removed in a folder outlast a power cut. */
export async function syncFolder(path: string): Promise<void> {
  await using handle = await open(path, 'r');
  await handle.sync();
}
