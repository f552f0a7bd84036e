/** One word of a name: where it stands and in which pair of brackets. */
export interface Token {
  /** In lower case. */
  readonly text: string;
  readonly start: number;
  readonly end: number;
  /** Number of the innermost pair of brackets around it; 0 outside of all. */
  readonly bracket: number;
}

/** A pair of brackets; `end` is behind the closing one. */
export interface Bracket {
  readonly start: number;
  readonly end: number;
  readonly open: string;
}

export interface Tokens {
  readonly tokens: readonly Token[];
  /** By number; 0 is the text itself. */
  readonly brackets: readonly Bracket[];
}

const opening = '([{<（［【「《';
const closing = ')]}>）］】」》';
const deepest = 8;

/** By character: its kind of bracket, opening ones from 1 on, closing ones from -1 down. */
const kinds = new Map<number, number>();
for (let kind = 0; kind < opening.length; kind += 1) {
  kinds.set(opening.charCodeAt(kind), kind + 1);
  kinds.set(closing.charCodeAt(kind), -kind - 1);
}
const anyOpening = /[([{<（［【「《]/;

const isAsciiWord = (code: number): boolean =>
  (code >= 0x30 && code <= 0x39) ||
  (code >= 0x61 && code <= 0x7a) ||
  (code >= 0x41 && code <= 0x5a) ||
  code === 0x27;

/** Punctuation beyond ASCII that parts words: ‐ – … 、 。 ～ ・ and the like, in their order. */
const widePunctuation: readonly (readonly [from: number, to: number])[] = [
  [0xa0, 0xa9],
  [0xab, 0xb4],
  [0xb6, 0xb9],
  [0xbb, 0xbf],
  [0x2000, 0x2018],
  [0x201a, 0x206f],
  [0x2500, 0x27bf],
  [0x3000, 0x3004],
  [0x3008, 0x3020],
  [0x30fb, 0x30fb],
  [0xff01, 0xff0f],
  [0xff1a, 0xff20],
  [0xff3b, 0xff40],
];

const isWidePunctuation = (code: number): boolean =>
  widePunctuation.some(([from, to]) => code >= from && code <= to);

const isWord = (code: number): boolean =>
  code < 0x80 ? isAsciiWord(code) : !isWidePunctuation(code);

const isLetter = (code: number): boolean => code > 0x40 && isWord(code);

/** Small letters, one for one, so that places in both texts are the same. */
export function lowerCase(text: string): string {
  const lower = text.toLowerCase();
  if (lower.length === text.length) return lower;
  return Array.from(text, (letter) => {
    const small = letter.toLowerCase();
    return small.length === letter.length ? small : letter;
  }).join('');
}

/** Splits a name into words and finds its brackets, in one pass. */
export function tokenize(text: string): Tokens {
  const lower = lowerCase(text);
  const tokens: Token[] = [];
  const brackets: Bracket[] = [{ start: 0, end: text.length, open: '' }];
  const pairs = findPairs(text);
  const stack: number[] = [0];
  let start = -1;
  for (let at = 0; at <= text.length; at += 1) {
    const code = at < text.length ? text.charCodeAt(at) : 0x20;
    if (isWord(code)) {
      if (start < 0) start = at;
      continue;
    }
    const bracket = stack[stack.length - 1] ?? 0;
    if (start >= 0) tokens.push({ text: lower.slice(start, at), start, end: at, bracket });
    // "HDR10+", "DD+5.1": the plus is a word of its own, unless it joins two, as in "ENG+ITA".
    if (code === 0x2b && start >= 0 && !isLetter(text.charCodeAt(at + 1)))
      tokens.push({ text: '+', start: at, end: at + 1, bracket });
    start = -1;
    const pair = pairs?.get(at);
    if (pair === undefined) continue;
    if (pair > at)
      stack.push(brackets.push({ start: at, end: pair + 1, open: text[at] ?? '' }) - 1);
    else stack.pop();
  }
  return { tokens, brackets };
}

/** Both ends of every pair of brackets, each with the other's place; undefined: there are none. */
function findPairs(text: string): ReadonlyMap<number, number> | undefined {
  if (!anyOpening.test(text)) return undefined;
  const pairs = new Map<number, number>();
  const open: { at: number; kind: number }[] = [];
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (isWord(code) || code === 0x20 || code === 0x2e) continue;
    const kind = kinds.get(code) ?? 0;
    if (kind > 0 && open.length < deepest) open.push({ at, kind });
    if (kind >= 0) continue;
    const partner = open.findLastIndex((one) => one.kind === -kind);
    const from = open[partner]?.at;
    if (from === undefined) continue;
    open.length = partner;
    pairs.set(from, at);
    pairs.set(at, from);
  }
  return pairs;
}
