/** A year in a name and where it stands. */
export interface FoundYear {
  readonly value: number;
  readonly start: number;
  readonly end: number;
  readonly isLeading: boolean;
}

export interface YearContext {
  readonly text: string;
  /** A later number is no year of release: 'Blade Runner 2049'. */
  readonly latestYear: number;
  /** Where the first word of the release or the mark of an episode stands. */
  readonly firstWord: number;
  /** Whether a place is a day's or a mark's. */
  readonly isTaken: (at: number) => boolean;
  /** A name with an episode: other words beside a year in brackets are the episode's title. */
  readonly isEpisode: boolean;
}

const earliestYear = 1880;
const inBrackets = /[([{]\s*(?:[^()[\]{}]*[,.] ?)?(\d{4})(?:[-–]\d{0,4})?\s*[)\]}/]/g;
const plain = /(?<=[\s._,([-])(?<!bt\.)(\d{4})(?=[\s._,)\]/-]|$)(?!-\d\d-\d\d)/gi;

/**
 * The year of release: in brackets before bare ones; of bare ones the last before the first word
 * of the release.
 */
export function findYear(context: YearContext): FoundYear | undefined {
  const { text, latestYear, isTaken } = context;
  if (!/\d{4}/.test(text)) return undefined;
  const fits = (value: number) => value >= earliestYear && value <= latestYear;
  for (const match of text.matchAll(inBrackets)) {
    const value = Number(match[1]);
    const start = match.index;
    const at = start + match[0].indexOf(match[1] ?? '');
    const isWhole = /^[([{]\s*\d{4}/.test(match[0]);
    if (
      !fits(value) ||
      isTaken(at) ||
      (!isWhole && (context.isEpisode || context.firstWord < start))
    )
      continue;
    const isLeading = text.slice(0, start).trim() === '';
    return { value, start, end: start + match[0].length, isLeading };
  }
  const bare = Array.from(text.matchAll(plain), ({ 1: digits, index }) => ({
    value: Number(digits),
    start: index,
    end: index + 4,
    isLeading: false,
  })).filter(
    ({ value, start }) => fits(value) && !isTaken(start) && /[^\s._(-]/.test(text.slice(0, start)),
  );
  return bare.findLast(({ start }) => start < context.firstWord) ?? bare[0];
}
