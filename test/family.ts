import { readFile } from 'node:fs/promises';

/** A process and its children; itself first, so that a postmaster replaces nobody. */
export async function family(pid: number): Promise<number[]> {
  // One that has ended has none.
  const children = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8').catch(() => '');
  return [pid, ...children.trim().split(' ').filter(Boolean).map(Number)];
}
