import { realpath } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Level } from 'level';
import { describeError, hasCode } from '../raft/store/errors.ts';
import { TrustError } from './errors.ts';

/**
 * Takes a folder for this process alone. The lock is the one of an empty LevelDB: the kernel's own
 * (fcntl), so it is never left behind, whatever ends the process, and holds between containers that
 * share the folder on one machine. Node has no call for it; a file with a process id in it can lie.
 * @throws TrustError `in-use` when another process has it
 */
export async function lockFolder(dir: string): Promise<() => Promise<void>> {
  // One process is told apart from itself by the path, so there may be only one way to write it.
  const place = join(await realpath(dir), 'lock');
  const database = new Level(place);
  try {
    await database.open();
  } catch (error) {
    if (hasCode(error, 'LEVEL_LOCKED')) {
      const used = `another process uses ${dirname(place)}`;
      throw new TrustError('in-use', `${used}: stop it, or give this one its own data.dir`, error);
    }
    const why = `${place} could not be opened (${describeError(error)})`;
    const advice = 'it holds nothing: delete it while no node runs, and start again';
    throw new TrustError('unreadable', `${why}; ${advice}`, error);
  }
  return () => database.close();
}
