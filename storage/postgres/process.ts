import { readdir, readFile, readlink, realpath } from 'node:fs/promises';

/** When a process started, in clock ticks since boot (field 22 of proc(5) stat), if it lives. */
export async function startTime(pid: number): Promise<string | undefined> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(gone);
  // The second field is the command in brackets and may itself hold brackets and spaces.
  const fields = stat?.slice(stat.lastIndexOf(')') + 2).split(' ');
  return fields && fields[0] !== 'Z' ? fields[19] : undefined;
}

/** The name of the pid namespace we live in: pids of another one mean nothing here. */
export async function pidNamespace(): Promise<string> {
  return readlink('/proc/self/ns/pid');
}

/** What a pid is to a PostgreSQL data directory. */
export type Kinship = 'gone' | 'stranger' | 'postmaster';

/**
 * Says whether `pid` is a PostgreSQL serving `dataDir`. A postmaster's working directory is its
 * data directory, which is the proof. Throws when /proc does not let us look.
 */
export async function kinship(pid: number, dataDir: string): Promise<Kinship> {
  if ((await startTime(pid)) === undefined) return 'gone';
  try {
    const program = await readlink(`/proc/${pid}/exe`);
    const cwd = await readlink(`/proc/${pid}/cwd`);
    const same = cwd === (await realpath(dataDir));
    return same && /\/postgres( \(deleted\))?$/.test(program) ? 'postmaster' : 'stranger';
  } catch (error) {
    return gone(error as NodeJS.ErrnoException) ?? 'gone';
  }
}

/**
 * The processes of the PostgreSQL serving `dataDir`, as far as /proc lets us look at them: of
 * another account's, or of those that have just ended, none.
 */
export async function processesOf(dataDir: string): Promise<number[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number);
  const theirs = await Promise.all(
    pids.map(async (pid) => (await kinship(pid, dataDir).catch(closed)) === 'postmaster'),
  );
  return pids.filter((_, index) => theirs[index]);
}

function closed(error: NodeJS.ErrnoException): undefined {
  if (error.code === 'EACCES' || error.code === 'EPERM') return undefined;
  throw error;
}

function gone(error: NodeJS.ErrnoException): undefined {
  if (error.code === 'ENOENT' || error.code === 'ESRCH') return undefined;
  throw error;
}
