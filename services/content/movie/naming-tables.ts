import { languageWords } from '../../languages.ts';
import * as words from './naming-words.ts';
import type { WordTable } from './naming-words.ts';

/** What a release word tells. `weak` words mean it only beside other release words. */
export type WordKind =
  'resolution' | 'source' | 'videoCodec' | 'audioCodec' | 'hdr' | 'noise' | 'weak';

/** A release word found in a name: [start, end) and what it means. */
export interface FoundWord {
  readonly kind: WordKind;
  readonly value: string;
  readonly start: number;
  readonly end: number;
}

const letter = 'a-z0-9\\u00c0-\\u024f\\u0370-\\uffff';
/** A word stands alone: no letter or digit of any script touches it. */
export const alone = (source: string): string => `(?<![${letter}])(?:${source})(?![${letter}])`;

const expand = (pattern: string): string => pattern.replace(/~\??/g, '[ ._-]?');

type Entry = { kind: WordKind; value: string; pattern: string };

const entries = (kind: WordKind, table: WordTable): Entry[] =>
  table.map(([pattern, value]) => ({ kind, value, pattern: expand(pattern) }));

const strong: readonly Entry[] = [
  ...entries('noise', words.noise),
  ...entries('resolution', words.resolutions),
  ...entries('source', words.sources),
  ...entries('videoCodec', words.videoCodecs),
  ...entries('audioCodec', words.audioCodecs),
  ...entries('hdr', words.hdrKinds),
];

const weak: readonly Entry[] = [
  ...entries('source', words.weakSources),
  ...entries('weak', words.weakNoise),
  { kind: 'weak', value: 'language', pattern: languageWords.join('|') },
];

const one = (list: readonly Entry[]): string =>
  list.map(({ pattern }) => `(${pattern.replace(/\((?!\?)/g, '(?:')})`).join('|');

const strongWords = new RegExp(alone(one(strong)), 'gi');
const anyWord = new RegExp(`${alone(one([...strong, ...weak]))}`, 'gi');
const endsInWord = new RegExp(`${alone(weak.map(({ pattern }) => pattern).join('|'))}$`, 'i');

const edition = words.editionWords.join('|');
const editions = new RegExp(alone(edition), 'gi');
const endsInEdition = new RegExp(`${alone(edition)}$`, 'i');

function find(text: string, pattern: RegExp, list: readonly Entry[]): FoundWord[] {
  return Array.from(text.matchAll(pattern), (match) => {
    const entry = list[match.findIndex((group, index) => index > 0 && group !== undefined) - 1];
    if (entry === undefined) throw new Error('a word matched without an entry');
    const { kind, value } = entry;
    return { kind, value, start: match.index, end: match.index + match[0].length };
  });
}

/** Words that end a title wherever they stand, in order. */
export const findStrongWords = (text: string): FoundWord[] => find(text, strongWords, strong);

/** All release words, the ambiguous ones too: for text that is known to be beyond the title. */
export const findAnyWords = (text: string): FoundWord[] =>
  find(text, anyWord, [...strong, ...weak]);

/** Where a run of ambiguous release words at the end of `text` begins. */
export const weakTail = (text: string): number | undefined => endsInWord.exec(text)?.index;

/** Where an edition at the very end of `text` begins. */
export const editionTail = (text: string): number | undefined => endsInEdition.exec(text)?.index;

/** The editions named in `text`, those side by side joined. */
export function findEdition(text: string): string | undefined {
  const parts: string[] = [];
  let last = -1;
  for (const match of text.matchAll(editions)) {
    const apart = last >= 0 && /[^ ._()[\]-]/.test(text.slice(last, match.index));
    if (apart) break;
    parts.push(match[0]);
    last = match.index + match[0].length;
  }
  if (parts.length === 0) return undefined;
  return parts
    .join(' ')
    .replace(/[._ ]+/g, ' ')
    .replace(/(?<=\d)-(?=in)/gi, '');
}

const format3d = new RegExp(
  `(?<=[ ._\\-([{])(${words.formats3d.join('|')})(?=[ ._\\-)\\]}]|$)`,
  'i',
);

/** How a stereoscopic picture is packed (`hsbs`, `tab`, `mvc` …), when the name says so. */
export const findFormat3d = (text: string): string | undefined =>
  format3d.exec(text)?.[1]?.toLowerCase();
