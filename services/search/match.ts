import { tokens, type Token } from '#storage/search/analyze.ts';
import type { SearchHit } from '#storage/search/engine.ts';
import { typos, typosAllowed } from '#storage/search/typos.ts';

/** Part of a text, in UTF-16 units; `end` is not part of it. */
export interface Range {
  readonly start: number;
  readonly end: number;
}

/** Where in a hit the words of a question were found. */
export interface Match {
  readonly field: 'title' | 'otherTitle' | 'person';
  readonly text: string;
  readonly ranges: Range[];
}

interface Judged extends Match {
  /** Words of the question that were found, those with mistakes counting less. */
  readonly score: number;
}

const exact = 3;
const begun = 2;
const near = 1;

/**
 * The name of a hit that answers the question best, and what to set off in it. Worked out from
 * what is shown, so that it is the same whichever engine found it. Undefined: found by something
 * that is not shown.
 */
export function explain(hit: SearchHit, text: string, isPrefix: boolean): Match | undefined {
  const typed = tokens(text, 10);
  const isLastOpen = isPrefix && /[\p{L}\p{N}\p{M}'’]$/u.test(text);
  const judge = (field: Match['field'], name: string) => judged({ field, name, typed, isLastOpen });
  const all = [
    judge('title', hit.title),
    ...hit.titles.map((title) => judge('otherTitle', title)),
    ...hit.people.map((person) => judge('person', person)),
  ];
  const best = all.reduce((a, b) => (b.score > a.score ? b : a));
  if (best.score === 0) return undefined;
  return { field: best.field, text: best.text, ranges: best.ranges };
}

function judged(part: {
  field: Match['field'];
  name: string;
  typed: readonly Token[];
  isLastOpen: boolean;
}): Judged {
  const { field, name, typed, isLastOpen } = part;
  const there = tokens(name);
  const ranges: Range[] = [];
  let score = 0;
  for (const [at, word] of typed.entries()) {
    const isOpen = isLastOpen && at === typed.length - 1;
    const best = there
      .map((token) => ({ token, merit: meritOf(word, token, isOpen) }))
      .reduce((a, b) => (b.merit > a.merit ? b : a), {
        token: undefined as Token | undefined,
        merit: 0,
      });
    if (best.token === undefined) continue;
    score += best.merit;
    ranges.push(rangeIn(best.token, word, best.merit));
  }
  return { field, text: name, ranges: merged(ranges), score };
}

function meritOf(typed: Token, token: Token, isOpen: boolean): number {
  if (token.word === typed.word) return exact;
  if (typed.isRun) return token.isRun && token.word.includes(typed.word) ? begun : 0;
  if (isOpen && token.word.startsWith(typed.word)) return begun;
  const max = typosAllowed(Array.from(typed.word).length);
  if (max === 0) return 0;
  return typos(typed.word, token.word, { max, isPrefix: isOpen }) <= max ? near : 0;
}

/** The letters typed so far, or the whole word where it is not the same letters. */
function rangeIn(token: Token, typed: Token, merit: number): Range {
  const { start, end } = token;
  const from = token.word.indexOf(typed.word);
  const isPlain = token.word.length === end - start;
  if (merit !== begun || from < 0 || !isPlain) return { start, end };
  return { start: start + from, end: start + from + typed.word.length };
}

/** In order, none twice. */
function merged(ranges: readonly Range[]): Range[] {
  const inOrder = [...ranges].sort((a, b) => a.start - b.start);
  return inOrder.reduce<Range[]>((done, range) => {
    const last = done.at(-1);
    if (last === undefined || range.start >= last.end) return [...done, range];
    return [...done.slice(0, -1), { start: last.start, end: Math.max(last.end, range.end) }];
  }, []);
}
