import type { Found } from './lexicon.ts';
import type { Bracket, Tokens } from './tokens.ts';

/** What stands before the title: a fansub group in brackets and the like. */
export interface Lead {
  readonly group: string | undefined;
  /** Where the title may begin. */
  readonly end: number;
  /** Where it has to end: in a name that is all brackets it is what one of them holds. */
  readonly titleEnd?: number;
}

/** Titles that stand in square brackets themselves. */
const bracketTitles = new Set(['rec']);
const square = /[[【［]/;
const letters = /[\p{L}\p{N}]/u;

const within = (text: string, { start, end }: Bracket): string =>
  text.slice(start + 1, end - 1).trim();

/** Takes leading brackets off a name: the first that is no release word is the group. */
export function takeLead(text: string, name: Tokens, words: readonly Found[]): Lead {
  if (!square.test(text.trimStart().charAt(0))) return { group: undefined, end: 0 };
  const top = name.brackets.filter(
    (bracket, index) => index > 0 && square.test(bracket.open) && isOutermost(bracket, name),
  );
  let group: string | undefined;
  let end = 0;
  for (const bracket of top) {
    if (letters.test(text.slice(end, bracket.start))) break;
    const inner = within(text, bracket);
    if (bracketTitles.has(inner.toLowerCase()) || /^\d{4}$/.test(inner)) break;
    const isTold = tells(name, words, { bracket, isFirst: group === undefined });
    if (group !== undefined && !isTold) break;
    if (!isTold) group = inner;
    end = bracket.end;
  }
  if (saysOutside(name, words, end)) return { group, end };
  return allBrackets(text, top, { group, end });
}

const isOutermost = (bracket: Bracket, { brackets }: Tokens): boolean =>
  !brackets.some(
    (other, index) =>
      index > 0 && other !== bracket && other.start < bracket.start && other.end > bracket.end,
  );

/** Whether every word in a bracket is one of a release. */
function tells(
  { tokens }: Tokens,
  words: readonly Found[],
  { bracket, isFirst }: { bracket: Bracket; isFirst: boolean },
): boolean {
  const inside = (index: number) => {
    const token = tokens[index];
    return token !== undefined && token.start > bracket.start && token.end < bracket.end;
  };
  const total = tokens.filter((_, index) => inside(index)).length;
  const isStrong = ({ strength, facts }: Found) =>
    strength === 'strong' && facts[0]?.[0] !== 'language';
  if (isFirst && !words.some((word) => inside(word.from) && isStrong(word))) return false;
  const known = words.reduce((sum, word) => sum + (inside(word.from) ? word.to - word.from : 0), 0);
  return total > 0 && known === total;
}

/** Whether anything but words of the release stands outside of all brackets. */
const saysOutside = ({ tokens }: Tokens, words: readonly Found[], from: number): boolean =>
  tokens.some(
    ({ start, bracket, text }, index) =>
      start >= from &&
      bracket === 0 &&
      !/新番$/.test(text) &&
      text !== 'gb' &&
      !words.some((word) => word.from <= index && index < word.to),
  );

/** `[Group][Title][05][1080P]`: of the brackets behind the group the first with a Latin title. */
function allBrackets(text: string, top: readonly Bracket[], lead: Lead): Lead {
  const rest = top.filter(({ start }) => start >= lead.end);
  const said = rest.filter((bracket) => /\p{L}{2}/u.test(within(text, bracket)));
  const title =
    said.find(
      (bracket) => /[a-z]{3}/i.test(within(text, bracket)) && !isLate(bracket, rest, text),
    ) ?? said[0];
  if (title === undefined || lead.group === undefined) return { group: undefined, end: 0 };
  return { ...lead, end: title.start + 1, titleEnd: title.end - 1 };
}

/** Behind the number there are only words of the release. */
const isLate = (bracket: Bracket, all: readonly Bracket[], text: string): boolean =>
  all.some((other) => other.start < bracket.start && /^第?\d{1,4}\D?$/.test(within(text, other)));
