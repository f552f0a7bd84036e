import { open, readdir, rename, rm, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { crc32 } from 'node:zlib';
import type { SnapshotMeta } from '../core/types.ts';
import { StoreError, describeError } from './errors.ts';
import { makeFolder, syncFolder } from './folder.ts';
import { checkData, encodeHeader, readHeader, type SnapshotHeader } from './snapshot-file.ts';

export interface SnapshotFile extends SnapshotHeader {
  readonly path: string;
}

export interface Skipped {
  readonly path: string;
  readonly reason: string;
}

export interface Listing {
  /** Newest first; the headers and sizes are right, the data was not read. */
  readonly files: readonly SnapshotFile[];
  readonly skipped: readonly Skipped[];
}

export interface SnapshotSink {
  /** Resolves when the file system has it: waiting for it is what holds a fast sender back. */
  write(chunk: Uint8Array): Promise<void>;
  /**
   * Makes it durable under its name, and removes what is older than the last two.
   * @throws StoreError unless exactly `size` bytes came, when that is given; nothing is left then
   */
  commit(size?: number): Promise<SnapshotFile>;
  abort(): Promise<void>;
}

export interface OpenSnapshot extends SnapshotFile {
  /** The state machine's bytes, from `from` on; the file stays readable though it is replaced. */
  stream(from?: number): Readable;
  close(): Promise<void>;
}

export interface Snapshots {
  list(): Promise<Listing>;
  /** The newest of which every byte is right; what had to be passed over is named. */
  newest(): Promise<{ file: SnapshotFile | undefined; skipped: readonly Skipped[] }>;
  create(meta: SnapshotMeta): Promise<SnapshotSink>;
  open(file: SnapshotFile): Promise<OpenSnapshot>;
}

const kept = 2;
const suffix = '.snapshot';
const temporary = '.tmp';

/** The snapshots in `dir`/snapshots; what a crash left half written is removed. */
export async function openSnapshots({ dir }: { dir: string }): Promise<Snapshots> {
  const folder = join(dir, 'snapshots');
  await makeFolder(folder);
  for (const name of await readdir(folder)) {
    if (name.endsWith(temporary)) await rm(join(folder, name), { force: true });
  }
  let number = 0;
  return {
    list: () => listSnapshots(dir),
    newest: () => newestWhole(dir),
    create(meta) {
      number += 1;
      return createSink({ folder, dir, meta, number });
    },
    open: openFile,
  };
}

/** For the tools, which change nothing. */
export async function listSnapshots(dir: string): Promise<Listing> {
  const folder = join(dir, 'snapshots');
  const files: SnapshotFile[] = [];
  const skipped: Skipped[] = [];
  for (const name of await namesIn(folder)) {
    const path = join(folder, name);
    try {
      files.push({ path, ...(await readHeader(path)) });
    } catch (error) {
      skipped.push({ path, reason: describeError(error) });
    }
  }
  files.sort((a, b) => b.meta.index - a.meta.index || b.meta.term - a.meta.term);
  return { files, skipped };
}

/** Reads every byte until one is whole. `accept` passes over what would be of no use. */
export async function newestWhole(
  dir: string,
  accept: (file: SnapshotFile) => boolean = () => true,
): Promise<{ file: SnapshotFile | undefined; skipped: readonly Skipped[] }> {
  const { files, skipped: torn } = await listSnapshots(dir);
  const skipped = [...torn];
  for (const file of files.filter(accept)) {
    try {
      await checkData(file.path, file);
      return { file, skipped };
    } catch (error) {
      skipped.push({ path: file.path, reason: describeError(error) });
    }
  }
  return { file: undefined, skipped };
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return (await readdir(folder)).filter((name) => name.endsWith(suffix));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

interface SinkParts {
  readonly folder: string;
  readonly dir: string;
  readonly meta: SnapshotMeta;
  readonly number: number;
}

async function createSink({ folder, dir, meta, number }: SinkParts): Promise<SnapshotSink> {
  const name = `${String(meta.index).padStart(16, '0')}-${meta.term}${suffix}`;
  const path = join(folder, name);
  const draft = `${path}.${number}${temporary}`;
  const headerSize = encodeHeader(meta, { size: 0, crc: 0 }).length;
  const file = await attempt('beginning', () => open(draft, 'wx', 0o600));
  let size = 0;
  let crc = 0;
  let isOver = false;
  /** All so far: once one has failed, so does everything after it. */
  let writes: Promise<void> = Promise.resolve();

  async function attempt<T>(doing: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      const message = `${doing} the snapshot ${path} failed: ${describeError(error)}`;
      throw new StoreError(message, { cause: error });
    }
  }

  async function abort(): Promise<void> {
    if (isOver) return;
    isOver = true;
    await file.close().catch(() => {});
    await rm(draft, { force: true });
  }

  async function finish(): Promise<void> {
    await writeAll(file, encodeHeader(meta, { size, crc }), 0);
    await file.sync();
    await file.close();
    isOver = true;
    await rename(draft, path);
    await syncFolder(folder);
    await prune(dir);
  }

  return {
    async write(chunk) {
      if (isOver) throw new StoreError(`the snapshot ${path} is no longer written`);
      const at = headerSize + size;
      size += chunk.length;
      crc = crc32(chunk, crc);
      const own = attempt('writing', () => writeAll(file, chunk, at));
      writes = Promise.all([writes, own]).then(() => {});
      await writes;
    },
    async commit(expected = size) {
      if (isOver) throw new StoreError(`the snapshot ${path} is no longer written`);
      try {
        if (size !== expected) {
          throw new StoreError(
            `the snapshot ${path} has ${size} bytes, ${expected} were announced`,
          );
        }
        await writes;
        await attempt('writing', finish);
      } catch (error) {
        await abort();
        throw error;
      }
      return { path, meta, size, crc, headerSize };
    },
    abort,
  };
}

async function writeAll(file: FileHandle, bytes: Uint8Array, at: number): Promise<void> {
  let done = 0;
  while (done < bytes.length) {
    const { bytesWritten } = await file.write(bytes, done, bytes.length - done, at + done);
    done += bytesWritten;
  }
}

/** A torn one is no reason to lose a whole one, so only those whose headers are right count. */
async function prune(dir: string): Promise<void> {
  const { files } = await listSnapshots(dir);
  for (const { path } of files.slice(kept)) await rm(path, { force: true });
}

async function openFile(file: SnapshotFile): Promise<OpenSnapshot> {
  const handle = await open(file.path, 'r');
  return {
    ...file,
    stream: (from = 0) =>
      handle.createReadStream({ start: file.headerSize + from, autoClose: false }),
    close: () => handle.close(),
  };
}
