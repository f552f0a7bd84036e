import { readableName } from '#storage/media/path.ts';
import { takeIds, type ProviderIds } from './naming-ids.ts';
import {
  editionTail,
  findAnyWords,
  findEdition,
  findFormat3d,
  findStrongWords,
  weakTail,
  type FoundWord,
} from './naming-tables.ts';
import { genericNames } from './naming-words.ts';

/** What a name says about the release; empty where it says nothing. */
export interface ReleaseFacts {
  readonly resolution?: string;
  readonly source?: string;
  readonly videoCodec?: string;
  readonly audioCodec?: string;
  readonly hdr?: string;
  readonly format3d?: string;
  readonly group?: string;
}

/** One reading of one name. */
export interface NameReading {
  readonly title: string;
  readonly year: number | undefined;
  readonly ids: ProviderIds;
  readonly edition: string | undefined;
  /** Other titles the name gives ("A aka B"). */
  readonly alternates: readonly string[];
  readonly release: ReleaseFacts;
}

export interface NamingOptions {
  /** A later number is no year of release: 'Blade Runner 2049'. */
  readonly latestYear: number;
}

const earliestYear = 1880;
const site = /^\s*[[({]?\s*www\.[^\s\])}]+\s*[\])}]?\s*-?\s*/i;
/** Films whose very title stands in square brackets. */
const bracketTitles = new Set(['rec']);

/** Reads a file's or folder's name (without the extension) as the name of a film. Pure. */
export function readName(name: string, options: NamingOptions): NameReading {
  const whole = readableName(name)
    .replace(/\p{Cc}+/gu, ' ')
    .normalize('NFC');
  const { text: withoutIds, ids } = takeIds(whole);
  const { text, group } = takeLeadingGroup(withoutIds.replace(site, ''));
  const words = findStrongWords(text);
  const year = findYear(text, words, options);
  const { start, end } = titleSpan(text, words, year);
  const [title = '', ...alternates] = splitTitles(cleanTitle(text.slice(start, end), group));
  const rest = year?.isLeading === true ? text.slice(end) : text.slice(Math.max(end, 1));
  return {
    title: title === '' ? cleanTitle(text, undefined) || whole.trim() : title,
    year: year?.value,
    ids,
    edition: findEdition(rest),
    alternates,
    release: releaseFacts(text, end, group),
  };
}

function takeLeadingGroup(text: string): { text: string; group: string | undefined } {
  const match = /^\s*\[([^\]]+)\][\s._-]*(?=[^\s._-])/.exec(text);
  const inner = match?.[1];
  if (match === null || inner === undefined || bracketTitles.has(inner.toLowerCase())) {
    return { text, group: undefined };
  }
  const rest = text.slice(match[0].length);
  const says = rest.replace(/[([{][^)\]}]*[)\]}]/g, '').trim();
  if (says === '' || /^\d{4}$/.test(inner)) return { text, group: undefined };
  return { text: rest, group: inner.trim() };
}

interface Year {
  readonly value: number;
  readonly start: number;
  readonly end: number;
  readonly isLeading: boolean;
}

function findYear(
  text: string,
  words: readonly FoundWord[],
  { latestYear }: NamingOptions,
): Year | undefined {
  const fits = (value: number) => value >= earliestYear && value <= latestYear;
  for (const match of text.matchAll(/[([{]\s*(\d{4})\s*[)\]}]/g)) {
    const value = Number(match[1]);
    if (!fits(value)) continue;
    const start = match.index;
    const isLeading = text.slice(0, start).trim() === '';
    return { value, start, end: start + match[0].length, isLeading };
  }
  const candidates = Array.from(
    text.matchAll(/(?<=[\s._,([-])(?<!bt\.)(\d{4})(?=[\s._,)\]-]|$)(?!-\d\d-\d\d)/gi),
    (match) => ({
      value: Number(match[1]),
      start: match.index,
      end: match.index + 4,
      isLeading: false,
    }),
  ).filter(({ value, start }) => fits(value) && /[^\s._(-]/.test(text.slice(0, start)));
  const firstWord = words.find((word) => word.start > 0)?.start ?? text.length;
  return candidates.findLast(({ start }) => start < firstWord) ?? candidates[0];
}

function titleSpan(
  text: string,
  words: readonly FoundWord[],
  year: Year | undefined,
): { start: number; end: number } {
  const start = year?.isLeading === true ? year.end : 0;
  const isAfterStart = (at: number) => /[\p{L}\p{N}]/u.test(text.slice(start, at));
  const word = words.find((found) => isAfterStart(found.start))?.start ?? text.length;
  const bracket = bracketAfter(text, isAfterStart);
  const yearAt = year === undefined || year.isLeading ? text.length : year.start;
  const end = Math.min(word, bracket, yearAt);
  return { start, end: stepBack(text, { start, end, isYear: end === yearAt && end < word }) };
}

function bracketAfter(text: string, isAfterStart: (at: number) => boolean): number {
  for (const match of text.matchAll(/[[{<]/g)) if (isAfterStart(match.index)) return match.index;
  return text.length;
}

/** Editions, and beside other release words also languages and the like, are not the title's. */
function stepBack(text: string, span: { start: number; end: number; isYear: boolean }): number {
  const trim = (end: number) => text.slice(span.start, end).replace(/[\s._()[\]-]+$/, '');
  const isTitle = (head: string) => !/^[\s._-]*(?:the|a|an)?[\s._-]*$/i.test(head);
  let end = span.end;
  let hasRelease = !span.isYear && span.end < text.length;
  for (;;) {
    const head = trim(end);
    const edition = editionTail(head);
    const at = edition ?? (hasRelease ? weakTail(head) : undefined);
    if (at === undefined || !isTitle(head.slice(0, at))) return end;
    if (edition !== undefined) hasRelease = true;
    end = span.start + head.slice(0, at).replace(/[\s._-]+(?:the|a)[\s._-]*$/i, '').length;
  }
}

function cleanTitle(raw: string, group: string | undefined): string {
  const closed = raw.replace(/(?<=[\p{L}\p{N}]\s*[ ._-]*)\([^)]*$/u, '');
  let text = closed.replace(/_/g, ' ').replace(/^[\s._\-–,)\]]+|[\s._\-–,~:([{]+$/g, '');
  const dots = text.match(/\S\.(?=\S)/g)?.length ?? 0;
  const spaces = text.match(/ /g)?.length ?? 0;
  if (spaces === 0 || dots > spaces) text = undot(text);
  if (group !== undefined) text = text.replace(/\s-\s\d{1,3}(?:v\d)?$/, '');
  return text.replace(/\s+/g, ' ').trim();
}

/** Dots are spaces, except between the letters of an acronym: `R.I.P.D`, `in L.A`. */
function undot(text: string): string {
  const tokens = text.split('.');
  const isInitial = (token: string | undefined) =>
    token !== undefined && /^(?:.* )?\p{L}$/u.test(token);
  return tokens
    .map((token, index) => {
      const last = index === tokens.length - 1;
      const inside =
        isInitial(token) && (isInitial(tokens[index - 1]) || isInitial(tokens[index + 1]));
      if (!inside) return token + (last ? '' : ' ');
      return `${token}.${isInitial(tokens[index + 1]) ? '' : ' '}`;
    })
    .join('');
}

function splitTitles(title: string): string[] {
  const named = /^(.+?)\s*\(\s*aka[\s.]+(.+?)\)?$/i.exec(title);
  if (named?.[1] !== undefined && named[2] !== undefined) return [named[1], named[2]];
  return title.split(/(?<=\S)\s+a(?:\.k\.a\.?|ka)\s+(?=\S)/i);
}

function releaseFacts(text: string, end: number, leading: string | undefined): ReleaseFacts {
  const tail = text.slice(end);
  const words = findAnyWords(tail);
  const first = (kind: FoundWord['kind']) => words.find((word) => word.kind === kind)?.value;
  const group = leading ?? (words.length > 0 ? trailingGroup(tail) : undefined);
  const found = {
    resolution: first('resolution'),
    source: first('source'),
    videoCodec: first('videoCodec'),
    audioCodec: first('audioCodec'),
    hdr: first('hdr') ?? (/(?<![a-z0-9])dv(?![a-z0-9])/i.test(tail) ? 'DolbyVision' : undefined),
    format3d: findFormat3d(text),
    group,
  };
  return Object.fromEntries(Object.entries(found).filter(([, value]) => value !== undefined));
}

function trailingGroup(tail: string): string | undefined {
  const group = /-\s?\[?([\p{L}\p{N}]{2,20})\]?(?:\[[^\]]*\])?_?$/u.exec(tail)?.[1];
  if (group === undefined) return undefined;
  return /^(?:dl|rip|ray|hd|ma|x26[45]|h26[45]|ac3|dts|aac|flac)$/i.test(group) ? undefined : group;
}

/** Whether a name says nothing about a film: `movie`, `00001`, `VTS_01_1`, an obfuscated hash. */
export function isGenericName(name: string): boolean {
  const lower = name.trim().toLowerCase();
  if (lower === '' || genericNames.has(lower)) return true;
  if (/^(?:vts_\d\d_\d|\d{5}|title[ _-]?\d{1,2}|t\d{2})$/.test(lower)) return true;
  if (/^[0-9a-f]{16,}$/.test(lower)) return true;
  return /^[a-z]-[a-z]$|^#?[a-z]?(?:-[a-z])?$/.test(lower) || /^\d{4}s$/.test(lower);
}
