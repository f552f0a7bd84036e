import { statfs } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { TrustError } from './errors.ts';

/** `f_type` of statfs(2) for what must not hold a vote. */
const refused: ReadonlyMap<number, string> = new Map([
  [0x6969, 'NFS'],
  [0x517b, 'SMB'],
  [0xfe534d42, 'SMB'],
  [0xff534d42, 'SMB (CIFS)'],
  [0x65735546, 'FUSE'],
]);

type TypeOf = (path: string) => Promise<number>;

/**
 * Refuses a folder on a file system that is not this machine's own. The folder need not be there
 * yet.
 * @throws TrustError `file-system`
 */
export async function checkFileSystem(dir: string, typeOf: TypeOf = ask): Promise<void> {
  const name = refused.get((await typeOfNearest(resolve(dir), typeOf)) >>> 0);
  if (name === undefined) return;
  throw new TrustError(
    'file-system',
    `${dir} is on ${name}: a node would vote with what it keeps there, and over ${name} neither ` +
      'a finished write nor a lock can be relied on; put data.dir on a disk of this machine ' +
      '(media may stay where they are)',
  );
}

const ask: TypeOf = async (path) => (await statfs(path)).type;

/** Of the folder, or of the one it will be made in. */
async function typeOfNearest(path: string, typeOf: TypeOf): Promise<number> {
  for (let at = path; ; at = dirname(at)) {
    try {
      return await typeOf(at);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || at === dirname(at)) throw error;
    }
  }
}
