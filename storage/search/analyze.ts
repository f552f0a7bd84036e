import { limits } from './engine.ts';

/**
 * Words as both engines know them. One analyser for documents and for queries is what makes
 * "amelie" find "Amélie", "walle" find "WALL·E" and 「千尋」 find 「千と千尋の神隠し」 whichever engine
 * answers, and keeps the result free of the database's locale and dictionaries.
 */

/** A word and where it stands in the text it was taken from (UTF-16 offsets). */
export interface Token {
  readonly word: string;
  readonly start: number;
  readonly end: number;
  /** A run of a script that is written without spaces; it is searched by pairs of letters. */
  readonly isRun: boolean;
}

const special: Readonly<Record<string, string>> = {
  ß: 'ss',
  æ: 'ae',
  œ: 'oe',
  ø: 'o',
  ł: 'l',
  đ: 'd',
  ð: 'd',
  þ: 'th',
  ħ: 'h',
  ŧ: 't',
  ı: 'i',
  ŋ: 'n',
  ς: 'σ',
};
const specials = new RegExp(`[${Object.keys(special).join('')}]`, 'g');

/**
 * Lower case, compatibility forms resolved (ﬁ → fi, Ａ → a), accents gone. Only the general
 * diacritics, Hebrew points and Arabic vowel signs go: the marks of Thai, of Indic scripts and of
 * kana are letters in all but name.
 */
export function fold(text: string): string {
  return text
    .normalize('NFKD')
    .toLowerCase()
    .normalize('NFKD')
    .replace(/[\u0300-\u036f\u0591-\u05bd\u05bf-\u05c7\u064b-\u065f]/g, '')
    .normalize('NFC')
    .replace(specials, (letter) => special[letter] ?? letter);
}

const chunk = /[\p{L}\p{N}][\p{L}\p{N}\p{M}'’ʼ`´]*|&/gu;
// Han by its extensions: ㈠ and ㊀ are folded to the letter in them.
const unspaced =
  '\\p{Script_Extensions=Han}\\p{Script=Hiragana}\\p{Script=Katakana}ーｰﾞﾟ々' +
  '\\p{Script=Thai}\\p{Script=Lao}\\p{Script=Khmer}\\p{Script=Myanmar}';
const piece = new RegExp(`[${unspaced}]+|[^${unspaced}]+`, 'gu');
const run = new RegExp(`^[${unspaced}]`, 'u');
/** Signs, and marks that lost the letter they stood on. */
const notLetter = /^[^\p{L}\p{N}]+|[^\p{L}\p{N}\p{M}]/gu;

const isAscii = (text: string): boolean => /^[\0-\x7f]*$/.test(text);
const asciiChunk = /[a-z0-9][a-z0-9'`]*|&/gi;

/** The words of a text in order, folded; at most `max`. `&` is the word "and". */
export function tokens(text: string, max = 200): Token[] {
  const found: Token[] = [];
  const isPlain = isAscii(text);
  for (const { 0: raw, index } of text.matchAll(isPlain ? asciiChunk : chunk)) {
    if (raw === '&') found.push({ word: 'and', start: index, end: index + 1, isRun: false });
    else if (isPlain) found.push(plainToken(raw, index));
    else found.push(...pieces(raw, index));
    if (found.length >= max) return found.slice(0, max);
  }
  return found;
}

/** Most text needs no Unicode tables; this path is eight times as fast. */
function plainToken(raw: string, start: number): Token {
  const word = raw.toLowerCase().replace(/['`]/g, '');
  return { word, start, end: start + raw.length, isRun: false };
}

function pieces(raw: string, offset: number): Token[] {
  return Array.from(raw.matchAll(piece), (part) => ({
    word: fold(part[0]).replace(notLetter, ''),
    start: offset + part.index,
    end: offset + part.index + part[0].length,
    isRun: run.test(part[0]),
  })).filter(({ word }) => word !== '');
}

/** What is looked up in the index for a token: a word itself, a run in overlapping pairs. */
export function lexemesOf({ word, isRun }: Token): string[] {
  if (!isRun) return [word.length > limits.wordLength ? word.slice(0, limits.wordLength) : word];
  const letters = Array.from(word);
  if (letters.length < 2) return [word];
  return letters.slice(1).map((letter, at) => `${letters[at] ?? ''}${letter}`);
}

/** The words of a text as the index knows them, in order, repeats included. */
export const words = (text: string): string[] => tokens(text).flatMap(lexemesOf);

/** A text as one line of its words: what titles are compared by. */
export const phrase = (text: string): string => words(text).join(' ');

/** What people write as one word though the text has it as several: "spiderman", "walle". */
export function compounds(text: string, of: readonly Token[] = tokens(text)): string[] {
  const found: string[] = [];
  let joined = '';
  let previous: Token | undefined;
  for (const token of of) {
    const between = previous === undefined ? ' ' : text.slice(previous.end, token.start);
    const isJoined = /^[^\s&,:;]{0,2}$/u.test(between) && text[token.start] !== '&';
    if (!isJoined && joined !== '') found.push(joined);
    if (isJoined) joined = (joined || (previous?.word ?? '')) + token.word;
    else joined = '';
    previous = token;
  }
  if (joined !== '') found.push(joined);
  return found.filter((word) => word.length <= limits.wordLength);
}

const article = /^(?:the|a|an|der|die|das|ein|eine|le|la|les|un|une|el|los|las|il|lo|gli) (?=.)/;

/** All phrases names are compared by; the first is the first name's own. */
export function phrasesOf(names: readonly string[]): string[] {
  const bare = names.map((name) => name.replace(article, ''));
  return [...new Set([...names, ...bare])].filter((name) => name !== '');
}

/** A query as the engines see it: its words, and whether the last may be unfinished. */
export interface AnalyzedText {
  readonly words: readonly string[];
  readonly phrase: string;
  readonly isLastOpen: boolean;
}

/** Takes a query apart; a space or a full stop after the last word finishes it. */
export function analyzeQuery(text: string, isPrefix: boolean): AnalyzedText {
  const cut = Array.from(text).slice(0, limits.textLength).join('');
  const all = words(cut).slice(0, limits.words);
  const isLastOpen = isPrefix && /[\p{L}\p{N}\p{M}'’]$/u.test(cut);
  return { words: all, phrase: all.join(' '), isLastOpen };
}
