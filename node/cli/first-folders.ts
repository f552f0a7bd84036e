import { access } from 'node:fs/promises';
import { join } from 'node:path';
import type { Log } from '#services/log.ts';
import { createMedia } from '#storage/media/index.ts';
import { MediaError } from '#storage/media/media.ts';
import type { Config } from '../config/keys.ts';
import { CommandError } from './exit.ts';

/**
 * Tells of a mistyped folder at once, before a first start makes a database for it. Later a folder
 * may well be away (a share that is not mounted yet), and its library waits for it.
 */
export async function expectFolders(
  folders: readonly string[],
  { config, log }: { config: Config; log: Log },
): Promise<void> {
  if (folders.length === 0 || !(await isFirstStart(config))) return;
  await using media = createMedia({
    ...{ log, now: Date.now, processes: 1, idleMs: 1_000 },
    perMountLimit: folders.length,
  });
  const faults = await Promise.all(
    folders.map(async (folder) => {
      try {
        await media.resolve(folder, { priority: 'user' });
        return [];
      } catch (error) {
        if (!(error instanceof MediaError)) throw error;
        return error.code === 'not-found' ? [`--movies ${folder}: there is no such folder`] : [];
      }
    }),
  );
  const said = faults.flat();
  if (said.length > 0) throw new CommandError(said.join('\n'));
}

/** Only with a database of its own: one elsewhere may know the folder already, and is not made. */
async function isFirstStart(config: Config): Promise<boolean> {
  if (config['database.url'] !== undefined) return false;
  return access(join(config['data.dir'], 'pg')).then(
    () => false,
    (error: NodeJS.ErrnoException) => error.code === 'ENOENT',
  );
}
