/** How fast it may be played, of its own speed. */
export const rates: readonly number[] = [0.5, 0.75, 1, 1.25, 1.5, 1.75, 2];

/** The next faster speed, or the next slower; where there is none, what it was. Pure. */
export function rateBeside(rate: number, by: 1 | -1): number {
  const beside = by > 0 ? rates.find((one) => one > rate) : rates.findLast((one) => one < rate);
  return beside ?? rate;
}

/** So much into a chapter, the way back leads to its beginning and not to the one before. */
const settledMs = 3_000;

/**
 * Where the chapter after this one begins, or the way back leads, in milliseconds; undefined where
 * there is none. Pure.
 */
export function chapterBeside(
  chapters: readonly { readonly startMs: number }[],
  atMs: number,
  by: 1 | -1,
): number | undefined {
  const starts = chapters.map(({ startMs }) => startMs).sort((a, b) => a - b);
  return by > 0
    ? starts.find((start) => start > atMs)
    : (starts.findLast((start) => start < Math.max(0, atMs - settledMs)) ?? starts[0]);
}
