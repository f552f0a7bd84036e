import { statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';

const enterByOthers = 0o001;

/** Whether another account may enter every folder on the way to `path`; what is not there counts. */
export function isOpenToOthers(path: string): boolean {
  for (let at = resolve(path); ; at = dirname(at)) {
    const facts = statSync(at, { throwIfNoEntry: false });
    if (facts !== undefined && (facts.mode & enterByOthers) === 0) return false;
    if (at === dirname(at)) return true;
  }
}

/**
 * Where a node keeps its data when nobody says: `./data`. PostgreSQL refuses to run as root, so root
 * hands it to another account, which cannot enter a closed folder such as /root: then it is
 * /var/lib/revenge.
 */
export function defaultDataFolder(uid: number | undefined, here = './data'): string {
  return uid === 0 && !isOpenToOthers(dirname(resolve(here))) ? '/var/lib/revenge' : here;
}
