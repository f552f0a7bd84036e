import { countedWords } from './counted.ts';
import { findDate } from './dates.ts';
import { episodeTitle, titleBehindNumber } from './episode-title.ts';
import { findEpisodes } from './episodes.ts';
import { takeLead } from './lead.ts';
import type { Found } from './lexicon.ts';
import { prepareName } from './prepare.ts';
import type { Episodes, NameReading, NamingOptions, Parts, Span } from './reading.ts';
import { titleSpan, tokenAt } from './span.ts';
import { cleanTitle, splitTitles } from './title.ts';
import { editionOf, isOnlyEdition, toldBy } from './told.ts';
import { tokenize } from './tokens.ts';
import { findWords } from './words.ts';
import { findYear, type FoundYear } from './years.ts';

/**
 * Reads a file's or folder's name (without the extension). Pure; takes time in proportion to the
 * name's length; never throws.
 */
export function readName(name: string, options: NamingOptions): NameReading {
  const { text, ids, website } = prepareName(name);
  const parts = partsOf(text, options);
  const episodes = findEpisodes(parts, options);
  const year = yearOf(parts, episodes, options);
  const span = titleSpan(parts, episodes, year);
  const counted = counts(parts, { span, year, episodes, options });
  const markEnd = episodes?.end ?? 0;
  const isOnly = options.kind === undefined && isOnlyEdition(parts);
  return {
    ...titlesOf(parts, { span, episodes, options, counted }),
    year: year?.value,
    ids,
    edition: isOnly ? text : editionOf(parts, span, counted),
    release: toldBy(parts, { counted, span, website, markEnd }),
    episodes,
  };
}

function partsOf(text: string, { kind, latestYear }: NamingOptions): Parts {
  const name = tokenize(text);
  const words = findWords(text, name);
  const lead = takeLead(text, name, words);
  const date = kind === 'movie' ? undefined : findDate(text, latestYear);
  return { text, name, words, lead, date };
}

interface Known {
  readonly span: Span;
  readonly episodes: Episodes | undefined;
  readonly options: NamingOptions;
}

function titlesOf(
  parts: Parts,
  { span, episodes, options, counted }: Known & { readonly counted: readonly Found[] },
): Pick<NameReading, 'title' | 'alternates' | 'episodeTitle'> {
  const { text, lead } = parts;
  const behind = titleBehindNumber(parts, episodes, options);
  if (behind !== undefined) return { ...behind, alternates: [] };
  const cut = cleanTitle(text.slice(span.start, span.end).replace(betweenScripts, ' / '));
  // In a library of films a fansub's number is none of the title either.
  const isNumbered = options.kind === 'movie' && lead.group !== undefined;
  const [title = '', ...alternates] = splitTitles(isNumbered ? unnumbered(cut) : cut);
  if (episodes === undefined) {
    return { title: title || cleanTitle(text) || text.trim(), alternates, episodeTitle: undefined };
  }
  return { title, alternates, episodeTitle: episodeTitle(parts, episodes, counted) };
}

/** Between a title in Chinese and one in Latin letters an underscore is a slash. */
const betweenScripts = /(?<=[\u3040-\ud7ff][^/_]*) _ /;

const unnumbered = (title: string): string => title.replace(/\s-\s\d{1,3}(?:v\d)?$/, '');

function counts(
  { text, name, words }: Parts,
  { span, year, episodes, options }: Known & { readonly year: FoundYear | undefined },
): Found[] {
  const covered = words.reduce((sum, { from, to }) => sum + to - from, 0);
  // A name that is nothing but words of a release tells them, where nobody says it is a film's.
  const isOnlyWords = options.kind === undefined && covered === name.tokens.length;
  const titleEnd = isOnlyWords ? span.start : span.end;
  const yearEnd = year === undefined || year.isLeading ? 0 : year.end;
  const tail = Math.max(titleEnd, yearEnd, episodes?.end ?? 0);
  return countedWords(name, words, { titleStart: span.start, titleEnd, tail, text });
}

function yearOf(
  { text, name, words, date }: Parts,
  episodes: Episodes | undefined,
  { latestYear }: NamingOptions,
): FoundYear | undefined {
  const word = words.find(({ strength, from }) => strength === 'strong' && from > 0);
  const firstWord = Math.min(word?.start ?? text.length, episodes?.start ?? text.length);
  const isTaken = (at: number) =>
    (date !== undefined && at >= date.start && at < date.end) ||
    (episodes?.places.some(({ start, end }) => at >= start && at < end) ?? false);
  const year = findYear({
    text,
    latestYear,
    firstWord,
    isTaken,
    isEpisode: episodes !== undefined,
  });
  if (episodes === undefined || year === undefined || year.start < episodes.start) return year;
  // Behind the mark a year stands alone, among the release's words or in brackets of its own.
  const next = tokenAt(name.tokens, year.end);
  const isBeside =
    next === name.tokens.length ||
    words.some(({ from, strength }) => from === next && strength !== 'code');
  return isBeside || /[([]/.test(text[year.start] ?? '') ? year : undefined;
}
