/** How alike two titles are, however their writers count, part and spell them. Pure. */
import { distance } from 'fastest-levenshtein';
import { titleKey } from '../naming/titles.ts';

const table = (words: string, first: number): ReadonlyMap<string, string> =>
  new Map(words.split(' ').map((word, index) => [word, String(first + index)]));

/** `i` is a number at certain places only, and so is none here. */
const roman = table('ii iii iv v vi vii viii ix x xi xii xiii', 2);
const spelled = table('one two three four five six seven eight nine ten eleven twelve thirteen', 1);

/** Before a number they say nothing that it does not say. */
const counters: ReadonlySet<string> = new Set(
  'part pt parts vol volume chapter episode teil folge kapitel partie chapitre parte capitulo'.split(
    ' ',
  ),
);

/** Raised digits and fractions stand apart, as people write them where they cannot raise them. */
const apart = (title: string): string =>
  title.replace(
    /[\u00b2\u00b3\u00b9\u00bc-\u00be\u2070-\u2079\u2150-\u215f]/g,
    (sign) => ` ${sign.normalize('NFKD').replace('\u2044', ' ')} `,
  );

const isNumber = (word: string | undefined): boolean => word !== undefined && /^\d+$/.test(word);

/**
 * A title's words: numbers as digits, without the words that announce one, and without the number
 * of a first part, which most first parts do not have.
 */
function wordsOf(title: string): string[] {
  const words = titleKey(apart(title))
    .split(' ')
    .map((word) => roman.get(word) ?? spelled.get(word) ?? word);
  const last = words.length - 1;
  const counted = words.map((word, index) => {
    const isCounted = counters.has(words[index - 1] ?? '');
    return word === 'i' && index > 0 && (isCounted || index === last) ? '1' : word;
  });
  const bare = counted.filter(
    (word, index) => !(counters.has(word) && isNumber(counted[index + 1])),
  );
  return bare.filter((word, index) => {
    const isFirstPart = word === '1' && index > 0 && index === bare.length - 1;
    return !isFirstPart;
  });
}

const articles: ReadonlySet<string> = new Set(
  'the a an der die das le la les il lo i el los las un une uno una o os as de het'.split(' '),
);

const withoutArticle = (words: readonly string[]): readonly string[] =>
  words.length > 1 && articles.has(words[0] ?? '') ? words.slice(1) : words;

const numbersOf = (words: readonly string[]): string => words.filter(isNumber).join('');

/** With other numbers in them they are two parts of a series. */
const otherNumbersMax = 0.5;
/** Where only one has an article before it. */
const articleLikeness = 0.95;
/** Where one is what the other begins or ends with, up to a colon or a dash. */
const partLikeness = 0.9;

/** How alike two titles are, 0 to 1, the same either way round. */
export function titleLikeness(one: string, other: string): number {
  const whole = Math.max(
    ...spellings(one).flatMap((a) => spellings(other).map((b) => likeness(a, b))),
  );
  if (whole >= partLikeness) return whole;
  return sharePart(one, other) ? partLikeness : whole;
}

/** `Big Lebowski, The` with its article where it is spoken, also before a second title. */
const straight = (title: string): string =>
  title
    .replace(/^(.{2,}?),\s+(the|an?|der|die|das|les?|la|el|los|las|il|lo)(?=$|\s*[-–:])/i, '$2 $1')
    .replace(/^(.{2,}),\s+(the|an?|der|die|das|les?|la|el|los|las|il|lo)$/i, '$2 $1');

/** `007 GoldenEye`, `01. Iron Man`: a number that begins with zero is a shelf's, not a title's. */
const unnumbered = (title: string): string => title.replace(/^0\d{1,2}[\s.\-–_]+(?=\S)/, '');

/** As it is, and with the umlauts written out. */
function spellings(title: string): string[][] {
  const plain = unnumbered(straight(title.normalize('NFC')));
  const written = plain.replace(
    /[äöü]/gi,
    (letter) => `${umlauts[letter.toLowerCase()] ?? letter}`,
  );
  return written === plain ? [wordsOf(plain)] : [wordsOf(plain), wordsOf(written)];
}

const umlauts: Readonly<Record<string, string>> = { ä: 'ae', ö: 'oe', ü: 'ue' };

function likeness(a: readonly string[], b: readonly string[]): number {
  const [left, right] = [a.join(' '), b.join(' ')];
  if (left === right) return 1;
  const longest = Math.max(left.length, right.length);
  const near = longest === 0 ? 0 : 1 - distance(left, right) / longest;
  if (numbersOf(a) !== numbersOf(b)) return Math.min(near, otherNumbersMax);
  const isSame = withoutArticle(a).join(' ') === withoutArticle(b).join(' ');
  return isSame ? Math.max(near, articleLikeness) : near;
}

/** A title's first and last part, where it has any: `Dr. Strangelove or: How I …`. */
export function partsOf(title: string): string[] {
  const parts = title
    .split(/\s*[:–—/(]\s*|\s+-\s+|\s+or:?\s+/)
    .map((part) => part.replace(/[)\s]+$/, ''))
    .filter((part) => titleKey(part).length > 1);
  return parts.length < 2 ? [] : [parts[0] ?? '', parts.at(-1) ?? ''];
}

/** Whether one is a part of the other, and neither counts on from it. */
function sharePart(one: string, other: string): boolean {
  if (countOf(one) !== countOf(other)) return false;
  const isPart = (part: string, whole: string) =>
    spellings(part).some((a) => spellings(whole).some((b) => likeness(a, b) === 1));
  return (
    partsOf(one).some((part) => isPart(part, other)) ||
    partsOf(other).some((part) => isPart(part, one))
  );
}

/** Numbers that count parts; those of agents and years do not. */
const countOf = (title: string): string =>
  wordsOf(title)
    .filter((word) => /^[1-9]\d?$/.test(word))
    .join(' ');

/** Other ways to ask for a title where its own words find nothing, the likeliest first. */
export function askedOtherwise(title: string): string[] {
  const key = titleKey(apart(title));
  const digits = wordsOf(unnumbered(straight(title))).join(' ');
  const numerals = [...roman].map(([numeral, digit]) => [digit, numeral] as const);
  const toNumeral = new Map(numerals);
  const inRoman = digits
    .split(' ')
    .map((word, index) => (index > 0 ? (toNumeral.get(word) ?? word) : word))
    .join(' ');
  const inWords = digits
    .split(' ')
    .map((word) => [...spelled].find(([, digit]) => digit === word)?.[0] ?? word)
    .join(' ');
  const bare = withoutArticle(key.split(' ')).join(' ');
  const all = [digits, inRoman, inWords, bare, withoutAnd(digits), ...partsOf(title)];
  const known = new Set([key]);
  return all.filter((one) => {
    const oneKey = titleKey(one);
    const isNew = oneKey !== '' && !known.has(oneKey);
    known.add(oneKey);
    return isNew;
  });
}

/** Where others write `&`, searches know no word. */
const withoutAnd = (key: string): string => key.replace(/ (?:and|und|et|y|e) /g, ' ');

/** The longest words of a title: one of them is likely spelled as others do. */
export const longestWords = (title: string): string[] =>
  titleKey(title)
    .split(' ')
    .filter((word) => word.length > 2 && !['the', 'and', 'und'].includes(word))
    .toSorted((a, b) => b.length - a.length)
    .slice(0, 3);
