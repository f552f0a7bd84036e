import data from './data/groups.json' with { type: 'json' };
import { languageCode } from '../languages.ts';

const set = (words: string): ReadonlySet<string> => new Set(words.split(' '));
const collectives = set(data.collectives);
/** What is appended, and what it says of the release. */
const suffixes: ReadonlyMap<string, string> = new Map(
  Object.entries(data.suffixes).flatMap(([mark, words]) =>
    words.split(' ').map((word) => [word, mark] as const),
  ),
);
const sites = set(data.sites);

/** What a posting service has appended: `-Obfuscated`, `-xpost`, `[rartv]`, `.English`. */
function stripAppended(text: string, into?: { marks: string[]; languages: string[] }): string {
  let left = text.replace(/(?<![\s._])[\s._]+$/, '');
  for (;;) {
    // Looked for where a run begins only: long runs would cost the square of their length.
    const tail = /(?<![-._ \])])[-._ \])]+([^-._ [\]()]+)$/.exec(left);
    const word = tail?.[1]?.toLowerCase() ?? '';
    const language = word.length > 3 ? languageCode(word) : undefined;
    const mark = suffixes.get(word);
    if (tail === null || (mark ?? language) === undefined || tail.index === 0) return left;
    if (mark !== undefined && mark !== 'Posted') into?.marks.unshift(mark);
    if (language !== undefined) into?.languages.unshift(language);
    left = left.slice(0, tail.index);
  }
}

const bare = (text: string): string => text.replace(/^[\s._\-[({@)\]}]+|[\s._)\]}-]+$/g, '');

/** Whether a word in brackets is the name of a site that lists releases. */
export const isSite = (word: string): boolean => sites.has(word.toLowerCase());

/** A bracket at the very end: what is in it, and what stands before it. */
function lastBracket(text: string): { inner: string; before: string } | undefined {
  const match = /[[(【]([^[\]()【】]*)[\])】]$/.exec(text);
  if (match?.[1] === undefined) return undefined;
  return { inner: match[1].trim(), before: text.slice(0, match.index) };
}

/** What the end of a release's name says. */
export interface Trailing {
  readonly group: string | undefined;
  /** A hyphen stands before the group: it can be nothing else. */
  readonly isSure: boolean;
  readonly marks: readonly string[];
  /** A language that a poster has appended. */
  readonly languages: readonly string[];
}

/**
 * The group at the end of a release's name: what follows its last known word. `rest` is the text
 * from there on.
 */
export function trailingGroup(rest: string): Trailing {
  const appended = { marks: [] as string[], languages: [] as string[] };
  const text = stripAppended(rest, appended).replace(/^[^([]*\)/, (head) => head.slice(0, -1));
  const group = groupOf(text);
  return { group, isSure: group !== undefined && /^[\s._)\]]*-/.test(text), ...appended };
}

function groupOf(rest: string): string | undefined {
  let text = rest;
  const bracket = lastBracket(text);
  if (bracket !== undefined) {
    const { inner, before } = bracket;
    if (collectives.has(inner.toLowerCase())) return inner;
    const ahead = stripAppended(before);
    const isSite = sites.has(inner.toLowerCase()) || /\.(?:com|org|net|to|io|ru)$/i.test(inner);
    if (isSite || (/^[\s)]*-\s?[^\s[\]()]/.test(ahead) && !/-$/.test(ahead))) text = ahead;
    else if (bare(before) === '') return isName(bare(inner)) ? bare(inner) : undefined;
    else text = ahead;
  }
  return named(text);
}

function named(text: string): string | undefined {
  const by = /(?:^|[\s._[(-])by[\s._]+(.+)$/i.exec(text)?.[1];
  if (by !== undefined) return bare(by);
  const words = bare(text).split(' ');
  const last = words.at(-1)?.split('.').at(-1) ?? '';
  if (collectives.has(last.toLowerCase())) return last;
  const isDashed = /^[\s._)\]]*-/.test(text);
  const group = bare(text.replace(/[[(【].*$/s, ''));
  if (!isDashed && (words.length > 1 || group.includes('.'))) return undefined;
  return isName(group) && group.length <= 24 ? group : undefined;
}

const isName = (group: string): boolean =>
  /^[^+]*[\p{L}\p{N}]/u.test(group) && !/^(?:dl|rip|ray|hd|ma)$/i.test(group);
