/** Where the title of a name stands. Pure. */
import { editionStart } from './editions.ts';
import type { Found } from './lexicon.ts';
import type { Episodes, Parts, Span } from './reading.ts';
import type { Token } from './tokens.ts';
import type { FoundYear } from './years.ts';

/** The number of the first token at or behind a place; the number of tokens when none is. */
export function tokenAt(tokens: readonly Token[], place: number): number {
  let at = 0;
  while (at < tokens.length && (tokens[at]?.start ?? 0) < place) at += 1;
  return at;
}

function titleStart(
  { lead, date }: Parts,
  episodes: Episodes | undefined,
  year: FoundYear | undefined,
) {
  // "221208 Series ep34": the day stands before the title, when there is a mark behind it.
  const isDated = date?.start === 0 && episodes !== undefined && episodes.start > 0;
  const begin = isDated ? Math.max(lead.end, date.end) : lead.end;
  return year?.isLeading === true ? Math.max(year.end, begin) : begin;
}

/** The title: up to the first mark, year, word of a release or bracket behind it. */
export function titleSpan(
  parts: Parts,
  episodes: Episodes | undefined,
  year: FoundYear | undefined,
): Span {
  const { text, name, words, lead } = parts;
  const start = titleStart(parts, episodes, year);
  const limit = lead.titleEnd ?? text.length;
  const first = name.tokens[tokenAt(name.tokens, start)]?.start ?? text.length;
  const word = words.find((one) => one.strength === 'strong' && one.start > first);
  const wordAt = word?.start ?? limit;
  const bracketAt = lead.titleEnd ?? bracketAfter(parts, first);
  const isBehind = year !== undefined && !year.isLeading && year.start >= start;
  const yearAt = isBehind ? year.start : limit;
  const markAt = episodes === undefined ? limit : Math.max(episodes.start, start);
  const end = Math.min(wordAt, bracketAt, yearAt, markAt, limit);
  if (end === markAt && end < Math.min(wordAt, bracketAt, yearAt)) {
    const pack = completeAtEnd.exec(text.slice(start, end));
    return { start, end: pack === null ? end : start + pack.index };
  }
  return { start, end: stepBack(parts, { start, end }, end === yearAt && end < wordAt) };
}

/** "Show The Complete Seasons 1 to 5": words of a pack, when something stands before them. */
const completeAtEnd =
  /(?<=[^\s._-])[\s._-]+(?:the[\s._]+)?complete(?:[\s._]+(?:series|seasons?))?[\s._-]*$/i;

const hard = /[[{<【［]/;

function bracketAfter({ name, text }: Parts, first: number): number {
  for (const { open, start } of name.brackets) {
    if (start > first && hard.test(open)) return start;
  }
  return text.length;
}

const article = /^(?:the|an?)$/;

/** Editions, and beside other release words also languages and the like, are not the title's. */
function stepBack({ name, words }: Parts, span: Span, isYear: boolean): number {
  const { tokens } = name;
  const first = tokenAt(tokens, span.start);
  const begin = tokenAt(tokens, span.end);
  let last = begin;
  let hasRelease = !isYear && last < tokens.length;
  let isEdition = false;
  for (;;) {
    const edition = editionStart(tokens, last, isYear || hasRelease);
    const at = edition ?? (hasRelease ? weakEndingAt(words, last)?.from : undefined);
    if (at === undefined || !isTitle(tokens, first, at)) break;
    if (edition !== undefined) hasRelease = true;
    isEdition = edition !== undefined;
    last = at;
  }
  if (last === begin) return span.end;
  // "Blade Runner The Final Cut": the article is the edition's.
  const tail = tokens[last - 1]?.text;
  if (isEdition && (tail === 'the' || tail === 'a')) last -= 1;
  return tokens[last - 1]?.end ?? span.end;
}

const weakEndingAt = (words: readonly Found[], to: number): Found | undefined =>
  words.find((word) => word.to === to && word.strength === 'weak');

const isTitle = (tokens: readonly Token[], from: number, to: number): boolean =>
  tokens.slice(from, to).some(({ text }) => !article.test(text));
