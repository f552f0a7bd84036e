import type { Found } from './lexicon.ts';
import type { Tokens } from './tokens.ts';

/** Where the words of a release may stand: behind the title, and before it. */
export interface Outside {
  readonly titleStart: number;
  readonly titleEnd: number;
  /** Behind the title, the year and the mark of an episode. */
  readonly tail: number;
  readonly text: string;
}

/** A run of words of the tables with nothing between them, as [from, to) of the list. */
interface Run {
  readonly from: number;
  readonly to: number;
  readonly isLeftClosed: boolean;
  readonly isRightClosed: boolean;
}

/**
 * The words that count: strong ones, and those that stand in a run with them or fill what lies
 * between two ends: a bracket, the title, the name's end.
 */
export function countedWords(name: Tokens, words: readonly Found[], outside: Outside): Found[] {
  const list = words.filter(({ start }) => start >= outside.titleEnd || start < outside.titleStart);
  const kept: Found[] = [];
  for (let from = 0; from < list.length;) {
    const run = runFrom(name, list, { from, outside });
    kept.push(...countedOf(list.slice(run.from, run.to), run));
    from = run.to;
  }
  const last = kept.at(-1);
  return last !== undefined && isGroup(name, last, kept) ? kept.slice(0, -1) : kept;
}

function runFrom(
  { tokens }: Tokens,
  list: readonly Found[],
  { from, outside }: { from: number; outside: Outside },
): Run {
  let to = from + 1;
  let last = list[from];
  for (let next = list[to]; next !== undefined; next = list[to]) {
    if (next.from !== last?.to || next.bracket !== last.bracket) break;
    last = next;
    to += 1;
  }
  const first = list[from];
  const before = tokens[(first?.from ?? 0) - 1];
  const after = tokens[last?.to ?? 0];
  const isLeftClosed =
    before === undefined || before.bracket !== first?.bracket || before.end <= outside.tail;
  // The group behind a hyphen ends a run as well as the name's end does.
  const isRightClosed =
    after === undefined ||
    after.bracket !== last?.bracket ||
    (last.to === tokens.length - 1 && outside.text.slice(last.end, after.start) === '-');
  return { from, to, isLeftClosed, isRightClosed };
}

function countedOf(list: readonly Found[], run: Run): readonly Found[] {
  const isStrong = ({ strength }: Found) => strength === 'strong';
  const first = list.findIndex(isStrong);
  if (first < 0) {
    const isTold = list.some(isSubtitleWord) && list.some((word) => languageOf(word) !== undefined);
    const isClosed = run.isLeftClosed && run.isRightClosed;
    return isClosed || (isTold && (run.isLeftClosed || run.isRightClosed)) ? list : [];
  }
  const last = list.findLastIndex(isStrong);
  return list.filter(({ strength }, index) => {
    if (strength !== 'code') return true;
    if (index < first)
      return run.isLeftClosed || list.slice(0, index).some((w) => w.strength !== 'code');
    return (
      index < last || run.isRightClosed || list.slice(index + 1).some((w) => w.strength !== 'code')
    );
  });
}

/** The last word of a name behind a hyphen is the group, whatever else it may mean. */
function isGroup({ tokens }: Tokens, last: Found, kept: readonly Found[]): boolean {
  const previous = kept.at(-2);
  if (last.to !== tokens.length || last.to - last.from > 1 || !last.isHyphened) return false;
  if (previous?.to !== last.from || isSubtitleWord(last)) return false;
  // A source behind another one: `HDTV.x264-SDTV`.
  if (last.strength === 'strong')
    return last.facts[0]?.[0] === 'source' && kept.filter(isSource).length > 1;
  return languageOf(last) === undefined || languageOf(previous) === undefined;
}

const isSource = ({ facts }: Found): boolean => facts[0]?.[0] === 'source';

/** Whether a word says "subtitles" of no language. */
export const isSubtitleWord = ({ facts }: Found): boolean =>
  facts.some(([kind, value]) => kind === 'subtitles' && value === 'und');
/** The language a word names. */
export const languageOf = (word: Found | undefined): string | undefined =>
  word?.facts.find(([kind]) => kind === 'language')?.[1];
