import { splitName } from '#services/naming/extensions.ts';
import { identifyPath, videoPath } from '#services/naming/identify.ts';
import { readPath, segmentsOf, type PathReading } from '#services/naming/path.ts';
import {
  check,
  includes,
  language,
  list,
  same,
  sameTitle,
  textOf,
  type Case,
  type Check,
} from './case.ts';

const sources: Readonly<Record<string, string>> = {
  Web: 'WEB',
  'HD-DVD': 'HD DVD',
  'Pay-per-view': 'PPV',
  'Video on Demand': 'VOD',
};
const codecs: Readonly<Record<string, string>> = {
  'Dolby Digital': 'AC-3',
  'Dolby Digital Plus': 'E-AC-3',
  'Dolby TrueHD': 'TrueHD',
  'Dolby Atmos': 'Atmos',
};
const editions: readonly (readonly [RegExp, string])[] = [
  [/director'?s? definitive|ddc/i, "Director's Definitive Cut"],
  [/director|\bdc\b/i, "Director's Cut"],
  [/ultimate/i, 'Ultimate'],
  [/collector/i, 'Collector'],
  [/special|\bse\b/i, 'Special'],
  [/fan/i, 'Fan'],
  [/alternat/i, 'Alternative Cut'],
  [/restore/i, 'Restored'],
  [/criterion|\bcc\b/i, 'Criterion'],
  [/extended/i, 'Extended'],
  [/theatrical/i, 'Theatrical'],
  [/imax/i, 'IMAX'],
  [/limited/i, 'Limited'],
  [/deluxe/i, 'Deluxe'],
  [/remaster/i, 'Remastered'],
  [/unrated/i, 'Unrated'],
  [/festival/i, 'Festival'],
  [/uncut/i, 'Uncut'],
  [/uncensored/i, 'Uncensored'],
];

/** Properties that are not ours to read: of music, of other programs' own taxonomies. */
const notRead = new Set([
  'cd',
  'cd_count',
  'bonus',
  'bonus_title',
  'film',
  'film_title',
  'uuid',
  'video_profile',
  'video_api',
  'size',
  'country',
  'audio_bit_rate',
  'video_bit_rate',
  'aspect_ratio',
  'mimetype',
  'disc',
  'episode_details',
  'season_count',
  'alternative_title',
  'part',
  'audio_profile',
]);

interface Context {
  readonly input: string;
  readonly expect: Case['expect'];
  /** What a subtitle's name says of its language. */
  readonly subtitle: string | undefined;
}

type Read = (expected: unknown, reading: PathReading, context: Context) => Check;

const romans = ['', 'i', 'ii', 'iii', 'iv', 'v', 'vi', 'vii', 'viii', 'ix', 'x'];

/** Theirs takes apart what we keep as one title: "Title - Other", "Title Part 3". */
function joined(title: string, expect: Case['expect']): string[] {
  const others = list(expect?.['alternative_title']);
  const part = Number(expect?.['part'] ?? 0);
  return [
    ...(others.length === 0 ? [] : [[title, ...others].join(' ')]),
    ...(part === 0
      ? []
      : [String(part), romans[part] ?? '', 'three'].map((n) => `${title} part ${n}`)),
  ];
}

const numbers = (property: string, expected: unknown, actual: readonly number[]): Check =>
  same(property, list(expected).map(Number), actual);

/** Theirs says `und` where we know the language that the word is of ("Dublado"). */
const spoken = (property: string, expected: unknown, actual: readonly string[]): Check =>
  includes(
    property,
    list(expected)
      .map(language)
      .filter((one) => one !== 'und' || actual.length === 0),
    actual,
  );

const readers: Readonly<Record<string, Read>> = {
  type: (expected, { kind }) => same('type', expected, kind === 'series' ? 'episode' : 'movie'),
  title: (expected, { best }, { expect }) => {
    const plain = best.title.replace(/\s*\(?\b(?:us|uk|au|nz)\b\)?$/i, '');
    const forms = [best.title, plain, [best.title, ...best.alternates].join(' aka ')];
    const wanted = [textOf(expected), ...joined(textOf(expected), expect)];
    const isSame = forms.some((form) => wanted.some((one) => sameTitle('', one, form).passes));
    return check('title', [expected, best.title], isSame);
  },
  // Theirs takes a season's number for the year.
  year: (expected, { best }, { expect }) =>
    same('year', expected, expect?.['season'] === expected ? expected : best.year),
  screen_size: (expected, { best }) => same('screen_size', expected, best.release.resolution),
  source: (expected, { best }) =>
    same('source', sources[String(expected)] ?? expected, best.release.source),
  video_codec: (expected, { best }) => same('video_codec', expected, best.release.videoCodec),
  audio_codec: (expected, { best }) =>
    includes(
      'audio_codec',
      list(expected).map((one) => codecs[one] ?? one),
      best.release.audioCodecs ?? [],
    ),
  audio_channels: (expected, { best }) =>
    same('audio_channels', list(expected)[0], best.release.channels),
  color_depth: (expected, { best }) => same('color_depth', expected, best.release.depth),
  streaming_service: (expected, { best }) =>
    same('streaming_service', expected, best.release.service),
  release_group: (expected, { best }) => {
    const bare = (group: unknown) =>
      typeof group === 'string' ? group.replace(/\[[^\]]*\]$/, '') : null;
    return same('release_group', bare(expected), bare(best.release.group ?? null));
  },
  container: (expected, { best }, { input }) => {
    const { extension } = splitName(segmentsOf(input).at(-1) ?? '');
    const known = [extension, best.release.container ?? ''];
    return check('container', [expected, known], known.includes(textOf(expected).toLowerCase()));
  },
  edition: (expected, { best }) =>
    includes(
      'edition',
      list(expected),
      editions.filter(([word]) => word.test(best.edition ?? '')).map(([, name]) => name),
    ),
  language: (expected, { best }) => spoken('language', expected, best.release.languages ?? []),
  subtitle_language: (expected, { best }, { subtitle }) =>
    spoken('subtitle_language', expected, [
      ...(best.release.subtitles ?? []).map(language),
      ...(subtitle === undefined ? [] : [subtitle]),
    ]),
  website: (expected, { best }) => same('website', expected, best.release.website),
  season: (expected, reading) =>
    numbers(
      'season',
      expected,
      Array.isArray(expected)
        ? (reading.episodes?.seasons ?? [])
        : reading.season === undefined
          ? []
          : [reading.season],
    ),
  episode: (expected, reading) => numbers('episode', expected, reading.episodes?.episodes ?? []),
  absolute_episode: (expected, reading) =>
    numbers('absolute_episode', expected, reading.episodes?.absolute ?? []),
  episode_count: (expected, reading) => same('episode_count', expected, reading.episodes?.count),
  date: (expected, reading) => same('date', expected, reading.episodes?.date),
  crc32: (expected, { best }) => same('crc32', String(expected).toUpperCase(), best.release.hash),
  version: (expected, reading) =>
    same('version', expected, reading.episodes?.version ?? reading.best.release.version),
  proper_count: (expected, { best }) => same('proper_count', expected, best.release.proper),
  frame_rate: (expected, { best }) => same('frame_rate', expected, best.release.frameRate),
  episode_title: (expected, reading) => sameTitle('episode_title', expected, reading.episodeTitle),
  other: (expected, { best }) => {
    const { marks = [], hdrs = [], format3d, proper } = best.release;
    const own = [
      ...marks,
      ...hdrs,
      ...(format3d === undefined ? [] : ['3D']),
      ...(proper === undefined ? [] : ['Proper']),
    ];
    return includes('other', list(expected), own);
  },
};

const ours = (options: unknown): { kind?: 'movie' | 'series' } | undefined => {
  if (options === undefined || options === null) return {};
  if (options === '-t episode') return { kind: 'series' };
  return options === '--type movie' ? { kind: 'movie' } : undefined;
};

/** Cases of guessit: a path or a release's name, and its properties. */
export function judgeGuessit(one: Case): Check[] | string {
  const input = String(one.input);
  const options = ours(one.options);
  if (options === undefined) return 'needs options that only guessit has';
  const naming = { latestYear: 2029, ...options };
  const reading = readPath(videoPath(input, false), naming);
  const subtitle = identifyPath(input, naming).subtitle?.language;
  const context: Context = { input, expect: one.expect, subtitle };
  const checks = Object.entries(one.expect ?? {})
    .filter(([property]) => !notRead.has(property))
    .map(([property, expected]) => readers[property]?.(expected, reading, context))
    .filter((found) => found !== undefined);
  if (checks.length === 0) return 'asks for properties that we do not read';
  if (one.negates === true) {
    return [
      check(
        'negated',
        [one.expect, reading.best],
        checks.some(({ passes }) => !passes),
      ),
    ];
  }
  return checks;
}
