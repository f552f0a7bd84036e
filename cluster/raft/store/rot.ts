import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { tablesOf } from './manifest.ts';
import { rotInTable } from './tables.ts';
import { rotIn } from './wal.ts';

/**
 * What is wrong with LevelDB's files in this folder, which it does not notice itself; undefined:
 * nothing. Another process may be at work in it: what it removes meanwhile is not missed, and what
 * it has not finished is not looked at. Opening tells whether there is one.
 */
export async function findRot(place: string): Promise<string | undefined> {
  const names = await readdir(place);
  const logs = names.filter((name) => /^\d+\.log$/.test(name)).sort();
  const rot = await firstRot(place, logs, rotIn);
  if (rot) return rot;
  const manifest = await readManifest(place);
  if (!manifest) return `${join(place, 'CURRENT')} names no manifest that is there`;
  const used = tablesOf(manifest);
  const isUsed = (name: string) => /^\d+\.(?:ldb|sst)$/.test(name) && used.has(parseInt(name));
  return firstRot(place, names.filter(isUsed), rotInTable);
}

async function readManifest(place: string, before?: string): Promise<Buffer | undefined> {
  const name = (await readIfThere(join(place, 'CURRENT')))?.toString('latin1').trim() ?? '';
  const file = /^MANIFEST-\d+$/.test(name) ? await readIfThere(join(place, name)) : undefined;
  // Another process may just have begun a new one.
  return file || name === before ? file : readManifest(place, name);
}

async function firstRot(
  place: string,
  names: readonly string[],
  check: (file: Buffer) => number | undefined,
): Promise<string | undefined> {
  for (const name of names) {
    const path = join(place, name);
    const file = await readIfThere(path);
    const at = file && check(file);
    if (at !== undefined) return `${path} has rotted at byte ${at}`;
  }
  return undefined;
}

async function readIfThere(path: string): Promise<Buffer | undefined> {
  try {
    return await readFile(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
