import data from './data/editions.json' with { type: 'json' };
import type { Token } from './tokens.ts';

const set = (words: string): ReadonlySet<string> => new Set(words.split(' '));

const qualifiers = set(data.qualifiers);
const nouns = set(data.nouns);
const afterNouns = set(data.afterNouns);
const enough = set(data.enough);
const weakWords = set(data.weak);
const pairs = set(data.pairs);

/** All words that an edition's name may begin with. */
const beginning = new Set([...qualifiers, ...nouns, ...enough]);
for (const pair of pairs) beginning.add(pair.slice(0, pair.indexOf('_')));

const ordinal = /^\d{1,3}(?:st|nd|rd|th)$/;
const plain = (token: Token | undefined): string =>
  token === undefined
    ? ''
    : token.text.includes('’')
      ? token.text.replaceAll('’', "'")
      : token.text;

/** Where an edition's name that begins at token `from` ends; `from` itself: none begins there. */
export function editionEnd(tokens: readonly Token[], from: number): number {
  const first = plain(tokens[from]);
  if (!beginning.has(first) && !ordinal.test(first)) return from;
  const second = plain(tokens[from + 1]);
  let at = from;
  while (qualifiers.has(plain(tokens[at])) && at < from + 4) at += 1;
  if (at > from && nouns.has(plain(tokens[at]))) return at + 1;
  if (nouns.has(first) && afterNouns.has(second)) {
    return afterNouns.has(plain(tokens[from + 2])) ? from + 3 : from + 2;
  }
  if (pairs.has(`${first}_${second}`)) return from + 2;
  if (ordinal.test(first) && second === 'anniversary') {
    return nouns.has(plain(tokens[from + 2])) ? from + 3 : from + 2;
  }
  return enough.has(first) ? from + 1 : from;
}

const ending = new Set([...nouns, ...afterNouns, ...enough, ...weakWords]);
for (const pair of pairs) ending.add(pair.slice(pair.indexOf('_') + 1));
ending.add('anniversary');

/** Where an edition that ends just before token `end` begins; undefined: none does. */
export function editionStart(
  tokens: readonly Token[],
  end: number,
  isBesideRelease: boolean,
): number | undefined {
  if (!ending.has(plain(tokens[end - 1]))) return undefined;
  for (let from = Math.max(0, end - 5); from < end; from += 1) {
    if (editionEnd(tokens, from) === end) return from;
  }
  return isBesideRelease && weakWords.has(plain(tokens[end - 1])) ? end - 1 : undefined;
}

/** The editions that stand side by side from the first on, as tokens [from, to). */
export function findEdition(
  tokens: readonly Token[],
  from: number,
  isBeside: (index: number) => boolean,
): readonly [from: number, to: number] | undefined {
  for (let at = from; at < tokens.length; at += 1) {
    let end = editionEnd(tokens, at);
    if (end === at && weakWords.has(plain(tokens[at])) && isBeside(at)) end = at + 1;
    if (end === at) continue;
    for (let next = editionEnd(tokens, end); next > end; next = editionEnd(tokens, next))
      end = next;
    return [at, end];
  }
  return undefined;
}

/** An edition as people read it: one blank between words, no hyphen in `2-in-1`. */
export function editionText(
  text: string,
  tokens: readonly Token[],
  span: readonly [number, number],
): string {
  const words = tokens.slice(span[0], span[1]).map(({ start, end }) => text.slice(start, end));
  return words.join(' ').replace(/(?<=\d) (?=in \d)/gi, '');
}
