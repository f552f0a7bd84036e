import { access, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { writeDurably } from '#cluster/raft/store/folder.ts';
import { clusterFolder } from '#cluster/trust/identity.ts';

const fileOf = (dataDir: string) => join(clusterFolder(dataDir), 'recovered');

/**
 * Left by `cluster recover apply`: what the lost majority had in its logs may be missing, and the
 * same indices come again, so the next leader begins a new epoch.
 */
export const markRecovered = (dataDir: string): Promise<void> =>
  writeDurably(fileOf(dataDir), 'the next leader begins a new epoch\n');

export async function isRecovered(dataDir: string): Promise<boolean> {
  try {
    await access(fileOf(dataDir));
    return true;
  } catch {
    // Not there, as nearly always.
    return false;
  }
}

export const forgetRecovered = (dataDir: string): Promise<void> =>
  rm(fileOf(dataDir), { force: true });
