import { type BigIntStats } from 'node:fs';
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
import { patientDisk, type Handle } from './disk.ts';
import {
  MediaError,
  type DirectoryStat,
  type Entry,
  type FileFacts,
  type Listing,
} from './media.ts';
import { decodePath, encodePath } from './path.ts';

const entriesMax = 200_000;
const chunkBytes = 65_536;

/** Tells whether a call is still wanted. */
export type Stop = Pick<AbortSignal, 'aborted' | 'throwIfAborted'>;

type Refused = { name: string; reason: string };

/** Lists one directory; its own time is read before its entries, so that no change is lost. */
export async function listDirectory(root: Root, path: string, stop: Stop): Promise<Listing> {
  const { handle, stat: own, real } = await openDirectory(root, path);
  try {
    const here = Buffer.from(ownPath(handle));
    const names = await attempt(() => root.disk.readdir(here));
    if (names.length > entriesMax) {
      throw new MediaError('too-large', `the folder has more than ${entriesMax} entries`);
    }
    const entries: Entry[] = [];
    const refused: Refused[] = [];
    await forEachPath(names, { root, stop }, async (name, by) => {
      const found = await look({ root: by, path, here, real, name });
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
  stop: Stop,
): Promise<(DirectoryStat | undefined)[]> {
  const found: (DirectoryStat | undefined)[] = paths.map(() => undefined);
  const parents = new Map<string, Promise<Buffer>>();
  const parentOf = (path: string) => {
    const real = parents.get(path) ?? locate(root, path);
    parents.set(path, real);
    return real;
  };
  await forEachPath([...paths.entries()], { root, stop }, async ([at, path], by) => {
    found[at] = await statDirectory(by, path, parentOf);
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
    const facts = await attempt(() => root.disk.lstat(full));
    if (!facts.isSymbolicLink()) return facts.isDirectory() ? directoryFacts(facts) : undefined;
    const target = await attempt(() => locate(root, path));
    const behind = await attempt(() => root.disk.stat(target));
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
    const bytesRead = await attempt(() => handle.read(bytes, 0));
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
export async function fingerprintOf(handle: Handle, sizeBytes: bigint): Promise<string> {
  const size = Number(sizeBytes);
  const head = Buffer.alloc(chunkBytes);
  const tail = Buffer.alloc(chunkBytes);
  await attempt(() => handle.read(head, 0));
  await attempt(() => handle.read(tail, Math.max(0, size - chunkBytes)));
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
    const own = await attempt(() => place.root.disk.lstat(full));
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
  const { disk } = place.root;
  const target = await realTarget(place);
  if (!inside(place.root.real, target))
    throw new MediaError('forbidden', 'link out of the library');
  const facts = await attempt(() => disk.stat(target));
  if (!facts.isDirectory()) return facts;
  if (await leadsBack(place, target)) throw new MediaError('forbidden', 'link loop');
  // Without loops, thirty folders with two links each to the next still make a billion paths.
  if (isBehindLink(place)) throw new MediaError('forbidden', 'link to a folder behind a link');
  return facts;
}

async function realTarget({ root, real, name }: Place): Promise<Buffer> {
  try {
    return await root.disk.realpath(join(real, name));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ELOOP') throw new MediaError('not-found', 'link loop', error);
    if (code === 'ENOENT') throw new MediaError('not-found', 'broken link', error);
    throw toMediaError(error);
  }
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
    if (inside(target, await attempt(() => root.disk.realpath(above)))) return true;
  }
  return false;
}

/** Asked for at once where one takes longer than `slowMs`: there it is the network that takes it. */
const slowAtOnce = 16;
const slowMs = 1;

/** Works on one path after the other, or on some at once where they prove slow. */
async function forEachPath<Item>(
  items: readonly Item[],
  { root, stop }: { readonly root: Root; readonly stop: Stop },
  work: (item: Item, by: Root) => Promise<void>,
): Promise<void> {
  let isSlow = false;
  for (let from = 0; from < items.length; from += slowAtOnce) {
    stop.throwIfAborted();
    const some = items.slice(from, from + slowAtOnce);
    const begun = performance.now();
    if (isSlow) {
      const by = { ...root, disk: patientDisk };
      await Promise.all(some.map((item) => work(item, by)));
    } else {
      for (const item of some) await work(item, root);
      isSlow = performance.now() - begun > slowMs * some.length;
    }
  }
}

function entry(name: string, type: Entry['type'], facts: BigIntStats): Entry {
  return { name, type, sizeBytes: Number(facts.size), ...directoryFacts(facts) };
}

/** As it is compared everywhere: to the microsecond. */
export const mtimeMsOf = ({ mtimeNs }: Pick<BigIntStats, 'mtimeNs'>): number =>
  Number(mtimeNs / 1_000n) / 1_000;

function directoryFacts(facts: BigIntStats): DirectoryStat {
  const mtimeMs = mtimeMsOf(facts);
  return { mtimeMs, inode: String(facts.ino), device: String(facts.dev) };
}

function sorted<T extends { name: string }>(items: T[]): T[] {
  return items.sort((a, b) => (a.name < b.name ? -1 : 1));
}
