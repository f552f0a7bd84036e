import { open, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { crc32 } from 'node:zlib';
import type { SnapshotMeta } from '../core/types.ts';
import type { Rest } from '../wire/resume.ts';
import { StoreError, describeError } from './errors.ts';
import {
  describing,
  finishDraft,
  headerSizeOf,
  nameOf,
  writeAll,
  type SnapshotFile,
  type SnapshotSink,
} from './draft.ts';
import { makeFolder } from './folder.ts';
import { openPartials, type Partials } from './partials.ts';
import { checkData, readHeader } from './snapshot-file.ts';

export type { SnapshotFile, SnapshotSink } from './draft.ts';

export interface Skipped {
  readonly path: string;
  readonly reason: string;
}

export interface Listing {
  /** Newest first; the headers and sizes are right, the data was not read. */
  readonly files: readonly SnapshotFile[];
  readonly skipped: readonly Skipped[];
}

export interface OpenSnapshot extends SnapshotFile {
  /** The state machine's bytes, from `from` on; the file stays readable though it is replaced. */
  stream(from?: number): Readable;
  close(): Promise<void>;
}

export interface Snapshots {
  list(): Promise<Listing>;
  /** With `rest` it goes on behind what is kept, and an abort keeps it; see Partials. */
  create(meta: SnapshotMeta, rest?: Rest): Promise<SnapshotSink>;
  readonly partials: Pick<Partials, 'keptOf' | 'drop'>;
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
  const partials = await openPartials(folder);
  let number = 0;
  return {
    partials,
    list: () => listSnapshots(dir),
    async create(meta, rest) {
      number += 1;
      const sink = rest
        ? await partials.open(meta, rest)
        : await createSink({ folder, meta, draft: `${nameOf(meta)}${suffix}.${number}` });
      return {
        ...sink,
        async commit(size) {
          const file = await sink.commit(size);
          await describing(`removing snapshots before ${file.path}`, async () => {
            await prune(dir);
            await partials.drop(meta.index);
          });
          return file;
        },
      };
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

/** Reads every byte until one is whole, from the newest on; the others are named. `accept` passes over what would be of no use. */
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
  readonly meta: SnapshotMeta;
  readonly draft: string;
}

async function createSink({ folder, meta, draft }: SinkParts): Promise<SnapshotSink> {
  const path = join(folder, `${nameOf(meta)}${suffix}`);
  const from = join(folder, `${draft}${temporary}`);
  const headerSize = headerSizeOf(meta);
  const file = await describing(`beginning ${path}`, () => open(from, 'wx', 0o600));
  let size = 0;
  let crc = 0;
  let isOver = false;
  /** All so far: once one has failed, so does everything after it. */
  let writes: Promise<void> = Promise.resolve();

  async function abort(): Promise<void> {
    if (isOver) return;
    isOver = true;
    await file.close().catch(() => {});
    await rm(from, { force: true });
  }

  return {
    async write(chunk) {
      if (isOver) throw new StoreError(`the snapshot ${path} is no longer written`);
      const at = headerSize + size;
      size += chunk.length;
      crc = crc32(chunk, crc);
      const own = describing(`writing ${path}`, () => writeAll(file, chunk, at));
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
        const draft = { file, from, folder, path, meta, size, crc };
        const done = await describing(`writing ${path}`, () => finishDraft(draft));
        isOver = true;
        return done;
      } catch (error) {
        await abort();
        throw error;
      }
    },
    abort,
  };
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
