let isTold = false;

/**
 * The parent logs what is written here, up to a few kilobytes: that files are slower to look into
 * mostly has one reason, so that each thread tells the first.
 */
export function tellOnce(why: string): void {
  if (isTold) return;
  isTold = true;
  process.stderr.write(`a file is left to ffprobe, MediaInfo: ${why}\n`);
}
