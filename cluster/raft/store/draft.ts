import { rename, type FileHandle } from 'node:fs/promises';
import type { SnapshotMeta } from '../core/types.ts';
import { StoreError, describeError } from './errors.ts';
import { syncFolder } from './folder.ts';
import { encodeHeader, type SnapshotHeader } from './snapshot-file.ts';

export interface SnapshotFile extends SnapshotHeader {
  readonly path: string;
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

/** A snapshot all of whose bytes lie behind the room for its header. */
export interface Draft {
  readonly file: FileHandle;
  readonly from: string;
  readonly folder: string;
  readonly path: string;
  readonly meta: SnapshotMeta;
  readonly size: number;
  readonly crc: number;
}

/** Without its ending; in the order of their indices. */
export const nameOf = ({ index, term }: SnapshotMeta): string =>
  `${String(index).padStart(16, '0')}-${term}`;

export const headerSizeOf = (meta: SnapshotMeta): number =>
  encodeHeader(meta, { size: 0, crc: 0 }).length;

/** Durable, and then there under its name. */
export async function finishDraft(draft: Draft): Promise<SnapshotFile> {
  const { file, from, folder, path, meta, size, crc } = draft;
  const header = encodeHeader(meta, { size, crc });
  await writeAll(file, header, 0);
  await file.sync();
  await file.close();
  await rename(from, path);
  await syncFolder(folder);
  return { path, meta, size, crc, headerSize: header.length };
}

export async function writeAll(file: FileHandle, bytes: Uint8Array, at: number): Promise<void> {
  let done = 0;
  while (done < bytes.length) {
    const { bytesWritten } = await file.write(bytes, done, bytes.length - done, at + done);
    done += bytesWritten;
  }
}

/** @throws StoreError that says what failed, instead of what `work` throws */
export async function describing<T>(doing: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw new StoreError(`${doing} failed: ${describeError(error)}`, { cause: error });
  }
}
