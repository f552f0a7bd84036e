import { randomUUID } from 'node:crypto';
import { constants } from 'node:fs';
import { access, open, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { BackupError } from './errors.ts';
import type { Sink } from './write.ts';

/** How a backup is called while it is written. */
export const isUnfinished = (name: string): boolean => /^\..+\.part$/.test(name);

/**
 * Writes a file that only its owner may read, and that is there whole or not at all: under another
 * name first, looked at by `check`, on disk before it gets its own.
 * @throws BackupError `refused` when there is one of that name
 */
export async function writeWhole<T>(
  path: string,
  write: (sink: Sink) => Promise<T>,
  check: (temporary: string) => Promise<void>,
): Promise<T> {
  await refuseTaken(path);
  const folder = dirname(path);
  const temporary = join(folder, `.${basename(path)}.${randomUUID()}.part`);
  try {
    const result = await write((bytes) => store(temporary, bytes));
    await check(temporary);
    await refuseTaken(path);
    await rename(temporary, path);
    await sync(folder);
    return result;
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

async function store(path: string, bytes: AsyncIterable<Uint8Array>): Promise<void> {
  const file = await open(path, 'wx', 0o600);
  try {
    await file.writeFile(bytes);
    await file.sync();
  } finally {
    await file.close();
  }
}

async function refuseTaken(path: string): Promise<void> {
  const isTaken = await access(path, constants.F_OK).then(
    () => true,
    () => false,
  );
  if (isTaken) throw new BackupError('refused', `${path} is there already: choose another name`);
}

/** A name is durable only with its folder. */
async function sync(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
