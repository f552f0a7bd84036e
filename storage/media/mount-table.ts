import { readFileSync } from 'node:fs';
import { decodePath } from './path.ts';

interface Mounted {
  /** Latin-1, as the bytes of a path are. */
  readonly at: string;
  /** As `st_dev` tells it. */
  readonly device: string;
}

/** Whether a root, and all below it, lies on one file system, which is that device. */
export type IsWhollyOn = (root: string, device: string) => boolean;

/**
 * By the kernel's table of mounts (proc_pid_mountinfo(5)), which answers whatever hangs. Says no
 * where the table calls a file system otherwise than its files do (btrfs), or a link leads to it;
 * where there is no such table, a root is believed to be where it was.
 */
export function readMountTable(): IsWhollyOn {
  let table: string;
  try {
    table = readFileSync('/proc/self/mountinfo', 'latin1');
  } catch {
    return () => true;
  }
  return mountTable(table);
}

/** What a text of that form tells. Pure. */
export function mountTable(text: string): IsWhollyOn {
  const mounts = text.split('\n').flatMap(readLine);
  return (root, device) => {
    const path = decodePath(root).toString('latin1');
    const isBelow = (at: string) => at !== path && `${at}/`.startsWith(within(path));
    if (mounts.some(({ at }) => isBelow(at))) return false;
    // Of several at one place the last lies on top.
    const holding = mounts.filter(({ at }) => `${path}/`.startsWith(within(at)));
    const longest = Math.max(...holding.map(({ at }) => at.length));
    return holding.findLast(({ at }) => at.length === longest)?.device === device;
  };
}

const within = (folder: string): string => (folder.endsWith('/') ? folder : `${folder}/`);

function readLine(line: string): Mounted[] {
  const [, , numbers = '', , place] = line.split(' ');
  const [major, minor] = numbers.split(':').map(Number);
  if (place === undefined || major === undefined || minor === undefined) return [];
  const at = place.replace(/\\([0-7]{3})/g, (_, octal: string) =>
    String.fromCharCode(parseInt(octal, 8)),
  );
  return [{ at, device: deviceOf(BigInt(major), BigInt(minor)) }];
}

/** As makedev(3) puts the numbers together. */
function deviceOf(major: bigint, minor: bigint): string {
  const [highMajor, lowMajor] = [major >> 12n, major & 0xfffn];
  const [highMinor, lowMinor] = [minor >> 8n, minor & 0xffn];
  return String((highMajor << 44n) | (highMinor << 20n) | (lowMajor << 8n) | lowMinor);
}
