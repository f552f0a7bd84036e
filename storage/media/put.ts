import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { link, lstat, open, rename, unlink } from 'node:fs/promises';
import { checkRelative, openDirectory, ownPath, toMediaError, type Root } from './confine.ts';
import type { Handle } from './disk.ts';
import { MediaError, type Put } from './media.ts';
import { decodePath } from './path.ts';

const maxBytes = 1024 * 1024;
/** A file that a crash left half written is in nobody's way for longer. */
const staleMs = 5 * 60_000;

/** What is to be there, undefined: nothing; `over`: the SHA-256, hex, of what may be replaced. */
interface Wanted {
  readonly path: string;
  readonly bytes: Uint8Array | undefined;
  readonly over: string | undefined;
}

const codeOf = (error: unknown): string => (error as NodeJS.ErrnoException).code ?? '';
const refusals = new Set(['EROFS', 'EACCES', 'EPERM']);
/** A file system without hard links. */
const linkless = new Set(['EPERM', 'EOPNOTSUPP', 'ENOTSUP', 'ENOSYS', 'EMLINK', 'EINVAL']);

/**
 * Puts a small file in place, whole or not at all (written beside, synced, then moved), or removes
 * it. Everything goes by the open folder, which lies inside the root, so exchanging it for a link
 * gains nothing.
 */
export async function putWhole(root: Root, { path, bytes, over }: Wanted): Promise<Put> {
  checkRelative(path);
  const cut = path.lastIndexOf('/');
  const name = decodePath(path.slice(cut + 1));
  const { handle } = await openDirectory(root, cut < 0 ? '' : path.slice(0, cut));
  try {
    const at = (child: Buffer) => Buffer.concat([Buffer.from(`${ownPath(handle)}/`), child]);
    const target = at(name);
    const before = await present(target);
    if (before === 'other') return 'kept';
    if (bytes === undefined ? before === undefined : before?.equals(bytes) === true) return 'same';
    if (before !== undefined && digestOf(before) !== over) return 'kept';
    if (bytes === undefined) return await remove(target, handle);
    // As long as names may be; the same for who tries again.
    const digest = createHash('sha1').update(name).digest('hex').slice(0, 16);
    const temporary = at(Buffer.from(`.${digest}.revenge.tmp`));
    if (!(await writeBeside(temporary, bytes))) return 'read-only';
    return await place({ temporary, target, handle, over: before && over });
  } catch (error) {
    throw toMediaError(error);
  } finally {
    await handle.close();
  }
}

const digestOf = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/** What is there: its bytes, `other` for what is no small regular file, undefined for nothing. */
async function present(target: Buffer): Promise<Buffer | 'other' | undefined> {
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
  const file = await open(target, flags).catch((error: unknown) => {
    if (codeOf(error) === 'ENOENT') return undefined;
    if (codeOf(error) === 'ELOOP') return 'other' as const;
    throw error;
  });
  if (file === undefined || file === 'other') return file;
  try {
    const facts = await file.stat();
    return facts.isFile() && facts.size <= maxBytes ? await file.readFile() : 'other';
  } finally {
    await file.close();
  }
}

async function remove(target: Buffer, folder: Handle): Promise<Put> {
  try {
    await unlink(target);
  } catch (error) {
    if (refusals.has(codeOf(error))) return 'read-only';
    if (codeOf(error) !== 'ENOENT') throw error;
    return 'same';
  }
  await syncFolder(folder);
  return 'written';
}

/** False: nothing may be written there. */
async function writeBeside(temporary: Buffer, bytes: Uint8Array): Promise<boolean> {
  const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
  const file = await open(temporary, flags, 0o644).catch(async (error: unknown) => {
    if (refusals.has(codeOf(error))) return undefined;
    if (codeOf(error) !== 'EEXIST') throw error;
    const { mtimeMs } = await lstat(temporary);
    if (Date.now() - mtimeMs < staleMs) throw new MediaError('unavailable', 'is being written');
    await unlink(temporary);
    return open(temporary, flags, 0o644);
  });
  if (file === undefined) return false;
  try {
    await file.writeFile(bytes);
    await file.sync();
  } catch (error) {
    await unlink(temporary);
    throw error;
  } finally {
    await file.close();
  }
  return true;
}

async function place(move: {
  readonly temporary: Buffer;
  readonly target: Buffer;
  readonly handle: Handle;
  /** Undefined: nothing was there. */
  readonly over: string | undefined;
}): Promise<Put> {
  const { temporary, target, handle, over } = move;
  try {
    const isPlaced =
      over === undefined ? await putNew(temporary, target) : await replace(move, over);
    if (!isPlaced) return 'kept';
    await syncFolder(handle);
    return 'written';
  } finally {
    await unlink(temporary).catch((error: unknown) => {
      if (codeOf(error) !== 'ENOENT') throw error;
    });
  }
}

/** False: somebody was faster. */
async function putNew(temporary: Buffer, target: Buffer): Promise<boolean> {
  try {
    await link(temporary, target);
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    if (!linkless.has(codeOf(error))) throw error;
  }
  if ((await present(target)) !== undefined) return false;
  await rename(temporary, target);
  return true;
}

/** False: somebody has changed it meanwhile. */
async function replace(
  { temporary, target }: { readonly temporary: Buffer; readonly target: Buffer },
  over: string,
): Promise<boolean> {
  const now = await present(target);
  if (now === undefined || now === 'other' || digestOf(now) !== over) return false;
  await rename(temporary, target);
  return true;
}

/** Not every file system can sync a folder. */
async function syncFolder(handle: Handle): Promise<void> {
  try {
    await handle.sync();
  } catch (error) {
    if (codeOf(error) !== 'EINVAL') throw error;
  }
}
