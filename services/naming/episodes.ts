import type { FoundDate } from './dates.ts';
import { isSite } from './groups.ts';
import { findEpisode, findFullMark, findSeason, type Mark } from './marks.ts';
import { findNumber, type NumberContext, type NumberMark } from './numbers.ts';
import type { EpisodeForm, Episodes, NamingOptions, Parts, Span } from './reading.ts';

/** What a name says of episodes; undefined: it is the name of a film, or says nothing. */
export function findEpisodes(parts: Parts, options: NamingOptions): Episodes | undefined {
  const full = fullMark(parts, options);
  if (full !== undefined) return withAbsolute(parts, full, options);
  if (options.kind === 'movie') return undefined;
  const season = findSeason(parts.text);
  const episode = findEpisode(parts.text);
  if (episode !== undefined) return withDate(combine('episode', [episode, season]), parts.date);
  const numbered = byNumber(parts, options, season);
  const isFirst = (numbered?.weight ?? 0) >= 80 && (parts.date?.start ?? 0) > (numbered?.end ?? 0);
  if (numbered !== undefined && isFirst) return withDate(numbered, parts.date);
  const dated = parts.date === undefined ? undefined : byDate(parts, parts.date, options);
  if (dated !== undefined) return dated;
  if (numbered !== undefined) return numbered;
  return season === undefined ? special(parts) : combine('season', [season]);
}

function fullMark(parts: Parts, options: NamingOptions): Mark | undefined {
  const mark = findFullMark(parts.text);
  if (mark === undefined) return undefined;
  // "10x10 (2018)" and "s01e03 (2020)" are films.
  const isTitle = mark.start === 0 && /^[^.]*\((?:19|20)\d\d\)\s*$/.test(parts.text);
  return isTitle && options.kind !== 'series' ? undefined : mark;
}

function combine(form: EpisodeForm, marks: readonly (Mark | undefined)[]): Episodes {
  const list = marks.filter((mark) => mark !== undefined);
  const places = list.map(({ start, end }) => ({ start, end }));
  const count = list.find((mark) => mark.count !== undefined)?.count;
  const version = list.find((mark) => mark.version !== undefined)?.version;
  return {
    form,
    start: Math.min(...places.map(({ start }) => start)),
    end: Math.max(...places.map(({ end }) => end)),
    places,
    seasons: list.flatMap(({ seasons }) => seasons),
    episodes: list.flatMap(({ episodes }) => episodes),
    absolute: [],
    ...(list.some(({ isSpecial }) => isSpecial) ? { isSpecial: true } : {}),
    ...(count === undefined ? {} : { count }),
    ...(version === undefined ? {} : { version }),
  };
}

/** A day beside the mark: the title ends at the first of them, unless the name begins with the day. */
function withDate(base: Episodes, date: FoundDate | undefined): Episodes {
  if (date === undefined) return base;
  const start = date.start === 0 ? base.start : Math.min(base.start, date.start);
  return { ...base, start, places: [...base.places, date], date: date.date };
}

const between = /^[\s._-]*[([]?$/;

/** Numbers beside `S01E02` that count through all seasons: ` - 05 - S01E05`, `S01E01 - 001`. */
function withAbsolute(parts: Parts, mark: Mark, options: NamingOptions): Episodes {
  const base = combine('standard', [mark]);
  const before = absoluteBefore(parts, mark);
  const after = before === undefined ? absoluteAfter(parts, mark) : undefined;
  const absolute = before ?? after;
  const date = parts.date;
  const isBeforeDate =
    date !== undefined && date.start > 0 && date.start < mark.start && options.kind !== 'movie';
  return {
    ...base,
    start: Math.min(
      base.start,
      before?.start ?? base.start,
      isBeforeDate ? date.start : base.start,
    ),
    end: Math.max(base.end, after?.end ?? 0),
    absolute: absolute?.numbers ?? [],
    ...(date === undefined ? {} : { date: date.date }),
  };
}

function absoluteBefore({ text, lead }: Parts, mark: Mark) {
  const match = /(?:(\s-\s)|[ ._])(\d{2,4})(\.5)?(?:-(\d{2,4}))?[\s._]*(-?)[\s._]*\(?$/.exec(
    text.slice(0, mark.start),
  );
  if (match === null) return undefined;
  const numbers = fill(Number(match[2]), match[4]);
  const isSame = numbers.length > 1 && numbers.length === mark.episodes.length;
  if (isSame) return { start: match.index, numbers };
  const isDashed = match[1] !== undefined && (match[5] === '-' || /\($/.test(match[0]));
  const isYear = /^(?:19|20)\d\d$/.test(match[2] ?? '');
  if (!isDashed && (lead.group === undefined || match[5] === '-' || isYear)) return undefined;
  const half = match[3] === undefined ? 0 : 0.5;
  return { start: match.index, numbers: fill(Number(match[2]) + half, match[4]) };
}

const fill = (from: number, to: string | undefined): number[] => {
  const last = to === undefined ? from : Number(to);
  return last - from > 400 || last < from
    ? [from]
    : Array.from({ length: last - from + 1 }, (_, at) => from + at);
};

function absoluteAfter({ text, lead }: Parts, mark: Pick<Mark, 'end' | 'episodes'>) {
  const rest = text.slice(mark.end);
  const match = /^[\s._-]*([([]?)(\d{2,4})(?:-(\d{2,4}))?([)\]]?)(?=[\s._[(-]|$)(?! ?[ap]m)/i.exec(
    rest,
  );
  if (match?.[2] === undefined || !between.test(rest.slice(0, rest.indexOf(match[2]))))
    return undefined;
  const isPadded = match[2].startsWith('0') && match[2].length > 2;
  const isRange = match[3] !== undefined && mark.episodes.length > 1;
  const isOwn =
    match[1] === '(' && match[4] === ')' && match[3] === undefined && match[2].length > 1;
  const isLast = rest.trimEnd().length === match[0].trimEnd().length && lead.group !== undefined;
  if (!isPadded && !isRange && !isLast && !isOwn) return undefined;
  return { end: mark.end + match[0].length, numbers: fill(Number(match[2]), match[3]) };
}

function byDate(parts: Parts, date: FoundDate, options: NamingOptions): Episodes | undefined {
  const rest = parts.text.slice(date.end);
  // A year behind the date is the year of a film whose title has a date.
  if (options.kind === undefined && /^\s+(?:19|20)\d\d\b/.test(rest)) return undefined;
  const part = /^[ ._-]*part[ ._]?(\d{1,2})(?!\d)/i.exec(rest);
  const time = /^[ ._-]\d\d[ ._:-]\d\d(?:[ ._:-]\d\d)?(?![\dpi])/.exec(rest);
  const end = date.end + (part?.[0].length ?? time?.[0].length ?? 0);
  return {
    form: 'date',
    start: date.start,
    end,
    places: [{ start: date.start, end }],
    seasons: [],
    episodes: [],
    absolute: [],
    date: date.date,
    ...(part === null ? {} : { part: Number(part[1]) }),
  };
}

const subtitled = /vostfr|fansub|字幕/i;

function byNumber(
  parts: Parts,
  options: NamingOptions,
  season: Mark | undefined,
): (Episodes & { readonly weight: number }) | undefined {
  const { text, name, words, lead } = parts;
  const isFansub =
    lead.group !== undefined ||
    subtitled.test(text) ||
    words.some(({ facts }) => facts[0]?.[0] === 'hash') ||
    /\[hd_/i.test(text) ||
    hasTag(parts);
  if (options.isFolder === true && !isFansub) return undefined;
  const strong = new Set<number>();
  for (const word of words) {
    if (word.strength === 'code') continue;
    for (let at = word.from; at < word.to; at += 1) strong.add(at);
  }
  const context: NumberContext = {
    text,
    name,
    isWord: (index) => strong.has(index),
    isTaken: (at) => parts.date !== undefined && at >= parts.date.start && at < parts.date.end,
    from: Math.max(lead.titleEnd === undefined ? lead.end : 0, season?.end ?? 0),
    isFansub,
    isSeries: options.kind === 'series' || season !== undefined,
    hasYear: /[([](?:19|20)\d\d[)\]]|[ ._](?:19|20)\d\d[ ._]/.test(text),
    latestYear: options.latestYear,
    season: options.season,
    isInOwnFolder: season !== undefined || (options.folderTitle ?? '') !== '',
  };
  // What repeats the folder's name may hold numbers of its own, or be the number itself.
  const from = Math.max(context.from, repeated(text, lead.end, options));
  const number = findNumber({ ...context, from }) ?? findNumber(context);
  return number === undefined ? undefined : markOf(parts, number, season);
}

/** A bracket that holds a name, neither numbers nor words of a release: a fansub's mark. */
const hasTag = ({ text, name: { tokens, brackets }, words }: Parts): boolean =>
  brackets.some(({ open, start, end }) => {
    if (open !== '[' && open !== '【') return false;
    if (isSite(text.slice(start + 1, end - 1))) return false;
    const at = tokens.findIndex((token) => token.start > start && token.end < end);
    const isWord = words.some(({ from, to }) => from <= at && at < to);
    return at >= 0 && !isWord && /[a-z]/.test(tokens[at]?.text ?? '');
  });

/** Where the file's name has repeated that of its folder, numbers and all. */
function repeated(text: string, from: number, { folderTitle }: NamingOptions): number {
  if (folderTitle === undefined || !/\d/.test(folderTitle)) return from;
  const flat = (part: string) => part.toLowerCase().replace(/[._]/g, ' ');
  const start = from + (/^\s*/.exec(text.slice(from))?.[0].length ?? 0);
  const end = start + folderTitle.length;
  const isSame = flat(text.slice(start, end)) === flat(folderTitle);
  return isSame && /\d/.test(text.slice(end)) && !/^\w/.test(text.slice(end)) ? end : from;
}

function markOf(
  parts: Parts,
  number: NumberMark,
  season: Mark | undefined,
): Episodes & { readonly weight: number } {
  const places: Span[] = [{ start: number.start, end: number.end }];
  const isBefore = season !== undefined && season.start < number.start;
  if (isBefore) places.unshift({ start: season.start, end: season.end });
  const seasons = number.season === undefined ? (isBefore ? season.seasons : []) : [number.season];
  const mark = { end: number.end, episodes: number.episodes };
  const beside = /^[\s_]*\(/.test(parts.text.slice(number.end))
    ? absoluteAfter(parts, mark)
    : undefined;
  return {
    form: number.season === undefined ? 'number' : 'compact',
    start: Math.min(...places.map(({ start }) => start)),
    end: beside?.end ?? number.end,
    places,
    seasons,
    episodes: number.episodes,
    absolute: number.half === undefined ? (beside?.numbers ?? []) : [number.half],
    weight: number.weight,
    ...(number.half === undefined ? {} : { isSpecial: true }),
    ...(number.version === undefined ? {} : { version: number.version }),
  };
}

const specials = /[\s._-]+(?:ova|ovd|oav|ona|nced|ncop|creditless|special)(?=[\s._\])(-]|$)/i;

/** Fansub specials without a number: `Title - NCOP`, `Title OVA`. */
function special({ text, lead }: Parts): Episodes | undefined {
  const match = lead.group === undefined ? null : specials.exec(text.slice(lead.end));
  if (match === null) return undefined;
  const start = lead.end + match.index;
  const end = start + match[0].length;
  return {
    form: 'special',
    start,
    end,
    places: [{ start, end }],
    seasons: [0],
    episodes: [],
    absolute: [],
    isSpecial: true,
  };
}
