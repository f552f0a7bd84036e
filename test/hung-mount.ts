import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { noteOpen } from './open.ts';

/** A mount that hangs for good: whoever touches it sleeps in the kernel until killed. */
export type HungMount = AsyncDisposable & { path: string; close(): Promise<void> };

/**
 * Mounts a FUSE file system that nobody serves: its first request is never answered. The process of
 * the tests must not touch the path itself. Without `at` on a folder of its own, which goes with it.
 * Needs root and /dev/fuse.
 */
export async function mountHung(at?: string): Promise<HungMount> {
  const closed = noteOpen('mountHung');
  const path = at ?? (await mkdtemp(join(tmpdir(), 'revenge-hung-')));
  const device = await open('/dev/fuse', 'r+');
  await run('mount', ['-i', '-t', 'fuse', '-o', fuseOptions, 'hung', path], device.fd);
  const close = async () => {
    await device.close(); // the last holder's close wakes all who hang, with ENOTCONN
    await run('umount', ['-i', '-l', path]);
    if (at === undefined) await rm(path, { recursive: true, force: true });
    closed();
  };
  return { path, close, [Symbol.asyncDispose]: close };
}

const fuseOptions = 'fd=3,rootmode=40000,user_id=0,group_id=0,allow_other';

async function run(command: string, args: string[], fd?: number): Promise<void> {
  const stdio = ['ignore', 'ignore', 'inherit', ...(fd === undefined ? [] : [fd])] as const;
  const child = spawn(command, args, { stdio: [...stdio] });
  const [code] = (await once(child, 'exit')) as [number | null];
  if (code !== 0) throw new Error(`${command} failed with ${code}`);
}
