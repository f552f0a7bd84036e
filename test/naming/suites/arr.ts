import { languageCode } from '#services/languages.ts';
import { isMediaExtension, splitName } from '#services/naming/extensions.ts';
import { readName } from '#services/naming/name.ts';
import { readPath } from '#services/naming/path.ts';
import type { NameReading } from '#services/naming/reading.ts';
import { readSubtitleTail } from '#services/naming/subtitles.ts';
import { titleKey } from '#services/naming/titles.ts';
import { check, list, same, sameTitle, textOf, type Case, type Check } from './case.ts';

type Kind = 'movie' | 'series';

/** The name without an extension, the folder's seasons filled in: what these programs parse. */
interface Read {
  readonly reading: NameReading;
  readonly extension: string;
  readonly season: number | undefined;
}

function read(one: Case, kind: Kind): Read {
  const input = String(one.input);
  const { stem, extension } = splitName(input);
  const isMedia = isMediaExtension(extension) || extension === 'webm';
  if (/ParsePath/.test(one.fn) || /^[A-Z]:\\/.test(input)) {
    const path = readPath(input, { latestYear: 2029, kind });
    const reading = { ...path.best, episodes: path.episodes, episodeTitle: path.episodeTitle };
    return { reading, extension: isMedia ? extension : '', season: path.season };
  }
  const reading = readName(isMedia ? stem : input.trim(), { latestYear: 2029, kind });
  return { reading, extension: isMedia ? extension : '', season: reading.episodes?.seasons[0] };
}

const names: Readonly<Record<string, string>> = {
  PortugueseBR: 'pt',
  Cantonese: 'zh',
  SpanishLatino: 'es',
  PortugueseBrazil: 'pt',
  Flemish: 'nl',
};
const code = (name: string): string => names[name] ?? languageCode(name) ?? name;

function languages({ reading }: Read): string[] {
  const { languages: said = [], marks = [] } = reading.release;
  const own = said
    .filter((one) => one !== 'mul' && one !== 'und')
    .map((one) => (one === 'yue' ? 'zh' : one));
  if (marks.includes('DL') && own.includes('de')) own.push('Original');
  if (marks.includes('ML') && own.includes('de')) own.push('Original', 'en');
  if (marks.includes('Original')) own.push('Original');
  return own.length === 0 ? ['Unknown'] : own;
}

const sourcesOf: Readonly<Record<string, string>> = {
  'Blu-ray': 'BLURAY',
  'Ultra HD Blu-ray': 'BLURAY',
  'HD DVD': 'BLURAY',
  DVD: 'DVD',
  HDTV: 'TV',
  TV: 'TV',
  'Digital TV': 'TV',
  Satellite: 'TV',
  'Analog HDTV': 'TV',
  'Ultra HDTV': 'TV',
  'HD Camera': 'CAM',
  Camera: 'CAM',
  Telesync: 'TELESYNC',
  'HD Telesync': 'TELESYNC',
  Telecine: 'TELECINE',
  'HD Telecine': 'TELECINE',
  Workprint: 'WORKPRINT',
};

function source({ reading }: Read): string | undefined {
  const { source: own, marks = [] } = reading.release;
  if (own === 'WEB') return marks.includes('Rip') || marks.includes('Mux') ? 'WEBRIP' : 'WEBDL';
  return own === undefined ? undefined : sourcesOf[own];
}

/** What their one word for a quality says in ours. Words about defaults say nothing of the name. */
function quality(expected: string, one: Read): Check[] {
  const release = one.reading.release;
  const { resolution, marks = [] } = release;
  const found: Check[] = [];
  const size = /(\d{3,4})p/i.exec(expected)?.[1];
  const kind = /^(WEBDL|WEBRip|Bluray|HDTV|SDTV|DVD)/.exec(expected)?.[1];
  // What a name leaves out they fill by defaults; we leave it empty.
  if (size !== undefined && resolution !== undefined) {
    const near = resolution
      .replace('i', 'p')
      .replace('540p', '480p')
      .replace('360p', '480p')
      .replace('1440p', '1080p');
    const passes = near === `${size}p` || /x/.test(resolution);
    found.push(check('resolution', [size, resolution], passes));
  }
  const wanted: Readonly<Record<string, string>> = {
    WEBDL: 'WEBDL',
    WEBRip: 'WEBRIP',
    Bluray: 'BLURAY',
    HDTV: 'TV',
    SDTV: 'TV',
    DVD: 'DVD',
  };
  const own = source(one);
  if (kind !== undefined && own !== undefined) found.push(same('source', wanted[kind], own));
  if (/Remux$/.test(expected)) found.push(same('remux', true, marks.includes('Remux')));
  return found;
}

const revision = ({ reading: { release, episodes } }: Read): number => {
  const marks = release.marks ?? [];
  const isAgain = marks.includes('Proper') || marks.includes('Repack');
  // Theirs counts REAL apart.
  const again = (release.proper ?? 0) - (marks.includes('Real') ? 1 : 0);
  const corrected = isAgain ? 2 : 1 + Math.max(again, 0);
  return Math.max(episodes?.version ?? release.version ?? 1, corrected);
};

interface Context extends Read {
  readonly numbers: readonly number[];
  readonly input: string;
}

/** A series' title as they write it: with its year, or with the season it counts in. */
const titles = ({ reading }: Read): string[] => {
  const season = reading.episodes?.seasons[0];
  const [second] = reading.alternates;
  const forms = [reading.title, ...(second === undefined ? [] : [`${reading.title} ${second}`])];
  const endings = ['', ` ${reading.year ?? ''}`, ` S${season ?? ''}`, ` ${season ?? ''}nd Season`];
  return endings.flatMap((ending) => forms.map((form) => form + ending));
};

function anyTitle(value: unknown, found: Read): Check {
  const wanted = textOf(value).replace(/ ?\?\)/, ')');
  const tries = titles(found).map((title) => sameTitle('title', wanted, title));
  return tries.find(({ passes }) => passes) ?? sameTitle('title', wanted, found.reading.title);
}

/** Theirs leaves out blanks and small words. */
function normalised(value: unknown, found: Read): Check {
  const flat = (title: string) =>
    titleKey(title)
      .replace(/\b(?:a|an|of|and|the(?!^))\b(?<!^the)/g, '')
      .replace(/ /g, '');
  const tries = titles(found).map(flat);
  return check('title', [value, tries[0]], tries.includes(flat(textOf(value))));
}

type Reader = (value: unknown, context: Context) => Check[];

const marksOf = ({ reading }: Read): readonly string[] => reading.release.marks ?? [];

function season(value: unknown, { season: own, reading, numbers }: Context): Check[] {
  const form = reading.episodes?.form;
  // Theirs is 1 where no season is named, and 0 where the numbers are absolute.
  const isAbsolute = own === undefined || form === 'number' || form === 'episode';
  if (value === 0 && isAbsolute) return [];
  const isEpisode = numbers.length > 0 || reading.episodes?.part !== undefined;
  return [same('season', value, own ?? (isEpisode ? 1 : undefined))];
}

function absolute(value: unknown, { reading, numbers }: Context): Check[] {
  const own = [...(reading.episodes?.absolute ?? []), ...numbers];
  return [check('absolute', [value, own], own.includes(Number(value)))];
}

function fullSeason(value: unknown, { reading: { episodes }, numbers }: Context): Check[] {
  if (value !== true) return [];
  const isFull = episodes?.form === 'season' || numbers.length > 1;
  return [check('fullSeason', [true, episodes], (episodes?.seasons.length ?? 0) > 0 && isFull)];
}

const specialWords = /\b(?:special|ova|ovd|nc(?:op|ed))\b/i;

/** Their properties in ours; those that are not here are their own affairs. */
const readers: Readonly<Record<string, Reader>> = {
  season,
  'episodeNumbers[0]': (value, { numbers, reading }) => [
    same('episode', value, numbers[0] ?? reading.episodes?.part),
  ],
  'episodeNumbers.singleOrDefault()': (value, { numbers }) =>
    value === 0 ? [] : [same('episode', value, numbers[0])],
  'absoluteEpisodeNumbers[0]': absolute,
  'specialAbsoluteEpisodeNumbers[0]': (value, { reading }) => [
    same('half', value, reading.episodes?.absolute[0]),
  ],
  seriesTitle: (value, context) => [anyTitle(value, context)],
  'seriesTitleInfo.titleWithoutYear': (value, context) => [anyTitle(value, context)],
  primaryMovieTitle: (value, context) => [anyTitle(value, context)],
  'result~normalised': (value, context) => [normalised(value, context)],
  'movieTitle~normalised': (value, context) => [normalised(value, context)],
  'seriesTitleInfo.year': (value, { reading }) => [same('year', value || undefined, reading.year)],
  year: (value, { reading }) => [same('year', value || undefined, reading.year)],
  airDate: (value, { reading }) => [same('airDate', value, reading.episodes?.date)],
  dailyPart: (value, { reading }) => [same('part', value, reading.episodes?.part)],
  releaseGroup: (value, { reading }) => [same('group', value, reading.release.group)],
  releaseHash: (value, { reading }) => [same('hash', value || undefined, reading.release.hash)],
  fullSeason,
  special: (_value, { reading, input }) => [
    same('special', true, reading.episodes?.isSpecial === true || specialWords.test(input)),
  ],
  quality: (value, context) => quality(textOf(value), context),
  'quality.source': (value, context) => {
    const own = source(context);
    return value === 'UNKNOWN' || own === undefined ? [] : [same('source', value, own)];
  },
  'quality.resolution': (value, context) => quality(textOf(value).replace(/^R/, ''), context),
  'revision.version': (value, context) => [same('version', value, revision(context))],
  'revision.isRepack': (value, context) => [
    same(
      'repack',
      value,
      marksOf(context).includes('Repack') || (context.reading.release.proper ?? 0) > 1,
    ),
  ],
  'revision.real': (value, context) => [
    same('real', value !== 0, marksOf(context).includes('Real')),
  ],
  edition: (value, { reading }) => [
    same('edition', textOf(value).toLowerCase() || undefined, reading.edition?.toLowerCase()),
  ],
  imdbId: (value, { reading }) => [same('imdb', value, reading.ids.imdb)],
  tmdbId: (value, { reading }) => [same('tmdb', textOf(value), reading.ids.tmdb)],
  // Theirs counts both titles and both together.
  'movieTitles.count': (value, { reading }) => [
    same('titles', value === 1 ? 1 : 2, 1 + reading.alternates.length),
  ],
  'languages.count': (value, context) => [same('languages', value, languages(context).length)],
  'languages[0]': (value, context) => [
    same('languages', code(textOf(value)), languages(context)[0]),
  ],
  'first().id': (_value, context) => [same('languages', 'es', languages(context)[0])],
  hardcodedSubs: (_value, context) => [
    same('hardcoded', true, marksOf(context).includes('Hardcoded Subtitles')),
  ],
  isMultiSeason: (value, { reading }) => [
    same('multiSeason', value, (reading.episodes?.seasons.length ?? 0) > 1),
  ],
};

type Assertion = NonNullable<Case['assert']>[number];

function asserted({ path, op, value }: Assertion, context: Context): Check[] {
  const { reading, numbers } = context;
  if (op === 'contains' && /^(?:languages|result)$/.test(path) && typeof value === 'string') {
    const own = languages(context);
    return [check('languages', [value, own], own.includes(code(value)))];
  }
  if (op !== 'set_equals' || !Array.isArray(value)) return [];
  if (path === 'result') {
    const wanted = value.map((name) => code(String(name))).toSorted();
    return [same('languages', wanted, languages(context).toSorted())];
  }
  if (path === 'seriesTitleInfo.allTitles') {
    const own = [reading.title, ...reading.alternates].toSorted();
    return [same('titles', (value as string[]).toSorted(), own)];
  }
  if (/special/i.test(path)) return [same('half', value, reading.episodes?.absolute)];
  if (!/episodeNumbers/i.test(path)) return [];
  const beside = reading.episodes?.absolute ?? [];
  return [same('episodes', value, /absolute/.test(path) && beside.length > 0 ? beside : numbers)];
}

function properties(one: Case, found: Read): Check[] {
  const numbers = found.reading.episodes?.episodes ?? [];
  const context: Context = { ...found, numbers, input: textOf(one.input) };
  return [
    ...Object.entries(one.expect ?? {}).flatMap(
      ([property, value]) => readers[property]?.(value, context) ?? [],
    ),
    ...(one.assert ?? []).flatMap((assertion) => asserted(assertion, context)),
  ];
}

/** What follows the last dot-free piece of the video's name in a subtitle's. */
function subtitle(one: Case): Check[] {
  const { stem } = splitName(String(one.input));
  const close = stem.lastIndexOf(']');
  const dot = stem.indexOf('.', close < 0 ? stem.lastIndexOf(' - ') : close);
  const facts = readSubtitleTail(dot < 0 ? '' : stem.slice(dot));
  const tags = [...(facts.default ? ['default'] : []), ...(facts.forced ? ['forced'] : [])];
  const checks: Check[] = [];
  for (const [property, value] of Object.entries(one.expect ?? {})) {
    if (property === 'result') checks.push(same('language', code(textOf(value)), facts.language));
    if (property === 'language' && value !== 'Unknown')
      checks.push(same('language', code(textOf(value)), facts.language));
  }
  for (const { path, value } of one.assert ?? []) {
    const [first] = list(value);
    if (path === 'language') checks.push(same('language', code(first ?? ''), facts.language));
    if (path === 'title') checks.push(same('title', first, facts.title));
    if (path === 'languageTags' && value !== undefined) checks.push(same('tags', value, tags));
  }
  return checks;
}

function nothing(one: Case, kind: Kind): Check[] {
  const { reading, season } = read(one, kind);
  const isFound =
    kind === 'series'
      ? reading.episodes !== undefined || season !== undefined
      : reading.year !== undefined;
  return [check('nothing', [null, isFound], !isFound)];
}

const other =
  /UrlSlug|CleanSeriesTitle|CleanMovieTitle|NormalizeEpisodeTitle|SceneChecker|IsPossibleSpecial|NormalizeImdbId/;

/** Cases of Sonarr and Radarr: the names of releases. */
export const judgeArr =
  (kind: Kind) =>
  (one: Case): Check[] | string => {
    if (other.test(one.fn))
      return `ask for ${one.fn.split('.').at(-1)}, which is no reading of a name`;
    if (typeof one.input !== 'string') return 'are no names';
    if (/IsoLanguages/.test(one.fn)) {
      const wanted = one.expect?.['language'];
      if (wanted === undefined) return 'ask that a code with a region of no dialect be unknown';
      return [same('language', code(textOf(wanted)), languageCode(one.input))];
    }
    if (/ParseSubtitleLanguage/.test(one.fn)) return subtitle(one);
    if (/ReleaseGroupParser/.test(one.fn)) {
      return [
        same(
          'group',
          one.expect?.['result'] ?? null,
          read(one, kind).reading.release.group ?? null,
        ),
      ];
    }
    if (one.expect !== undefined && 'result' in one.expect && one.expect['result'] === null)
      return nothing(one, kind);
    const checks = properties(one, read(one, kind));
    return checks.length === 0 ? 'ask for defaults that are not in the name' : checks;
  };
