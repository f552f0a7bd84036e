import { distance } from 'fastest-levenshtein';
import { titleKey } from '../naming/titles.ts';

/** What files say a work is. */
export interface Wanted {
  readonly titles: readonly string[];
  readonly year?: number | undefined;
  readonly runtimeMs?: number | undefined;
}

/** What a record says it is. */
export interface Known {
  readonly titles: readonly string[];
  readonly year?: number | undefined;
  readonly runtimeMs?: number | undefined;
}

/** From here on a record is taken without asking a person. */
export const acceptScore = 0.85;

const roman: Readonly<Record<string, string>> = {
  ii: '2',
  iii: '3',
  iv: '4',
  v: '5',
  vi: '6',
  vii: '7',
  viii: '8',
  ix: '9',
  x: '10',
};
const otherNumbersMax = 0.5;

/** How alike two titles are, 0 to 1; with other numbers in them they are two parts of a series. */
export function titleLikeness(one: string, other: string): number {
  const [a, b] = [wordsOf(one), wordsOf(other)];
  const [left, right] = [a.join(' '), b.join(' ')];
  if (left === right) return 1;
  const longest = Math.max(left.length, right.length);
  const likeness = longest === 0 ? 0 : 1 - distance(left, right) / longest;
  return numbersOf(a) === numbersOf(b) ? likeness : Math.min(likeness, otherNumbersMax);
}

const wordsOf = (title: string): string[] =>
  titleKey(title)
    .split(' ')
    .map((word) => roman[word] ?? word);

const numbersOf = (words: readonly string[]): string =>
  words.filter((word) => /^\d+$/.test(word)).join(' ');

/**
 * How surely a record is the work, 0 to 1: by the titles that are most alike, less for years that
 * differ (by one they often do between countries), more or less by the running time. Pure.
 */
export function scoreOf(wanted: Wanted, known: Known): number {
  const alike = wanted.titles.flatMap((title) =>
    known.titles.map((other) => titleLikeness(title, other)),
  );
  const score = Math.max(0, ...alike) - yearPenalty(wanted.year, known.year);
  const whole = score + runtimeBonus(wanted.runtimeMs, known.runtimeMs);
  return Math.round(Math.min(1, Math.max(0, whole)) * 1_000) / 1_000;
}

function yearPenalty(wanted: number | undefined, known: number | undefined): number {
  if (wanted === undefined || known === undefined) return 0.08;
  const apart = Math.abs(wanted - known);
  return [0, 0.05, 0.2][apart] ?? 0.5;
}

const minuteMs = 60_000;

function runtimeBonus(wanted: number | undefined, known: number | undefined): number {
  if (wanted === undefined || known === undefined || known === 0) return 0;
  const apart = Math.abs(wanted - known);
  if (apart <= Math.max(5 * minuteMs, 0.06 * known)) return 0.05;
  return apart > 0.3 * known ? -0.12 : 0;
}
