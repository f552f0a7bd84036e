import words from './data/series.json' with { type: 'json' };

/** A day in a name: as `YYYY-MM-DD`, and where it stands. */
export interface FoundDate {
  readonly date: string;
  readonly start: number;
  readonly end: number;
}

const months = words.months.split(' ');
const monthNames = `(${months.join('|')})[a-z]{0,6}`;
const anyMonth = new RegExp(months.join('|'), 'i');
const yearFirst = /(?<!\d)((?:19|20)\d\d)([ ._-])(\d{1,2})\2(\d{1,2})(?!\d)/;
const yearLast = /(?<!\d)(\d{1,2})([ ._-])(\d{1,2})\2((?:19|20)\d\d)(?!\d)/;
const compact = /(?<![\da-z])((?:19|20)\d\d)(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])(?![\da-z])/i;
const six = /(?:^|[ _.])(\d\d)(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])(?=[ _.])(?!\.\d)/;
const short = /(?<![\da-z.-])(\d\d)(\.)(\d\d)\2(\d\d)(?![\d]|[.-]\d)/i;
const dayMonth = new RegExp(
  `(?<!\\d)(\\d{1,2})(?:st|nd|rd|th)?[ ._-]${monthNames}[ ._-]((?:19|20)\\d\\d)(?!\\d)`,
  'i',
);
const monthDay = new RegExp(
  `(?<![a-z])${monthNames}[ ._-](\\d{1,2}),?[ ._-]((?:19|20)\\d\\d)(?!\\d)`,
  'i',
);

function day(
  match: RegExpExecArray,
  parts: readonly [number, number, number],
): FoundDate | undefined {
  const [year, month, dayOfMonth] = parts;
  const time = new Date(Date.UTC(year, month - 1, dayOfMonth));
  const isReal = time.getUTCMonth() === month - 1 && time.getUTCDate() === dayOfMonth;
  if (!isReal) return undefined;
  const lead = match[0].length - match[0].trimStart().length;
  const start = match.index + (/^[_.]/.test(match[0]) ? 1 : lead);
  return { date: time.toISOString().slice(0, 10), start, end: match.index + match[0].length };
}

const monthOf = (word: string | undefined): number =>
  months.indexOf((word ?? '').slice(0, 3).toLowerCase()) + 1;

/** What every form of a day has: a year, six digits, or three numbers with dots. */
const mayHold = /(?:19|20)\d\d|(?:^|[ _.])\d{6}[ _.]|\d\d\.\d\d\.\d\d/;

/**
 * The first day a name gives. Of a day and a month that could be either, the day comes first, as
 * most of the world writes it; two-digit years are read as the last part unless that lies beyond
 * `latestYear`.
 */
export function findDate(text: string, latestYear: number): FoundDate | undefined {
  if (!mayHold.test(text)) return undefined;
  return (
    withYear(text) ??
    withMonthName(text) ??
    withoutSeparators(text) ??
    withShortYear(text, latestYear)
  );
}

function withYear(text: string): FoundDate | undefined {
  const first = yearFirst.exec(text);
  if (first !== null) {
    const [a, b] = [Number(first[3]), Number(first[4])];
    const found = day(first, [Number(first[1]), a, b]) ?? day(first, [Number(first[1]), b, a]);
    if (found !== undefined) return found;
  }
  const last = yearLast.exec(text);
  if (last === null) return undefined;
  const [a, b] = [Number(last[1]), Number(last[3])];
  return day(last, [Number(last[4]), b, a]) ?? day(last, [Number(last[4]), a, b]);
}

function withMonthName(text: string): FoundDate | undefined {
  if (!anyMonth.test(text)) return undefined;
  const first = dayMonth.exec(text);
  if (first !== null) return day(first, [Number(first[3]), monthOf(first[2]), Number(first[1])]);
  const second = monthDay.exec(text);
  return second === null
    ? undefined
    : day(second, [Number(second[3]), monthOf(second[1]), Number(second[2])]);
}

function withoutSeparators(text: string): FoundDate | undefined {
  const eight = compact.exec(text);
  if (eight !== null) return day(eight, [Number(eight[1]), Number(eight[2]), Number(eight[3])]);
  const found = six.exec(text);
  return found === null
    ? undefined
    : day(found, [2000 + Number(found[1]), Number(found[2]), Number(found[3])]);
}

function withShortYear(text: string, latestYear: number): FoundDate | undefined {
  const match = short.exec(text);
  if (match === null) return undefined;
  const [a, b, c] = [Number(match[1]), Number(match[3]), Number(match[4])];
  const century = (value: number) => (2000 + value > latestYear ? 1900 : 2000) + value;
  const isLikely = 2000 + c <= latestYear;
  return (isLikely ? day(match, [century(c), b, a]) : undefined) ?? day(match, [century(a), b, c]);
}
