import { execFileSync } from 'node:child_process';
import { closeSync, ftruncateSync, mkdirSync, openSync } from 'node:fs';

/** A file system of one node's own, which can be filled, and can forget what was not synced. */
export interface Disk {
  /** From now on nothing reaches it, and what it had not been asked to keep is lost. */
  loseUnsynced(): void;
  /** As after a start of the machine: what its journal has is there. Nobody may use it. */
  mountAgain(): void;
}

const megabytes = 96;
const run = (command: string, ...args: readonly string[]) =>
  void execFileSync(command, args, { stdio: ['ignore', 'ignore', 'pipe'] });

/** EXT4_IOC_SHUTDOWN of linux/ext4.h, and "do not write the journal first". */
const shutDown =
  'open(my $f, "<", $ARGV[0]) or die $!; my $how = pack("L", 2); ' +
  'ioctl($f, 0x8004587d, $how) or die $!';
const busyTries = 20;

/** Makes an ext4 in the file `image`, and mounts it. Needs root. */
export function makeDisk(image: string, path: string): Disk {
  mkdirSync(path, { recursive: true, mode: 0o700 });
  const file = openSync(image, 'w');
  ftruncateSync(file, megabytes * 2 ** 20);
  closeSync(file);
  run('mkfs.ext4', '-q', '-m', '0', '-E', 'lazy_itable_init=0,lazy_journal_init=0', image);
  const mount = () => run('mount', '-o', 'loop', image, path);
  mount();
  return {
    loseUnsynced: () => run('perl', '-e', shutDown, path),
    mountAgain() {
      unmount(path);
      mount();
    },
  };
}

/** Who was killed may still hold it for a moment. */
function unmount(path: string): void {
  for (let tried = 1; ; tried += 1) {
    try {
      return run('umount', path);
    } catch (error) {
      if (tried === busyTries || !String(error).includes('busy')) throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 100);
    }
  }
}
