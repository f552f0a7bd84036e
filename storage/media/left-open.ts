let isTold = false;

/** The parent logs what is written here: that files are slower to look into has one reason. */
export function tellOnce(why: string): void {
  if (isTold) return;
  isTold = true;
  process.stderr.write(`a file is left to ffprobe, MediaInfo: ${why}\n`);
}
