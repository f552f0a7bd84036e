import { randomUUID } from 'node:crypto';
import { rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { BackupError } from './errors.ts';

/** What the operator is told where a file of a backup cannot be written or read. */
export function explainFile(error: unknown, folder: string): unknown {
  if (error instanceof BackupError) return error;
  const { code } = error as NodeJS.ErrnoException;
  switch (code ?? '') {
    case 'ENOENT':
    case 'ENOTDIR':
      return new BackupError('refused', `${folder} is not there`, { cause: error });
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return new BackupError('refused', `this user may not use ${folder}`, { cause: error });
    case 'ENOSPC':
    case 'EDQUOT':
      return new BackupError('refused', `no room is left in ${folder}`, { cause: error });
    default:
      return error;
  }
}

/**
 * Whether this node can write backups to a folder: tried by a file, as permissions alone do not
 * tell of a share that is mounted for reading. Resolves to what is the matter; undefined: nothing.
 */
export async function faultOfFolder(folder: string): Promise<string | undefined> {
  const trial = join(folder, `.revenge-${randomUUID()}.part`);
  try {
    if (!(await stat(folder)).isDirectory()) return `${folder} is no folder`;
    await writeFile(trial, '', { flag: 'wx' }).finally(() => rm(trial, { force: true }));
    return undefined;
  } catch (error) {
    const told = explainFile(error, folder);
    if (told instanceof BackupError) return told.message;
    const { code, syscall } = error as NodeJS.ErrnoException;
    if (code === undefined || syscall === undefined) throw error;
    return `${folder} cannot be used (${code})`;
  }
}
