import { createHash } from 'node:crypto';
import { chown, lstat, mkdir, rm, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { Owner } from './binaries.ts';

/** The kernel allows 107 bytes for a socket's path (unix(7)): a deep data directory is too long. */
const socketPathMax = 107;
/** In a socket's name; whoever connects to a folder expects this one. */
const usualPort = '5432';

/** Makes the folder for the socket, which nobody but us and `owner` may enter. */
export async function makeSocketDir(dataDir: string, owner: Owner): Promise<string> {
  const near = join(dataDir, 'pg-socket');
  const short = createHash('sha256').update(dataDir).digest('hex').slice(0, 12);
  const fits = Buffer.byteLength(join(near, '.s.PGSQL.5432.lock')) <= socketPathMax;
  const path = fits ? near : join('/tmp', `revenge-pg-${short}`);
  await mkdir(path, { mode: 0o700 }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error;
  });
  const info = await lstat(path);
  const ours = info.uid === owner.uid || info.uid === process.getuid?.();
  if (!info.isDirectory() || !ours || (info.mode & 0o077) !== 0) {
    throw new Error(`${path} exists and is not ours alone; remove it`);
  }
  await chown(path, owner.uid, owner.gid);
  return path;
}

/**
 * PostgreSQL names its socket after its TCP port. Under the usual name lies a link to it, so that
 * who is connected through the folder need not know that the port has changed.
 */
export async function linkSocket(socketDir: string, port: string): Promise<void> {
  if (port === usualPort) return; // PostgreSQL puts its socket in the link's place
  const usual = join(socketDir, `.s.PGSQL.${usualPort}`);
  await rm(usual, { force: true });
  await symlink(`.s.PGSQL.${port}`, usual);
}
