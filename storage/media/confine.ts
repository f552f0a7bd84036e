import { constants, type BigIntStats } from 'node:fs';
import type { Disk, Handle } from './disk.ts';
import { MediaError, type MediaErrorCode } from './media.ts';
import { decodePath, displayName } from './path.ts';
import type { Failure } from './protocol.ts';

/** A library root, looked up once for each call. */
export interface Root {
  readonly disk: Disk;
  /** Absolute, without links; bytes. */
  readonly real: Buffer;
  readonly device: string;
}

/** Something opened inside a root. Close it. */
export interface Opened {
  readonly handle: Handle;
  readonly stat: BigIntStats;
  readonly real: Buffer;
}

const slash = Buffer.from('/');
const pathBytesMax = 4_096;

/**
 * Looks up a root. Whatever is wrong with it is `unavailable`: a share that is not mounted must
 * never look like one that was emptied.
 */
export async function openRoot(disk: Disk, path: string): Promise<Root> {
  const bytes = decode(path);
  if (bytes[0] !== slash[0]) throw new MediaError('forbidden', 'a root must be an absolute path');
  try {
    const real = await disk.realpath(bytes);
    const found = await disk.stat(real);
    if (!found.isDirectory()) throw new MediaError('unavailable', 'the root is not a folder');
    return { disk, real, device: String(found.dev) };
  } catch (error) {
    const { code, message } = toMediaError(error);
    if (code === 'unavailable') throw error;
    throw new MediaError('unavailable', `the root cannot be read: ${message}`, error);
  }
}

/** The real path of any absolute directory; `not-found` when there is none. */
export async function resolveDirectory(disk: Disk, path: string): Promise<Buffer> {
  const bytes = decode(path);
  if (bytes[0] !== slash[0]) throw new MediaError('forbidden', 'not an absolute path');
  const real = await attempt(() => disk.realpath(bytes));
  mustBe(await attempt(() => disk.stat(real)), 'directory');
  return real;
}

/** Whether a root still answers as it did: tells one bad directory from a share that went away. */
export async function isAlive(root: Root): Promise<boolean> {
  try {
    return String((await root.disk.stat(root.real)).dev) === root.device;
  } catch {
    return false;
  }
}

/** The real place of a path below a root; refuses whatever leads out of it. */
export async function locate(root: Root, path: string): Promise<Buffer> {
  const relative = checkRelative(path);
  const whole = relative.length === 0 ? root.real : join(root.real, relative);
  if (whole.length > pathBytesMax) throw new MediaError('not-found', 'the path is too long');
  const real = await attempt(() => root.disk.realpath(whole));
  if (!inside(root.real, real)) throw new MediaError('forbidden', 'link out of the library');
  return real;
}

/**
 * Opens a regular file below a root for reading. What is not a regular file is never opened for
 * real (O_NONBLOCK, checked before and after), and the open file itself is checked to lie inside,
 * so that exchanging a folder for a link in between gains nothing.
 */
export async function openFile(root: Root, path: string): Promise<Opened> {
  return openInside(root, await locate(root, path), 'file');
}

/** Opens a directory below a root; `path` '' is the root itself. */
export async function openDirectory(root: Root, path: string): Promise<Opened> {
  return openInside(root, await locate(root, path), 'directory');
}

async function openInside(root: Root, real: Buffer, what: 'file' | 'directory'): Promise<Opened> {
  mustBe(await attempt(() => root.disk.lstat(real)), what);
  const flags =
    constants.O_RDONLY |
    constants.O_NOFOLLOW |
    constants.O_NONBLOCK |
    (what === 'directory' ? constants.O_DIRECTORY : 0);
  const handle = await attempt(() => root.disk.open(real, flags));
  try {
    const opened = await attempt(() => handle.stat());
    mustBe(opened, what);
    const now = await attempt(() => root.disk.readlink(ownPath(handle)));
    if (!inside(root.real, now)) throw new MediaError('forbidden', 'link out of the library');
    return { handle, stat: opened, real: now };
  } catch (error) {
    await handle.close();
    throw error;
  }
}

/** A path that names an open file itself, for programs started by this process too. */
export function ownPath(handle: Pick<Handle, 'fd'>): string {
  return `/proc/${process.pid}/fd/${handle.fd}`;
}

/** Whether `path` is `folder` or below it; both real. */
export function inside(folder: Uint8Array, path: Uint8Array): boolean {
  const head = Buffer.from(
    path.buffer,
    path.byteOffset,
    folder.length <= path.length ? folder.length : 0,
  );
  if (folder.length > path.length || !head.equals(folder)) return false;
  if (path.length === folder.length) return true;
  return folder.at(-1) === slash[0] || path[folder.length] === slash[0];
}

/** Joins two paths given in bytes. */
export function join(folder: Buffer, name: Buffer): Buffer {
  return folder.at(-1) === slash[0]
    ? Buffer.concat([folder, name])
    : Buffer.concat([folder, slash, name]);
}

/** Checks a relative path: no NUL, no `..`, nothing empty, not absolute. */
export function checkRelative(path: string): Buffer {
  const bytes = decode(path);
  if (bytes.length === 0) return bytes;
  if (path.includes('\0')) throw new MediaError('forbidden', 'a path with a NUL byte');
  if (path.startsWith('/')) throw new MediaError('forbidden', 'an absolute path');
  const bad = path.split('/').find((part) => part === '' || part === '.' || part === '..');
  if (bad !== undefined) throw new MediaError('forbidden', `a path with the step "${bad}"`);
  return bytes;
}

function decode(path: string): Buffer {
  try {
    return decodePath(path);
  } catch (error) {
    throw new MediaError('not-found', `no such path: ${displayName(path.toWellFormed())}`, error);
  }
}

function mustBe(found: BigIntStats, what: 'file' | 'directory'): void {
  if (what === 'file' ? found.isFile() : found.isDirectory()) return;
  if (what === 'file' && found.isDirectory()) throw new MediaError('unreadable', 'it is a folder');
  if (what === 'directory' && found.isFile()) throw new MediaError('not-found', 'it is a file');
  throw new MediaError('forbidden', 'a special file');
}

/** Runs one file system call, with its failure in our words. */
export async function attempt<T>(work: () => T | Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw toMediaError(error);
  }
}

const codes: Readonly<Record<string, MediaErrorCode>> = {
  ENOENT: 'not-found',
  ENOTDIR: 'not-found',
  ENAMETOOLONG: 'not-found',
  EACCES: 'forbidden',
  EPERM: 'forbidden',
  ELOOP: 'forbidden',
  EISDIR: 'unreadable',
  EIO: 'unavailable',
  ESTALE: 'unavailable',
  ENOTCONN: 'unavailable',
  ECONNREFUSED: 'unavailable',
  ECONNABORTED: 'unavailable',
  EHOSTDOWN: 'unavailable',
  EHOSTUNREACH: 'unavailable',
  ETIMEDOUT: 'unavailable',
  ENODEV: 'unavailable',
  ENXIO: 'unavailable',
  EMFILE: 'unavailable',
  ENFILE: 'unavailable',
  ENOMEM: 'unavailable',
};

/** Any failure in our words; the path is left out of the message, since the caller knows it. */
export function toMediaError(error: unknown): MediaError {
  if (error instanceof MediaError) return error;
  const code = (error as NodeJS.ErrnoException | undefined)?.code ?? '';
  const message = error instanceof Error ? (error.message.split(',')[0] ?? '') : String(error);
  return new MediaError(codes[code] ?? 'unreadable', message, error);
}

/** Any failure on its way to another thread or process. */
export function toFailure(error: unknown): Failure {
  const { code, message } = toMediaError(error);
  return { failed: code, message };
}
