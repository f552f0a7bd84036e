/**
 * Episode numbers that stand alone: `Title - 07`, `[05]`, `Title.103.720p`, "02 - Name". They mean
 * an episode only in some company, so each place has a weight and the best one wins.
 */
import type { Token, Tokens } from './tokens.ts';

export interface NumberContext {
  readonly text: string;
  readonly name: Tokens;
  /** Whether a token belongs to a word of the release. */
  readonly isWord: (index: number) => boolean;
  /** Whether a place is a day's. */
  readonly isTaken: (at: number) => boolean;
  /** Starts after the leading group and after what repeats the folder's name. */
  readonly from: number;
  /** Hints that the name is of a series: a fansub group, a checksum, a library of series. */
  readonly isFansub: boolean;
  readonly isSeries: boolean;
  readonly hasYear: boolean;
  readonly latestYear: number;
  /** The season of the folder it lies in. */
  readonly season: number | undefined;
  /** The folder is named like the file: numbers count through the whole series. */
  readonly isInOwnFolder: boolean;
}

/** What a number says, and where. */
export interface NumberMark {
  readonly start: number;
  readonly end: number;
  readonly season: number | undefined;
  readonly episodes: readonly number[];
  /** Half episodes (`26.5`), which have no place in the count. */
  readonly half: number | undefined;
  readonly version: number | undefined;
  /** How sure the place is, 0 to 100. */
  readonly weight: number;
}

interface Candidate {
  readonly index: number;
  readonly token: Token;
  readonly value: number;
  readonly digits: number;
  readonly isPadded: boolean;
  readonly before: string;
  readonly after: string;
  readonly isOwnBracket: boolean;
}

const dash = /[-–—]/;

function candidates(context: NumberContext): Candidate[] {
  const { name, text } = context;
  const found: Candidate[] = [];
  name.tokens.forEach((token, index) => {
    if (token.start < context.from || context.isWord(index) || context.isTaken(token.start)) return;
    const digits = /^(\d{1,4})(?:v\d)?$/.exec(token.text)?.[1];
    if (digits === undefined) return;
    const previous = name.tokens[index - 1];
    const bracket = name.brackets[token.bracket];
    found.push({
      index,
      token,
      value: Number(digits),
      digits: digits.length,
      isPadded: digits.startsWith('0') && digits.length > 1,
      before: text.slice(Math.max(context.from, previous?.end ?? 0), token.start),
      after: text.slice(token.end, name.tokens[index + 1]?.start ?? text.length),
      isOwnBracket: token.bracket !== 0 && bracket?.start === token.start - 1,
    });
  });
  return found;
}

const isYear = (value: number, latestYear: number): boolean => value >= 1900 && value <= latestYear;

/** `101.102`: the next number is the next episode's. */
const isListed = ({ index, value, digits, after }: Candidate, { name }: NumberContext): boolean =>
  digits === 3 && /^[. ]$/.test(after) && name.tokens[index + 1]?.text === String(value + 1);

/** What follows a number closes it: the end, a bracket, a dash, a word of the release. */
const isClosed = (one: Candidate, context: NumberContext): boolean =>
  one.index + 1 === context.name.tokens.length ||
  context.isWord(one.index + 1) ||
  isListed(one, context) ||
  /^[\s._]*[[({【]|\s-|-\s|^[-–~_]/.test(one.after);

const isKnown = ({ isFansub, isSeries }: NumberContext): boolean => isFansub || isSeries;

/** How much a number's place speaks for an episode; 0: nothing does. */
function weigh(one: Candidate, context: NumberContext): number {
  if (isYear(one.value, context.latestYear) && !one.isPadded) return 0;
  if (isFollowing(one, context) || isTime(one, context)) return 0;
  if (one.token.bracket !== 0) return one.isOwnBracket ? inBracket(one, context) : 0;
  const isDashed = dash.test(one.before) && /[\s_.]/.test(one.before);
  if (isDashed) return behindDash(one, context);
  const isFirst = one.before === context.text.slice(context.from, one.token.start);
  return isFirst ? first(one, context) : inText(one, context);
}

function inBracket(one: Candidate, context: NumberContext): number {
  const isSaid = isKnown(context) || one.isPadded;
  return isSaid && one.digits > 1 && closesBracket(one, context) ? 80 : 0;
}

function behindDash(one: Candidate, context: NumberContext): number {
  const isLong = one.digits > 1;
  if (isClosed(one, context) && (isLong || isKnown(context))) return 90;
  if (isLong && context.isFansub) return 70;
  return isLong && context.isSeries ? 50 : inText(one, context);
}

/** The second number of a range or of a list: `01-12`, `01 - 12 [`, `101.102`. */
function isFollowing(one: Candidate, { name }: NumberContext): boolean {
  const previous = /^\d{1,4}$/.exec(name.tokens[one.index - 1]?.text ?? '')?.[0];
  if (previous === undefined || Number(previous) >= one.value) return false;
  if (/^ ?[-~] ?$/.test(one.before) && one.before !== ' - ')
    return !/^(?:19|20)\d\d$/.test(previous);
  if (one.before === ' - ') return previous.startsWith('0') && /^[\s_]*[[(]|^$/.test(one.after);
  return /^[. ]$/.test(one.before) && previous.length === 3 && Number(previous) + 1 === one.value;
}

/** `2-00 PM`, `11-59 a.m.`: neither number is an episode's. */
function isTime({ index, before, after }: Candidate, { name }: NumberContext): boolean {
  const isHalf = (at: number) => /^[ap]m?$/.test(name.tokens[at]?.text ?? '');
  const isHour = after === '-' && /^\d\d$/.test(name.tokens[index + 1]?.text ?? '');
  return (isHour && isHalf(index + 2)) || (before === '-' && isHalf(index + 1));
}

function closesBracket(one: Candidate, { name, text }: NumberContext): boolean {
  const end = (name.brackets[one.token.bracket]?.end ?? 0) - 1;
  return /^(?:[-~_]\d{1,4})?(?: ?(?:end|fin))?$/i.test(text.slice(one.token.end, end).trim());
}

/** A number that begins the name. */
function first(one: Candidate, context: NumberContext): number {
  if (context.isSeries && (one.digits < 4 || context.isInOwnFolder)) return 60;
  const isHead = /^(?:\.? |\. ?|-|$)/.test(one.after) && one.isPadded;
  return isHead && !context.hasYear ? 55 : 0;
}

/** A number among the words, at their end or before the words of the release. */
function inText(one: Candidate, context: NumberContext): number {
  if (isDecimal(one, context)) return 0;
  if (!isKnown(context)) return inPlainText(one, context);
  if (!isClosed(one, context)) return one.isPadded ? 40 : 0;
  if (one.token.text.length > 1) return 65;
  return context.isFansub ? 30 : 0;
}

function inPlainText(one: Candidate, context: NumberContext): number {
  const isLast = one.index + 1 === context.name.tokens.length;
  const isEnded = isLast || context.isWord(one.index + 1) || isListed(one, context);
  if (context.hasYear && !(isEnded && isBehindYear(one, context))) return 0;
  const isVersioned = one.digits < one.token.text.length;
  if (isEnded && one.value < 1000 && (one.value > 99 || isVersioned)) return 35;
  if (one.isPadded && one.digits === 2 && one.value > 0) return 35;
  return isEnded && !isLast && one.value > 9 && one.value < 100 ? 30 : 0;
}

const isBehindYear = ({ index }: Candidate, { name, latestYear }: NumberContext): boolean =>
  /^\d{4}$/.test(name.tokens[index - 1]?.text ?? '') &&
  isYear(Number(name.tokens[index - 1]?.text), latestYear);

/** `2.22`, `0.2010`: one part of a number with a point. */
const isDecimal = ({ before, after, index }: Candidate, { name }: NumberContext): boolean =>
  (before === '.' && /^\d$/.test(name.tokens[index - 1]?.text ?? '')) ||
  (after === '.' && /^\d{2}$/.test(name.tokens[index + 1]?.text ?? '') && index === 0);

/** The episode number of a name without a mark that says so; undefined: it has none. */
export function findNumber(context: NumberContext): NumberMark | undefined {
  const list = candidates(context);
  const direct = seasonDash(list, context);
  if (direct !== undefined) return direct;
  let best: Candidate | undefined;
  let weight = 0;
  for (const one of list) {
    const own = weigh(one, context);
    const isLater = own === weight && own > 0 && own < 70 && own !== 60;
    if (own > weight || isLater) [best, weight] = [one, own];
  }
  if (best === undefined) return undefined;
  const better = afterSeason(best, list, context);
  return read(better, { ...context }, weight);
}

/** "Show - 2 - 05" in the folder of season 2: the first number is the season again. */
function afterSeason(
  best: Candidate,
  list: readonly Candidate[],
  context: NumberContext,
): Candidate {
  if (best.value !== context.season || best.isPadded) return best;
  const next = list.find(({ index }) => index === best.index + 1);
  return next !== undefined && dash.test(next.before) && weigh(next, context) >= 90 ? next : best;
}

/** `1-05 - Title` in a folder of a series: a season of one digit and an episode of two. */
function seasonDash(list: readonly Candidate[], context: NumberContext): NumberMark | undefined {
  const [season, episode] = list;
  if (!context.isSeries || season?.index !== 0 || episode?.index !== 1) return undefined;
  if (season.token.text.length !== 1 || episode.token.text.length !== 2) return undefined;
  if (season.after !== '-' || !/^(?: |$|\.)/.test(episode.after)) return undefined;
  return {
    start: season.token.start,
    end: episode.token.end,
    season: season.value,
    episodes: [episode.value],
    half: undefined,
    version: undefined,
    weight: 60,
  };
}

const rest = /(?: ?[-~_] ?(\d{1,4})(?![\dpix]|[.-]\d\d[.-]))+/y;

function read(one: Candidate, context: NumberContext, weight: number): NumberMark {
  const { text } = context;
  let end = one.token.end;
  const half = /^\.5(?:\.\d)?(?!\d)/.exec(text.slice(end));
  if (half !== null) {
    end += half[0].length;
    const value = one.value + 0.5;
    return {
      start: one.token.start,
      end,
      season: undefined,
      episodes: [],
      half: value,
      version: undefined,
      weight,
    };
  }
  const version = /v(\d)$/.exec(one.token.text)?.[1];
  const numbers = compactOf(one, context);
  if (numbers.season === undefined) {
    const to = range(one, context);
    if (to !== undefined) {
      end = to.end;
      for (let value = one.value + 1; value <= to.value; value += 1) numbers.episodes.push(value);
    }
  } else end = moreCompact(numbers, end, text);
  return {
    start: one.token.start,
    end,
    ...numbers,
    half: undefined,
    version: version === undefined ? undefined : Number(version),
    weight,
  };
}

/** Where `01-12`, `01 ~ 12` or `[01_03]` ends; undefined: it is one number. */
function range(
  one: Candidate,
  { text, name }: NumberContext,
): { end: number; value: number } | undefined {
  rest.lastIndex = one.token.end;
  const match = rest.exec(text);
  const value = Number(match?.[1]);
  if (match === null || value <= one.value || value - one.value > 1_000) return undefined;
  const isSpaced = / - /.test(match[0]);
  const isUnderscore = match[0].includes('_');
  if (isUnderscore && !one.isOwnBracket) return undefined;
  const after = name.tokens.find(({ start }) => start >= rest.lastIndex);
  const isOpen = after !== undefined && !/[[(]/.test(text.slice(rest.lastIndex, after.start));
  if (isSpaced && (isOpen || !one.isPadded)) return undefined;
  return { end: rest.lastIndex, value };
}

/** `103` as season 1, episode 3, where nothing says that episodes are counted through. */
function compactOf(
  one: Candidate,
  context: NumberContext,
): { season: number | undefined; episodes: number[] } {
  const season = Math.floor(one.value / 100);
  const plain = { season: undefined, episodes: [one.value] };
  const digits = one.token.text.length;
  if (digits < 3 || season === 0) return plain;
  if (context.season !== undefined) {
    return context.season === season ? { season, episodes: [one.value % 100] } : plain;
  }
  const isCounted = context.isFansub || context.isInOwnFolder || one.isPadded;
  if (isCounted && !(digits === 4 && one.isPadded)) return plain;
  return digits === 3 || one.isPadded ? { season, episodes: [one.value % 100] } : plain;
}

const another = /[ ._-](\d{3})(?![\dpi])/y;

function moreCompact(
  numbers: { season: number | undefined; episodes: number[] },
  from: number,
  text: string,
): number {
  let end = from;
  for (;;) {
    another.lastIndex = end;
    const value = Number(another.exec(text)?.[1]);
    const last = (numbers.season ?? 0) * 100 + (numbers.episodes.at(-1) ?? 0);
    if (value !== last + 1) return end;
    numbers.episodes.push(value % 100);
    end += 4;
  }
}
