import { existsSync, readdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Debian's package `faketime` puts it there, whatever the machine. */
const libraries = '/usr/lib';

/** The library that tells a process another time of day; undefined: this machine has none. */
export function findFakeTime(): string | undefined {
  if (!existsSync(libraries)) return undefined;
  return readdirSync(libraries)
    .map((name) => join(libraries, name, 'faketime', 'libfaketimeMT.so.1'))
    .find((path) => existsSync(path));
}

/** A process that is started with this reads its wall clock through `file`, once a second. */
export function underClock(file: string): Record<string, string> {
  const library = findFakeTime();
  if (library === undefined) throw new Error('libfaketime is not on this machine');
  return {
    LD_PRELOAD: library,
    FAKETIME_TIMESTAMP_FILE: file,
    FAKETIME_CACHE_DURATION: '1',
    FAKETIME_DONT_FAKE_MONOTONIC: '1',
  };
}

/** Sets the clock of who reads this file so many seconds off; negative: behind. */
export function setClock(file: string, seconds: number): void {
  writeFileSync(`${file}.new`, `${seconds < 0 ? '-' : '+'}${Math.abs(seconds)}\n`);
  renameSync(`${file}.new`, file);
}
