/** Typing mistakes a word of this many letters may have and still be meant; as in Typesense. */
export function typosAllowed(length: number): 0 | 1 | 2 {
  if (length < 4) return 0;
  return length < 8 ? 1 : 2;
}

/**
 * Typing mistakes between two words: letters left out, put in, exchanged, or two neighbours
 * swapped (optimal string alignment). With `isPrefix` the typed word is compared with the best
 * beginning of the other. Answers `max + 1` for anything beyond `max`.
 */
export function typos(
  typed: string,
  word: string,
  options: { max: number; isPrefix: boolean },
): number {
  const a = Array.from(typed);
  const b = Array.from(word).slice(0, options.isPrefix ? a.length + options.max : undefined);
  if (Math.abs(a.length - b.length) > options.max && !options.isPrefix) return options.max + 1;
  let before: number[] = [];
  let last = b.map((_, at) => at).concat(b.length);
  for (let row = 1; row <= a.length; row += 1) {
    const next = [row];
    for (let column = 1; column <= b.length; column += 1) {
      const isSame = a[row - 1] === b[column - 1];
      const isSwapped = a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1];
      next[column] = Math.min(
        at(last, column) + 1,
        at(next, column - 1) + 1,
        at(last, column - 1) + (isSame ? 0 : 1),
        isSwapped && row > 1 && column > 1 ? at(before, column - 2) + 1 : Infinity,
      );
    }
    before = last;
    last = next;
  }
  const distance = options.isPrefix ? Math.min(...last) : at(last, b.length);
  return Math.min(distance, options.max + 1);
}

const at = (row: readonly number[], column: number): number => row[column] ?? Infinity;

/** The words of `known` that `typed` may stand for, nearest first, at most `max`. */
export function nearest(
  typed: string,
  known: readonly string[],
  options: { isPrefix: boolean; max: number },
): string[] {
  const allowed = typosAllowed(Array.from(typed).length);
  return known
    .map((word) => ({ word, distance: typos(typed, word, { ...options, max: allowed }) }))
    .filter(({ distance }) => distance <= allowed)
    .sort((a, b) => a.distance - b.distance || a.word.length - b.word.length)
    .slice(0, options.max)
    .map(({ word }) => word);
}
