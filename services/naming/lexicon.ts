import { languageCodes } from '../languages.ts';
import release from './data/release.json' with { type: 'json' };
import { tokenize, type Token } from './tokens.ts';

/** What kinds of facts the words of a release say. */
export type FactKind =
  | 'resolution'
  | 'definition'
  | 'source'
  | 'videoCodec'
  | 'audioCodec'
  | 'channels'
  | 'profile'
  | 'hdr'
  | 'depth'
  | 'format3d'
  | 'service'
  | 'mark'
  | 'language'
  | 'subtitles'
  | 'container'
  | 'hash'
  | 'size'
  | 'frameRate'
  | 'proper'
  | 'version';

export type Fact = readonly [kind: FactKind, value: string];

/**
 * `strong` words end a title wherever they stand; `weak` ones are ordinary words too and count
 * beside others; `code` words (two and three letters) count only between others.
 */
export type Strength = 'strong' | 'weak' | 'code';

export interface Word {
  readonly facts: readonly Fact[];
  readonly strength: Strength;
}

interface Node {
  word?: Word;
  next?: Map<string, Node>;
}

/** All spellings of a word of the tables: `~` is a separator or nothing, `_` a separator. */
export function spellings(pattern: string): string[] {
  const [head = '', ...rest] = pattern.split('~');
  return rest
    .reduce((forms, part) => forms.flatMap((form) => [form + part, `${form} ${part}`]), [head])
    .map((form) => form.replaceAll('_', ' '));
}

const root = new Map<string, Node>();

function add(spelling: string, word: Word): void {
  let node: Node = { next: root };
  for (const { text } of tokenize(spelling).tokens) {
    const level: Map<string, Node> = (node.next ??= new Map());
    let child = level.get(text);
    if (child === undefined) level.set(text, (child = {}));
    node = child;
  }
  node.word ??= word;
}

function addTable(table: Readonly<Record<string, string>>, strength: Strength): void {
  for (const [said, words] of Object.entries(table)) {
    const facts = said.split(' + ').map((fact): Fact => {
      const colon = fact.indexOf(':');
      return [fact.slice(0, colon) as FactKind, fact.slice(colon + 1)];
    });
    for (const pattern of words.split(' ')) {
      for (const spelling of spellings(pattern)) add(spelling, { facts, strength });
    }
  }
}

/** Codes of three letters that are no words of the languages that titles are in. */
const plainCodes = new Set(
  'eng ita fra fre deu spa esp jpn rus hun pol ces cze nld swe kor zho ukr heb tur'.split(' '),
);

function addLanguages(): void {
  for (const { code, short, names } of languageCodes) {
    const subtitles: Word = { facts: [['subtitles', code]], strength: 'strong' };
    for (const name of [...short, ...names.filter((word) => word.length > 3)]) {
      const dubbed: Word = {
        facts: [
          ['language', code],
          ['mark', 'Dubbed'],
        ],
        strength: 'strong',
      };
      for (const glued of [`${name}dub`, `${name}dubbed`]) add(glued, dubbed);
      for (const glued of [`${name}sub`, `${name}subs`, `sub${name}`]) {
        add(glued, subtitles);
      }
    }
    for (const name of names) add(name, { facts: [['language', code]], strength: 'weak' });
    for (const name of short) {
      const strength = plainCodes.has(name) ? 'weak' : 'code';
      add(name, { facts: [['language', code]], strength });
    }
  }
}

addTable(release.strong, 'strong');
addTable(release.weak, 'weak');
addLanguages();

/** A word of the tables that begins at a token, and the token behind it. */
export interface Match {
  readonly word: Word;
  readonly to: number;
}

/** A word found in a name: the tokens [from, to) and the text [start, end). */
export interface Found extends Word {
  readonly from: number;
  readonly to: number;
  readonly start: number;
  readonly end: number;
  /** Number of the brackets it stands in; 0 outside of all. */
  readonly bracket: number;
  /** A hyphen alone stands before it. */
  readonly isHyphened: boolean;
}

const longest = 6;

/** The longest word of the tables that begins at token `from`; undefined: none. */
export function lookUp(tokens: readonly Token[], from: number): Match | undefined {
  const first = tokens[from];
  let node = first === undefined ? undefined : root.get(first.text);
  let best: Match | undefined;
  let previous = first;
  for (let at = from; node !== undefined;) {
    if (node.word !== undefined) best = { word: node.word, to: at + 1 };
    at += 1;
    const token = tokens[at];
    if (node.next === undefined || token === undefined || at >= from + longest) break;
    if (token.bracket !== first?.bracket || token.start - (previous?.end ?? 0) > 3) break;
    node = node.next.get(token.text);
    previous = token;
  }
  return best;
}

/** Whether a single word is an audio codec's name: `dd` of `dd5`. */
export function audioCodecOf(text: string): Word | undefined {
  const word = root.get(text)?.word;
  return word?.facts[0]?.[0] === 'audioCodec' ? word : undefined;
}
