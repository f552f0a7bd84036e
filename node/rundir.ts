import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { formatHostPort, isAny } from '#cluster/addresses.ts';
import type { PostgresAddress } from '#storage/postgres/connect.ts';

/** What a running node leaves in its data folder for the command line; only its owner reads it. */
export interface Running {
  readonly pid: number;
  readonly url: string;
  /** Lets who can read the data folder act as the first administrator. */
  readonly token: string;
  /** Set when the node runs its own PostgreSQL. */
  readonly database?: PostgresAddress | undefined;
}

const shape = z.object({
  pid: z.number(),
  url: z.string(),
  token: z.string(),
  database: z
    .union([
      z.object({ url: z.string() }),
      z.object({ socket: z.string(), database: z.string(), user: z.string() }),
    ])
    .optional(),
});

/** Where this machine's command line reaches a node that listens there. */
export function localUrl(host: string, port: number): string {
  return `http://${formatHostPort({ host: isAny(host) ? '127.0.0.1' : host, port })}`;
}

const fileOf = (dataDir: string) => join(dataDir, 'run', 'node.json');

/** Announces a running node; the file is complete or absent at any moment. */
export async function announce(dataDir: string, running: Running): Promise<void> {
  const file = fileOf(dataDir);
  await mkdir(join(dataDir, 'run'), { recursive: true, mode: 0o700 });
  await writeFile(`${file}.new`, JSON.stringify(running), { mode: 0o600 });
  await rename(`${file}.new`, file);
}

/** Takes the announcement back. */
export const withdraw = (dataDir: string): Promise<void> => rm(fileOf(dataDir), { force: true });

/** The node that runs on this data folder, if its process is there. */
export async function findRunning(dataDir: string): Promise<Running | undefined> {
  let text: string;
  try {
    text = await readFile(fileOf(dataDir), 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw error;
  }
  const running = shape.optional().parse(wholeJson(text));
  return running !== undefined && isAlive(running.pid) ? running : undefined;
}

/** Undefined: a power cut has left half of it, or nothing. It is not synced: whom it named is gone. */
function wholeJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
