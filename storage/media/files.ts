import { type BigIntStats } from 'node:fs';
import { lstat, readdir, realpath, stat, type FileHandle } from 'node:fs/promises';
import {
  attempt,
  checkRelative,
  inside,
  isAlive,
  join,
  locate,
  openDirectory,
  openFile,
  ownPath,
  toMediaError,
  type Root,
} from './confine.ts';
import {
  MediaError,
  type DirectoryStat,
  type Entry,
  type FileFacts,
  type Listing,
} from './media.ts';
import { decodePath, encodePath } from './path.ts';

const entriesMax = 200_000;
const statsAtOnce = 12;
const chunkBytes = 65_536;

/** How much of a call runs at once, and until when. */
export interface Bounds {
  readonly signal: AbortSignal;
  readonly atOnce: number;
}

type Refused = { name: string; reason: string };

/** Lists one directory; its own time is read before its entries, so that no change is lost. */
export async function listDirectory(root: Root, path: string, options: Bounds): Promise<Listing> {
  const { handle, stat: own, real } = await openDirectory(root, path);
  try {
    const here = Buffer.from(ownPath(handle));
    const names = await attempt(() => readdir(here, { encoding: 'buffer' }));
    if (names.length > entriesMax) {
      throw new MediaError('too-large', `the folder has more than ${entriesMax} entries`);
    }
    const entries: Entry[] = [];
    const refused: Refused[] = [];
    await forEachAtOnce(names, options, async (name) => {
      const found = await look({ root, path, here, real, name });
      if ('reason' in found) refused.push(found);
      else entries.push(found);
    });
    return { ...directoryFacts(own), entries: sorted(entries), refused: sorted(refused) };
  } finally {
    await handle.close();
  }
}

/**
 * Times of many directories; undefined for one that cannot be told, whatever the reason: listing it
 * tells why. Parents are looked up once a call, so that a path mostly costs one `lstat`.
 */
export async function statDirectories(
  root: Root,
  paths: readonly string[],
  signal: AbortSignal,
): Promise<(DirectoryStat | undefined)[]> {
  const found: (DirectoryStat | undefined)[] = paths.map(() => undefined);
  const parents = new Map<string, Promise<Buffer>>();
  const parentOf = (path: string) => {
    const real = parents.get(path) ?? locate(root, path);
    parents.set(path, real);
    return real;
  };
  await forEachAtOnce([...paths.entries()], { signal, atOnce: statsAtOnce }, async ([at, path]) => {
    found[at] = await statDirectory(root, path, parentOf);
  });
  return found;
}

async function statDirectory(
  root: Root,
  path: string,
  parentOf: (path: string) => Promise<Buffer>,
): Promise<DirectoryStat | undefined> {
  try {
    const own = checkRelative(path);
    const cut = path.lastIndexOf('/');
    const parent = await parentOf(cut < 0 ? '' : path.slice(0, cut));
    const full = path === '' ? parent : join(parent, own.subarray(own.lastIndexOf('/') + 1));
    const facts = await attempt(() => lstat(full, { bigint: true }));
    if (!facts.isSymbolicLink()) return facts.isDirectory() ? directoryFacts(facts) : undefined;
    const target = await attempt(() => locate(root, path));
    const behind = await attempt(() => stat(target, { bigint: true }));
    return behind.isDirectory() ? directoryFacts(behind) : undefined;
  } catch (error) {
    // Not there, not allowed, out of the root: undefined. A failing mount concerns all of them.
    if (toMediaError(error).code === 'unavailable' && !(await isAlive(root))) throw error;
    return undefined;
  }
}

/** One regular file's facts. */
export async function statFile(root: Root, path: string): Promise<FileFacts> {
  const { handle, stat: facts, real } = await openFile(root, path);
  await handle.close();
  return {
    realPath: encodePath(real),
    realRoot: encodePath(root.real),
    sizeBytes: Number(facts.size),
    ...directoryFacts(facts),
  };
}

/** A whole small file. */
export async function readWhole(
  root: Root,
  { path, maxBytes }: { path: string; maxBytes: number },
): Promise<Uint8Array> {
  const { handle, stat: facts } = await openFile(root, path);
  try {
    if (facts.size > maxBytes) throw new MediaError('too-large', `more than ${maxBytes} bytes`);
    const bytes = Buffer.alloc(Number(facts.size));
    const { bytesRead } = await attempt(() => handle.read(bytes, 0, bytes.length, 0));
    if (bytesRead < bytes.length) throw new MediaError('unreadable', 'it shrank while read');
    return bytes;
  } finally {
    await handle.close();
  }
}

/**
 * The OpenSubtitles hash: size plus the little-endian 64-bit words of the first and last 64 KiB,
 * modulo 2^64 (https://trac.opensubtitles.org/projects/opensubtitles/wiki/HashSourceCodes). A file
 * below 64 KiB counts whole, twice, padded with zeros.
 */
export async function fingerprintFile(root: Root, path: string): Promise<string> {
  const { handle, stat: facts } = await openFile(root, path);
  try {
    return await fingerprintOf(handle, facts.size);
  } finally {
    await handle.close();
  }
}

/** The same of an open file of `sizeBytes`. */
export async function fingerprintOf(handle: FileHandle, sizeBytes: bigint): Promise<string> {
  const size = Number(sizeBytes);
  const head = Buffer.alloc(chunkBytes);
  const tail = Buffer.alloc(chunkBytes);
  await attempt(() => handle.read(head, 0, chunkBytes, 0));
  await attempt(() => handle.read(tail, 0, chunkBytes, Math.max(0, size - chunkBytes)));
  const sum = BigInt.asUintN(64, sizeBytes + sumWords(head) + sumWords(tail));
  return sum.toString(16).padStart(16, '0');
}

function sumWords(bytes: Buffer): bigint {
  // In halves, whose sums are exact: bigints would take as long as all the rest of a look.
  let [low, high] = [0, 0];
  for (let at = 0; at < bytes.length; at += 8) {
    low += bytes.readUInt32LE(at);
    high += bytes.readUInt32LE(at + 4);
  }
  return BigInt(low) + (BigInt(high) << 32n);
}

interface Place {
  readonly root: Root;
  /** The directory, relative to the root as asked for. */
  readonly path: string;
  /** The directory by its open handle, and where it really is. */
  readonly here: Buffer;
  readonly real: Buffer;
  readonly name: Buffer;
}

async function look(place: Place): Promise<Entry | Refused> {
  const name = encodePath(place.name);
  try {
    const full = join(place.here, place.name);
    const own = await attempt(() => lstat(full, { bigint: true }));
    const facts = own.isSymbolicLink() ? await follow(place) : own;
    if (facts.isFile()) return entry(name, 'file', facts);
    if (facts.isDirectory()) return entry(name, 'directory', facts);
    return { name, reason: 'a special file' };
  } catch (error) {
    const { code, message } = toMediaError(error);
    if (code === 'unavailable') throw error; // the mount is going: no listing is better than half
    return { name, reason: message };
  }
}

/** A link's target, if it lies inside the root and does not lead back up. */
async function follow(place: Place): Promise<BigIntStats> {
  const target = await realpath(join(place.real, place.name), { encoding: 'buffer' }).catch(
    (error: NodeJS.ErrnoException) => {
      const reason = error.code === 'ELOOP' ? 'link loop' : 'broken link';
      throw error.code === 'ELOOP' || error.code === 'ENOENT'
        ? new MediaError('not-found', reason)
        : toMediaError(error);
    },
  );
  if (!inside(place.root.real, target))
    throw new MediaError('forbidden', 'link out of the library');
  const facts = await attempt(() => stat(target, { bigint: true }));
  if (!facts.isDirectory()) return facts;
  if (await leadsBack(place, target)) throw new MediaError('forbidden', 'link loop');
  // Without loops, thirty folders with two links each to the next still make a billion paths.
  if (isBehindLink(place)) throw new MediaError('forbidden', 'link to a folder behind a link');
  return facts;
}

/** Whether the directory was itself reached through a link. */
function isBehindLink({ root, path, real }: Place): boolean {
  return !real.equals(path === '' ? root.real : join(root.real, decodePath(path)));
}

/** Whether a target is, or holds, one of the directories on the way to it: a walk would never end. */
async function leadsBack({ root, path, real }: Place, target: Buffer): Promise<boolean> {
  if (inside(target, real)) return true;
  const steps = path.split('/');
  for (let count = 1; count < steps.length; count++) {
    const above = join(root.real, decodePath(steps.slice(0, count).join('/')));
    if (inside(target, await attempt(() => realpath(above, { encoding: 'buffer' })))) return true;
  }
  return false;
}

function entry(name: string, type: Entry['type'], facts: BigIntStats): Entry {
  return { name, type, sizeBytes: Number(facts.size), ...directoryFacts(facts) };
}

function directoryFacts(facts: BigIntStats): DirectoryStat {
  const mtimeMs = Number(facts.mtimeNs / 1_000n) / 1_000;
  return { mtimeMs, inode: String(facts.ino), device: String(facts.dev) };
}

function sorted<T extends { name: string }>(items: T[]): T[] {
  return items.sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** Runs `work` over all items, a few at a time, and stops at the first failure or the abort. */
export async function forEachAtOnce<T>(
  items: readonly T[],
  { signal, atOnce }: Bounds,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const iterator = items.values();
  let failed = false;
  const lane = async () => {
    for (const item of iterator) {
      if (failed) return;
      signal.throwIfAborted();
      await work(item).catch((error: unknown) => {
        failed = true;
        throw error;
      });
    }
  };
  const lanes = Array.from({ length: Math.min(atOnce, items.length) }, lane);
  const results = await Promise.allSettled(lanes);
  const fault = results.find((result) => result.status === 'rejected');
  if (fault) throw fault.reason;
}
