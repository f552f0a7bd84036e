import {
  closeSync,
  fstatSync,
  fsyncSync,
  lstatSync,
  openSync,
  readdirSync,
  readlinkSync,
  readSync,
  realpathSync,
  statSync,
  type BigIntStats,
} from 'node:fs';
import { lstat, open, readdir, readlink, realpath, stat } from 'node:fs/promises';

type Soon<Value> = Value | Promise<Value>;

/**
 * How a file system is asked. What stands on it awaits each answer, so that the same code goes on
 * beside other work in the main thread, and without a thread per question in one of its own.
 */
export interface Disk {
  lstat(path: Buffer): Soon<BigIntStats>;
  stat(path: Buffer): Soon<BigIntStats>;
  realpath(path: Buffer): Soon<Buffer>;
  readlink(path: string): Soon<Buffer>;
  readdir(path: Buffer): Soon<Buffer[]>;
  open(path: Buffer, flags: number): Soon<Handle>;
}

/** An open file. */
export interface Handle {
  readonly fd: number;
  stat(): Soon<BigIntStats>;
  /** Fills `buffer` from `position` on; resolves to how many bytes there were. */
  read(buffer: Buffer, position: number): Soon<number>;
  sync(): Soon<void>;
  close(): Soon<void>;
}

const buffers = { encoding: 'buffer' } as const;
const bigints = { bigint: true } as const;

/** Others go on while it answers. */
export const patientDisk: Disk = {
  lstat: (path) => lstat(path, bigints),
  stat: (path) => stat(path, bigints),
  realpath: (path) => realpath(path, buffers),
  readlink: (path) => readlink(path, buffers),
  readdir: (path) => readdir(path, buffers),
  async open(path, flags) {
    const handle = await open(path, flags);
    return {
      fd: handle.fd,
      stat: () => handle.stat(bigints),
      read: async (buffer, position) =>
        (await handle.read(buffer, 0, buffer.length, position)).bytesRead,
      sync: () => handle.sync(),
      close: () => handle.close(),
    };
  },
};

/** Answers at once, at a quarter of the cost; the thread does nothing else meanwhile. */
export const waitingDisk: Disk = {
  lstat: (path) => lstatSync(path, bigints),
  stat: (path) => statSync(path, bigints),
  realpath: (path) => realpathSync.native(path, buffers),
  readlink: (path) => readlinkSync(path, buffers),
  readdir: (path) => readdirSync(path, buffers),
  open(path, flags) {
    const fd = openSync(path, flags);
    return {
      fd,
      stat: () => fstatSync(fd, bigints),
      read: (buffer, position) => readSync(fd, buffer, 0, buffer.length, position),
      sync: () => fsyncSync(fd),
      close: () => closeSync(fd),
    };
  },
};
