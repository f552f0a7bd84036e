import { compounds, lexemesOf, phrasesOf, tokens, type AnalyzedText } from './analyze.ts';
import { limits, type SearchDocument } from './engine.ts';

type Weight = 'A' | 'B' | 'C' | 'D';

const phraseLength = 200;
const startLength = 6;
const shortLength = 3;

/** What is stored of a document besides what is shown. */
export interface Indexed {
  /** Folded names, each between line feeds. */
  readonly phrases: string;
  /** The text form of a tsvector. */
  readonly words: string;
  /** Words somebody may mistype, for the vocabulary. */
  readonly vocabulary: string[];
}

/** Turns a document into what PostgreSQL indexes; see the comment of its column `words`. */
export function indexed(document: SearchDocument): Indexed {
  const lexemes = new Map<string, Weight>();
  const vocabulary = new Set<string>();
  const put = (lexeme: string, weight: Weight) => {
    const known = lexemes.get(lexeme);
    if (known === undefined || weight < known) lexemes.set(lexeme, weight);
  };
  const putText = (text: string, weight: Weight): string[] => {
    const found = tokens(text);
    const lexemesFound = found.flatMap(lexemesOf);
    for (const word of lexemesFound) put(word, weight);
    for (const word of compounds(text, found)) put(word, weight);
    for (const { word, isRun } of found) if (isTypable(word, isRun)) vocabulary.add(word);
    return lexemesFound;
  };
  const titles = [document.title, ...document.titles.slice(0, limits.titles)];
  const titleWords = titles.map((title, at) => putText(title, at === 0 ? 'A' : 'B'));
  for (const name of document.people.slice(0, limits.people)) putText(name, 'C');
  for (const word of document.keywords.slice(0, limits.keywords)) putText(word, 'D');
  if (document.year !== undefined) put(String(document.year), 'D');
  const phrases = phrasesOf(titleWords.map((list) => list.join(' ').slice(0, phraseLength)));
  for (const marker of markers(phrases, titleWords.flat())) put(marker, 'D');
  return {
    phrases: `\n${phrases.join('\n')}\n`,
    words: vectorText(lexemes),
    vocabulary: [...vocabulary],
  };
}

const isTypable = (word: string, isRun: boolean): boolean =>
  !isRun && word.length >= 4 && word.length <= limits.wordLength && /^\p{L}+$/u.test(word);

function* markers(phrases: readonly string[], titleWords: readonly string[]): Generator<string> {
  for (const phrase of phrases) {
    yield `=${phrase}`;
    for (let length = 1; length <= startLength; length += 1) yield `^${start(phrase, length)}`;
  }
  for (const word of titleWords) {
    for (let length = 1; length <= shortLength; length += 1) yield `<${start(word, length)}`;
  }
}

const start = (text: string, length: number) => Array.from(text).slice(0, length).join('');

const quoted = (lexeme: string): string =>
  `'${lexeme.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`;

/** A weight needs a position to sit on; the number itself says nothing here. */
const vectorText = (lexemes: ReadonlyMap<string, Weight>): string =>
  [...lexemes].map(([word, weight]) => `${quoted(word)}:1${weight}`).join(' ');

/** The text forms of the tsqueries of one question. */
export interface Lookups {
  /** What the documents found must hold. */
  readonly all: string;
  /** The part of `all` that is worth asking the index for; the rest is checked row by row. */
  readonly index: string;
  /** The whole phrase is one of the names. */
  readonly exact: string;
  /** A name begins like the phrase. */
  readonly starts: string;
  /** All words are in the title; in any of the titles; among the people. */
  readonly inTitle: string;
  readonly inTitles: string;
  readonly inPeople: string;
  /** The phrase that names are compared with. */
  readonly phrase: string;
  /** Nothing in it is rare: a large part of all documents is likely to match. */
  readonly isVague: boolean;
}

/** For each word of a question what it may stand for, best first. */
export type Alternatives = readonly (readonly string[])[];

/**
 * The tsqueries for words of which each may have alternatives. The first alternative of each makes
 * the phrase that names are compared with.
 */
export function lookups(text: AnalyzedText, alternatives: Alternatives): Lookups {
  const phrase = alternatives.map(([best]) => best ?? '').join(' ');
  const last = alternatives.length - 1;
  const isOpen = (at: number) => text.isLastOpen && at === last;
  const within = (allowed: string) =>
    every(alternatives, (word, at) => `${quoted(word)}:${isOpen(at) ? '*' : ''}${allowed}`);
  const rare = alternatives.filter((choices, at) => !isOpen(at) && !choices.some(isFrequent));
  const isFew = isShortWord(text);
  const isMarked = isFew && rare.length === 0;
  const all = every(alternatives, (word, at) => {
    if (!isOpen(at)) return quoted(word);
    return isMarked ? `(${quoted(`<${word}`)} | ${quoted(word)})` : `${quoted(word)}:*`;
  });
  const openPart = text.isLastOpen && !isFew ? alternatives.slice(last) : [];
  const worthwhile = [...rare, ...openPart];
  const opening = quoted(`^${start(phrase, startLength)}`);
  return {
    all,
    index:
      worthwhile.length === 0
        ? all
        : every(worthwhile, (word, at) => `${quoted(word)}${at < rare.length ? '' : ':*'}`),
    exact: quoted(`=${phrase.slice(0, phraseLength)}`),
    starts: Array.from(phrase).length <= startLength ? opening : `${opening} & ${all}`,
    inTitle: within('A'),
    inTitles: within('AB'),
    inPeople: within('C'),
    phrase,
    isVague: worthwhile.length === 0,
  };
}

const every = (from: Alternatives, term: (word: string, at: number) => string): string =>
  from.map((choices, at) => `(${choices.map((word) => term(word, at)).join(' | ')})`).join(' & ');

/** Whether the word being typed is so short that half of all documents have one like it. */
const isShortWord = ({ words, isLastOpen }: AnalyzedText): boolean => {
  const last = words.at(-1) ?? '';
  return isLastOpen && Array.from(last).length <= shortLength && !dense.test(last);
};

/** Scripts of which one letter says as much as a word of others. */
const dense = /\p{Script=Han}|\p{Script=Hiragana}|\p{Script=Katakana}|\p{Script=Hangul}/u;

/** Words so frequent that the index only wastes time on them. */
const frequent = new Set(
  'the a an of and in on to for with der die das und von le la les de des du el los il lo i'.split(
    ' ',
  ),
);
const isFrequent = (word: string): boolean => frequent.has(word);

/** The tsquery for all but one of at least two words, whichever that is. */
export function allButOne(alternatives: Alternatives): string {
  const terms = alternatives.map((choices) => `(${choices.map(quoted).join(' | ')})`);
  return terms
    .map((_, left) => `(${terms.filter((__, at) => at !== left).join(' & ')})`)
    .join(' | ');
}
