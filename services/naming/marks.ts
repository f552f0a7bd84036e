/**
 * Marks of episodes that say themselves what they are: `S01E02`, `1x02`, "Season 1 Episode 2",
 * `Cap.102`, `3 of 6`, `第05話`. Numbers that stand alone are `numbers.ts`'s matter.
 */
import words from './data/series.json' with { type: 'json' };

/** What a mark says. `start` and `end` are its place in the name. */
export interface Mark {
  readonly start: number;
  readonly end: number;
  readonly seasons: readonly number[];
  readonly episodes: readonly number[];
  /** A half (`S01E11.5`) or otherwise special one. */
  readonly isSpecial?: boolean;
  /** "5 of 9". */
  readonly count?: number;
  /** `E01v2`. */
  readonly version?: number;
}

/** A letter or digit of any script. */
export const letters = 'a-z0-9\\u00c0-\\u024f\\u0370-\\u1fff\\u3040-\\u30fa\\u3105-\\ud7ff';
const alone = `(?<![${letters}])`;
const ends = `(?![${letters}])`;

const choice = (text: string, isWord = (word: string) => word !== ''): string =>
  text
    .split(' ')
    .filter(isWord)
    .sort((a, b) => b.length - a.length)
    .join('|');

const seasonWords = choice(words.season);
const episodeWords = choice(words.episode);

const standard = new RegExp(
  `${alone}s(?:eason[ ._]?)?(\\d{1,4})[ ._-]{0,3}[[(]?(?:x[ ._-]?)?(?:episode|eps?|e|folge|x)[ ._-]{0,2}(\\d{1,5})(?!\\d)`,
  'gi',
);
const glued = /s(\d{2})e(\d{2,3})(?!\d)/i;
const cross = new RegExp(`${alone}(\\d{1,4})x(?:ep?)?(\\d{1,4})(?!\\d)`, 'gi');
const chapter = new RegExp(
  `${alone}cap(?:[ií]tulos?)?[ ._]{0,2}(\\d{3,4})(?:_(\\d{3,4}))?(?!\\d)`,
  'i',
);
const seasonTail = `(?:of\\d{1,2}|d\\d{1,2}(?!\\d))?(?![\\d]|[ ._-]?(?:ch|st|nd|rd|th)${ends})`;
const seasonShort = new RegExp(`${alone}s(\\d{1,4})${seasonTail}`, 'i');
const seasonLong = new RegExp(
  `${alone}(${seasonWords})(?:[ ._]{0,2}|- ?)(\\d{1,4})${seasonTail}`,
  'gi',
);
const seasonNamed = new RegExp(
  `${alone}(?:(?:season|saison|temporada|staffel)[ ._-](one|two|three|four|five|six|seven|eight|nine|ten|[ivx]{1,5})|(\\d{1,2})(?:st|nd|rd|th|\\.|ª|a|º|e)?[ ._](?:${seasonWords})|第?(\\d{1,3}) ?[季期]|(\\d{1,2})xall)${ends}`,
  'i',
);
const episodeOnly = new RegExp(
  `${alone}(?:(?:${episodeWords})[ ._:-]{0,3}|ep?[ ._]?(?=\\d\\d)|#|＃)(\\d{1,5})(?!\\d)`,
  'gi',
);
const episodeAfter = new RegExp(
  `${alone}第?(\\d{1,4})(?:-(\\d{1,4}))?(?:\\. ?| )?(?:${choice(words.afterNumber)})`,
  'i',
);
const episodeOf = new RegExp(`${alone}(\\d{1,3})[ ._]?(?:of|von)[ ._]?(\\d{1,3})${ends}`, 'i');

const spelled: Readonly<Record<string, number>> = {
  one: 1, two: 2, three: 3, four: 4, five: 5, six: 6, seven: 7, eight: 8, nine: 9, ten: 10,
}; // prettier-ignore

const romans = ['i', 'ii', 'iii', 'iv', 'v', 'vi', 'vii', 'viii', 'ix', 'x', 'xi', 'xii', 'xiii'];

/** The number a word or Roman numeral stands for; undefined: none. */
export function wordNumber(word: string): number | undefined {
  const lower = word.toLowerCase();
  const roman = romans.indexOf(lower);
  return spelled[lower] ?? (roman < 0 ? undefined : roman + 1);
}

const widest = 400;

/** All numbers from the last of `list` to `to`, when `fill`; `to` alone otherwise. */
function extend(list: number[], to: number, fill: boolean): void {
  const from = list.at(-1) ?? to;
  if (fill && to > from && to - from <= widest) {
    for (let next = from + 1; next <= to; next += 1) list.push(next);
  } else if (!list.includes(to)) list.push(to);
}

const more =
  /(?:[ ._]{0,2}([-+&~]?)[ ._]{0,2}|[ ._-]{1,3}(to|en|and|et|und)[ ._-]{1,3})(?:(?:s(?:eason )?)?(\d{1,4})[ ._]?)?(?:ep?|x|afl\.?)[ ._]?(\d{1,5})(?![\dp])/iy;
const moreBare = /(?:([-+&~_]|-(?=\d)| (?:en|to|and|&) )|[ ]?[~][ ]?)(\d{1,5})(?![\d]|[pix])/iy;
const dateRest = /[.-]\d\d[.-]/y;

const codecNumbers = new Set([262, 263, 264, 265, 266]);

interface Run {
  readonly season: number | undefined;
  readonly episodes: number[];
}

/** Where a further episode with a mark of its own ends: `E03`, `-x04`, ` - S01E07`. */
function namedEpisode(text: string, from: number, { season, episodes }: Run): number | undefined {
  more.lastIndex = from;
  const match = more.exec(text);
  if (match === null) return undefined;
  const [, joint, word, ownSeason, digits] = match;
  const value = Number(digits);
  const last = episodes.at(-1) ?? 0;
  if (ownSeason === undefined) {
    if (codecNumbers.has(value) && value !== last + 1) return undefined;
  } else if (Number(ownSeason) !== season) return undefined;
  extend(episodes, value, joint === '-' || joint === '~' || word === 'to');
  return more.lastIndex;
}

/** Where a further episode without a mark ends: `-06`, `+02`, `_02`. */
function bareEpisode(text: string, from: number, { episodes }: Run): number | undefined {
  moreBare.lastIndex = from;
  const match = moreBare.exec(text);
  if (match === null) return undefined;
  const [, joint, digits] = match;
  const value = Number(digits);
  const last = episodes.at(-1) ?? 0;
  if (value <= last || value - last > widest) return undefined;
  dateRest.lastIndex = moreBare.lastIndex;
  if (value !== last + 1 && (joint === '_' || dateRest.test(text))) return undefined;
  extend(episodes, value, joint !== '+' && joint !== '&');
  return moreBare.lastIndex;
}

/** Goes on after a first episode: `E02E03`, `-E04`, `x05`, `-06`, ` - S01E07`. */
function followUp(text: string, from: number, run: Run): number {
  let end = from;
  for (;;) {
    const next = namedEpisode(text, end, run) ?? bareEpisode(text, end, run);
    if (next === undefined || run.episodes.length > 2_000) return end;
    end = next;
  }
}

const half = /\.5(?!\d)/y;
const suffix = new RegExp(`(?:[a-d]|v\\d)?(?![${letters}])`, 'iy');

function finish(text: string, match: RegExpExecArray, season: number | undefined): Mark {
  const from = match.index + match[0].length;
  const number = Number(match.at(season === undefined ? 1 : 2));
  half.lastIndex = from;
  if (half.test(text)) {
    const seasons = season === undefined ? [] : [season];
    return {
      start: match.index,
      end: half.lastIndex,
      seasons,
      episodes: [number],
      isSpecial: true,
    };
  }
  const episodes = [number];
  const end = followUp(text, from, { season, episodes });
  suffix.lastIndex = end;
  const tail = suffix.exec(text)?.[0] ?? '';
  const seasons = season === undefined ? [] : [season];
  const version = /^v/i.test(tail) ? { version: Number(tail.slice(1)) } : {};
  return { start: match.index, end: end + tail.length, seasons, episodes, ...version };
}

const endsWell = (text: string, mark: Mark): boolean => {
  suffix.lastIndex = mark.end;
  return suffix.test(text);
};

/** `S01E02` in all its forms, `1x02`, `Cap.102`: season and episode in one mark. */
export function findFullMark(text: string): Mark | undefined {
  standard.lastIndex = 0;
  const match = standard.exec(text) ?? glued.exec(text);
  if (match !== null) return finish(text, match, Number(match[1]));
  const crossed = findCross(text);
  if (crossed !== undefined) return crossed;
  const cap = chapter.exec(text);
  if (cap?.[1] === undefined) return undefined;
  const episodes = [Number(cap[1]) % 100];
  if (cap[2] !== undefined) extend(episodes, Number(cap[2]) % 100, true);
  const seasons = [Math.floor(Number(cap[1]) / 100)];
  const start = Math.min(cap.index, findSeason(text)?.start ?? cap.index);
  return { start, end: cap.index + cap[0].length, seasons, episodes };
}

function findCross(text: string): Mark | undefined {
  if (!/\dx/i.test(text)) return undefined;
  cross.lastIndex = 0;
  for (let match = cross.exec(text); match !== null; match = cross.exec(text)) {
    const season = Number(match[1]);
    const episode = Number(match[2]);
    const isSize = season >= 300 && !(season >= 1900 && season <= 2100 && episode < 400);
    // `DTS.5.1x2` is a sound, `2x264` a codec.
    const isSound = /\d\.$/.test(text.slice(Math.max(0, match.index - 2), match.index));
    const isShort = match[0].length === 3;
    // "4x4 Club (2022)": more of a title than of a mark.
    const isName = isShort && /^ [a-z].*\((?:19|20)\d\d\)/i.test(text.slice(cross.lastIndex));
    const isOther = (isSound && isShort) || isName || codecNumbers.has(episode);
    if (isSize || (isOther && !/x26\dx/i.test(text)) || episode > 999) continue;
    const mark = finish(text, match, season);
    if (!endsWell(text, mark)) continue;
    const lead = /(?:^|[ ._-])ep(?:isode)?[ ._]$/i.exec(text.slice(0, mark.start));
    return lead === null ? mark : { ...mark, start: lead.index };
  }
  return undefined;
}

const moreSeasons =
  /(?:(?:[ ._]?(?:[-~&+,]|to|and|a|по)[ ._]?|[ ._]?)(?:s|season[ ._])(\d{1,4})|(?:[-~&+]|[ ._](?:to|and|&)[ ._])(\d{1,2})|[ ](0\d)|[.](\d{1,2})(?=[&~]|\.\d|[ ._](?:to|and)[ ._]))(?![\d]|[pix])/iy;

/** A season without an episode: `S01`, "Season 2", "Staffel 1-3", "2nd Season", 第2季. */
export function findSeason(text: string): Mark | undefined {
  const match = firstSeason(text);
  if (match === undefined) return namedSeason(text);
  const seasons = [match.season];
  let { end } = match;
  for (;;) {
    moreSeasons.lastIndex = end;
    const next = moreSeasons.exec(text);
    const value = Number(next?.slice(1).find(Boolean));
    if (next === null || value <= (seasons.at(-1) ?? 0)) break;
    extend(seasons, value, /[-~]|to/i.test(next[0]));
    end = moreSeasons.lastIndex;
  }
  return startsWord.test(text.slice(end, end + 1))
    ? undefined
    : { start: match.start, end, seasons, episodes: [] };
}

const startsWord = new RegExp(`^[${letters}]`, 'i');

/** `S01` before words: "Series 100: Title S01" is the first season of "Series 100". */
function firstSeason(text: string): { start: number; end: number; season: number } | undefined {
  const short = seasonShort.exec(text);
  if (short?.[1] !== undefined) {
    return { start: short.index, end: short.index + short[0].length, season: Number(short[1]) };
  }
  seasonLong.lastIndex = 0;
  for (let match = seasonLong.exec(text); match !== null; match = seasonLong.exec(text)) {
    const season = Number(match[2]);
    // "Series" and its like are words of titles too.
    const isTitle = /^s[eé](?:ri|$)/i.test(match[1] ?? '') && (match[2]?.length ?? 0) > 2;
    if (isTitle || (season > 99 && season < 1900 && match[1]?.toLowerCase() !== 'season')) continue;
    return { start: match.index, end: seasonLong.lastIndex, season };
  }
  return undefined;
}

function namedSeason(text: string): Mark | undefined {
  const named = seasonNamed.exec(text);
  if (named === null) return undefined;
  const digits = named[2] ?? named[3] ?? named[4];
  const season = named[1] === undefined ? Number(digits) : wordNumber(named[1]);
  if (season === undefined || Number.isNaN(season)) return undefined;
  const end = named.index + named[0].length;
  return { start: named.index, end, seasons: [season], episodes: [] };
}

/** An episode without a season: `E02`, "Episode 2", `#17`, 第05話, "5 of 9". */
export function findEpisode(text: string): Mark | undefined {
  episodeOnly.lastIndex = 0;
  for (let match = episodeOnly.exec(text); match !== null; match = episodeOnly.exec(text)) {
    const mark = finish(text, match, undefined);
    if (endsWell(text, mark)) return mark;
  }
  const after = episodeAfter.exec(text);
  if (after !== null) {
    const episodes = [Number(after[1])];
    if (after[2] !== undefined) extend(episodes, Number(after[2]), true);
    return { start: after.index, end: after.index + after[0].length, seasons: [], episodes };
  }
  const of = episodeOf.exec(text);
  if (of === null || Number(of[1]) > Number(of[2])) return undefined;
  if (/(?:cd|dvd|disc|disk|part|pt)[ ._-]?$/i.test(text.slice(0, of.index))) return undefined;
  const end = of.index + of[0].length;
  const episodes = [Number(of[1])];
  return { start: of.index, end, seasons: [], episodes, count: Number(of[2]) };
}
