import { randomUUID } from 'node:crypto';
import { mkdir, open, readdir, readFile, rename, rm, stat, utimes } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Log } from '../log.ts';

/**
 * Bytes by name in a folder of this node, kept to a size: whatever is here can be made again, so
 * the longest unused goes first. A name is only ever given to the same content.
 */
export interface Blobs {
  /** Undefined when it is not here, or no longer. */
  get(name: string): Promise<Uint8Array | undefined>;
  /** The file that holds it, for who reads it by themselves; undefined as with `get`. */
  find(name: string): Promise<string | undefined>;
  /** Whole and on disk when it resolves; a crash leaves the blob or nothing. */
  put(name: string, bytes: Uint8Array): Promise<void>;
  /** The same in two steps, for bytes that get their name from who looks at them. */
  stage(bytes: Uint8Array): Promise<Staged>;
  stats(): { sizeBytes: number; maxBytes: number };
}

/** Bytes without a name yet; disposing of them removes what was not kept. */
export interface Staged extends AsyncDisposable {
  /** The file that holds them, until then. */
  readonly path: string;
  keep(name: string): Promise<void>;
}

export interface BlobOptions {
  readonly dir: string;
  readonly maxBytes: number;
  readonly log: Log;
  readonly now: () => number;
  /** A node may be at work in it, beside this process. */
  readonly isShared?: boolean;
}

interface State extends BlobOptions {
  /** What is older and has no name was left by a process that died. */
  readonly staleBefore: () => number;
  readonly log: Log;
  /** Undefined until the folder has been counted. */
  sizeBytes: number | undefined;
  sweep: Promise<void> | undefined;
}

const nameRule = /^[a-z0-9][a-z0-9._-]{3,127}$/;
/** Below this part of the maximum a sweep stops, so that not every new blob starts one. */
const sweptTo = 0.9;
/** The time of last use is written at most this often. */
const touchMs = 3_600_000;
const staleTemporaryMs = 3_600_000;
/** By which the time of a file may be behind the clock. */
const coarseMs = 1_000;
/** One of those that are swept. */
const stagingFolder = '00';

/** Opens the folder; it is made by the first `put`. */
export function createBlobs(options: BlobOptions): Blobs {
  const log = options.log.child({ module: 'blobs' });
  const openedAt = options.now();
  const staleBefore = () =>
    options.isShared ? options.now() - staleTemporaryMs : openedAt - coarseMs;
  const state: State = { ...options, log, staleBefore, sizeBytes: undefined, sweep: undefined };
  return {
    get: (name) => read(state, name),
    async find(name) {
      const path = placeOf(state, name);
      return (await touch(state, path)) ? path : undefined;
    },
    async put(name, bytes) {
      placeOf(state, name);
      await using staged = await stage(state, bytes);
      await staged.keep(name);
    },
    stage: (bytes) => stage(state, bytes),
    stats: () => ({ sizeBytes: state.sizeBytes ?? 0, maxBytes: state.maxBytes }),
  };
}

async function read(state: State, name: string): Promise<Uint8Array | undefined> {
  const path = placeOf(state, name);
  const bytes = await readFile(path).catch(ifMissing);
  if (bytes !== undefined) await touch(state, path);
  return bytes;
}

/** Notes that it is used; false when it is not here. */
async function touch({ now }: State, path: string): Promise<boolean> {
  const found = await stat(path).catch(ifMissing);
  if (found === undefined) return false;
  if (now() - found.mtimeMs >= touchMs) {
    const at = new Date(now());
    await utimes(path, at, at).catch(ifMissing);
  }
  return true;
}

async function stage(state: State, bytes: Uint8Array): Promise<Staged> {
  const path = join(state.dir, stagingFolder, `.${randomUUID()}`);
  await makeFolder(path);
  const file = await open(path, 'wx', 0o600);
  try {
    await file.writeFile(bytes);
    await file.sync();
    await file.close();
  } catch (error) {
    await file.close();
    await rm(path, { force: true });
    throw error;
  }
  return {
    path,
    async keep(name) {
      const place = placeOf(state, name);
      await makeFolder(place);
      await rename(path, place);
      await grow(state, bytes.length);
    },
    [Symbol.asyncDispose]: () => rm(path, { force: true }),
  };
}

// The data folder may let others pass (to a PostgreSQL of another account): not in here.
const makeFolder = (path: string) => mkdir(dirname(path), { recursive: true, mode: 0o700 });

async function grow(state: State, sizeBytes: number): Promise<void> {
  if (state.sizeBytes !== undefined) state.sizeBytes += sizeBytes;
  if (state.sizeBytes !== undefined && state.sizeBytes <= state.maxBytes) return;
  state.sweep ??= sweep(state).finally(() => (state.sweep = undefined));
  await state.sweep;
}

interface Found {
  readonly path: string;
  readonly sizeBytes: number;
  readonly usedAt: number;
}

/** Counts the folder and removes the longest unused until it fits again. */
async function sweep(state: State): Promise<void> {
  const found: Found[] = [];
  for (const folder of (await readdir(state.dir).catch(ifMissing)) ?? []) {
    found.push(...(await listFolder(state, folder)));
  }
  let sizeBytes = found.reduce((sum, blob) => sum + blob.sizeBytes, 0);
  if (sizeBytes > state.maxBytes) {
    found.sort((a, b) => a.usedAt - b.usedAt);
    let removed = 0;
    for (const { path, sizeBytes: size } of found) {
      if (sizeBytes <= state.maxBytes * sweptTo) break;
      await rm(path, { force: true });
      sizeBytes -= size;
      removed += 1;
    }
    state.log.info('removed what was longest unused', { removed, sizeBytes });
  }
  state.sizeBytes = sizeBytes;
}

async function listFolder({ dir, staleBefore }: State, folder: string): Promise<Found[]> {
  if (!/^[0-9a-z]{2}$/.test(folder)) return []; // not ours
  const found: Found[] = [];
  for (const name of (await readdir(join(dir, folder)).catch(ifMissing)) ?? []) {
    const path = join(dir, folder, name);
    const facts = await stat(path).catch(ifMissing);
    if (facts === undefined) continue;
    if (name.startsWith('.')) {
      if (facts.mtimeMs < staleBefore()) await rm(path, { force: true });
    } else found.push({ path, sizeBytes: facts.size, usedAt: facts.mtimeMs });
  }
  return found;
}

function placeOf({ dir }: State, name: string): string {
  if (!nameRule.test(name)) throw new RangeError(`"${name}" is no name for a blob`);
  return join(dir, name.slice(0, 2), name);
}

function ifMissing(error: NodeJS.ErrnoException): undefined {
  if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined;
  throw error;
}
