import { languageCode } from '#services/languages.ts';
import {
  audioExtensions,
  isMediaExtension,
  splitName,
  subtitleExtensions,
} from '#services/naming/extensions.ts';
import { idsInText, takeIds, type ProviderIds } from '#services/naming/ids.ts';
import { ignoresByRules, isIgnoredPath, parseRules } from '#services/naming/ignore.ts';
import { readName } from '#services/naming/name.ts';
import { readPath, segmentsOf, type PathReading } from '#services/naming/path.ts';
import { extraTypeOf } from '#services/naming/places.ts';
import { seasonOfFolder } from '#services/naming/season-folder.ts';
import { stubSource } from '#services/naming/stubs.ts';
import { readSubtitleTail } from '#services/naming/subtitles.ts';
import { sortTitle, titleKey } from '#services/naming/titles.ts';
import { check, same, sameTitle, textOf, type Case, type Check } from './case.ts';
import { extraName, grouped, stacks } from './lists.ts';

const options = { latestYear: 2029 } as const;
const text = (one: Case): string =>
  typeof one.input === 'string' ? one.input : String((one.input as { path?: string }).path ?? '');

interface Episode {
  readonly reading: PathReading;
  readonly numbers: readonly number[];
  readonly extension: string;
  readonly expect: Readonly<Record<string, unknown>>;
}

const episodeReaders: Readonly<Record<string, (value: unknown, read: Episode) => Check[]>> = {
  season: (value, { reading }) => [same('season', value, reading.season)],
  episode: (value, { numbers }) => [same('episode', value, numbers[0])],
  episodeEnd: (value, { numbers }) => [
    same('episodeEnd', value, numbers.length > 1 ? numbers.at(-1) : undefined),
  ],
  series: (value, { reading }) => [series(value, reading)],
  year: (_value, { reading, expect }) => [same('date', date(expect), reading.episodes?.date)],
  isByDate: (value, { reading }) => [same('isByDate', value, reading.episodes?.form === 'date')],
  success: (value, { reading }) => [same('success', value, reading.episodes !== undefined)],
  isStub: (value, { extension }) => [same('isStub', value, extension === 'disc')],
  matched: (value) => [same('matched', value, true)],
  result: (value, { reading, extension }) => {
    const isNone = audioExtensions.has(extension) || reading.place.extra !== undefined;
    return value === null ? [same('none', true, isNone)] : [];
  },
};

function episode(one: Case): Check[] | string {
  const input = text(one);
  const expect = one.expect ?? {};
  const reading = readPath(input.replace(/:(?=\d\d)/g, '-'), { ...options, kind: 'series' });
  const { stem, extension } = splitName(segmentsOf(input).at(-1) ?? '');
  const read: Episode = { reading, numbers: reading.episodes?.episodes ?? [], extension, expect };
  const own = readName(stem, options).ids;
  const checks = Object.entries(expect).flatMap(([property, value]) => [
    ...(episodeReaders[property]?.(value, read) ?? []),
    ...ids(property, value, own),
  ]);
  return checks.length === 0 ? 'ask for nothing that is read' : checks;
}

/** Theirs keeps the year in the title, and leaves it empty where only the folder says it. */
function series(value: unknown, { best, other }: PathReading): Check {
  if (value === '')
    return check('series', [value, best.title], best.from === 'folder' || best.title === '');
  const forms = [
    best.title,
    `${best.title} ${best.year ?? ''}`,
    ...(other === undefined ? [] : [`${best.title} ${other.year ?? ''}`]),
  ];
  return (
    forms.map((title) => sameTitle('series', value, title)).find(({ passes }) => passes) ??
    sameTitle('series', value, best.title)
  );
}

const date = (expect: Readonly<Record<string, unknown>>): string =>
  `${String(expect['year'])}-${String(expect['month']).padStart(2, '0')}-${String(expect['day']).padStart(2, '0')}`;

const sources: Readonly<Record<string, keyof ProviderIds>> = {
  tvdb: 'tvdb',
  tvmaze: 'tvmaze',
  tmdb: 'tmdb',
  imdb: 'imdb',
  anidb: 'anidb',
  anilist: 'anilist',
  anisearch: 'anisearch',
};

function ids(property: string, value: unknown, found: ProviderIds): Check[] {
  const match = /^tryGetProviderId\((?:MetadataProvider\.)?"?(\w+)"?\)(\..+)?$/.exec(property);
  const source = sources[(match?.[1] ?? '').toLowerCase()];
  if (match === null || source === undefined) return [];
  return match[2] === undefined
    ? [same(source, value, found[source] !== undefined)]
    : [same(source, value, found[source])];
}

function season(one: Case): Check[] {
  const input = text(one);
  const segments = segmentsOf(input);
  const parent = textOf(one.args?.[0]) || segments.slice(0, -1).join('/');
  const name = segments.at(-1) ?? '';
  const found = seasonOfFolder(name, segmentsOf(parent).at(-1));
  return Object.entries(one.expect ?? {}).flatMap(([property, value]) => {
    if (property === 'season') return [same('season', value, found)];
    if (property === 'isSeasonFolder') return [same('isSeasonFolder', value, found !== undefined)];
    return ids(property, value, takeIds(name).ids);
  });
}

function seriesFolder(one: Case): Check[] | string {
  if (/TryParseSeriesStatus/.test(one.fn))
    return 'ask for the status of a series, which names do not say';
  const input = text(one);
  const segments = segmentsOf(input);
  const own = segments.at(-1) ?? '';
  const isSeason = seasonOfFolder(own, segments.at(-2)) !== undefined;
  const reading = readName(isSeason ? (segments.at(-2) ?? '') : own, {
    ...options,
    kind: 'series',
  });
  return Object.entries(one.expect ?? {}).flatMap(([property, value]) => {
    if (property === 'series' || property === 'name')
      return [sameTitle('title', value, reading.title)];
    return ids(property, value, reading.ids);
  });
}

function extra(one: Case): Check[] {
  const root = typeof one.args?.[0] === 'string' ? one.args[0] : '';
  const input = text(one);
  const relative =
    root === '' ? input.replace(/^\/data\/something\/Movies\//, '') : input.slice(root.length + 1);
  const slash = relative.lastIndexOf('/');
  const { stem, extension } = splitName(relative.slice(slash + 1));
  const found = extraTypeOf({
    directory: relative.slice(0, Math.max(slash, 0)),
    stem,
    isVideo: !audioExtensions.has(extension),
  });
  return [same('extraType', extraName(one.expect?.['extraType']), found)];
}

function movie(one: Case): Check[] | string {
  const expect = one.expect ?? {};
  if (/ResolveMultiple/.test(one.fn))
    return grouped({
      ...one,
      input: (one.args?.[0] as { fullName: string }[]).map(({ fullName }) => fullName),
      args: [one.args?.[1]],
    });
  const input = text(one);
  const { stem, extension } = splitName(segmentsOf(input).at(-1) ?? '');
  const isStub = extension === 'disc';
  const bare = isStub
    ? splitName(stem).stem
    : isMediaExtension(extension)
      ? stem
      : (segmentsOf(input).at(-1) ?? '');
  const directory = input.includes('/') ? input.slice(0, input.lastIndexOf('/')) : '';
  const extraType = extraTypeOf({
    directory: directory.replace(/^.*Movies\//, ''),
    stem: bare,
    isVideo: true,
  });
  const reading = readName(bare.replace(/-trailer$/, ''), { ...options, kind: 'movie' });
  if (expect['result'] === false && /CleanString/.test(one.fn))
    return [sameTitle('title', bare.replace(/\.mkv$|\(\d{4}\)$/g, ''), reading.title)];
  return Object.entries(expect).flatMap(([property, value]) => {
    if (property === 'name' || property === 'out.newName')
      return [sameTitle('title', String(value).replace(/\.mkv$/, ''), reading.title)];
    if (property === 'year') return [same('year', value, reading.year)];
    if (property === 'format3D') return [same('format3d', value, reading.release.format3d)];
    if (property === 'is3D') return [same('is3d', value, reading.release.format3d !== undefined)];
    if (property === 'extraType')
      return [same('extraType', extraName(value), isStub ? undefined : extraType)];
    if (property === 'isStub') return [same('isStub', value, isStub)];
    if (property === 'stubType')
      return [same('stubType', value, isStub ? stubSource(stem) : undefined)];
    if (property === 'result' && /StubResolver/.test(one.fn))
      return [same('isStub', value, isStub)];
    if (property === 'out.stubTypeResult') return [same('stubType', value, stubSource(stem))];
    return [];
  });
}

function providerIds(one: Case): Check[] | string {
  const input = String(one.input);
  const expect = one.expect ?? {};
  if (/GetAttributeValue/.test(one.fn)) {
    const source = sources[String(one.args?.[0]).replace(/id$/, '')];
    if (source === undefined) return 'ask for a made-up provider';
    return [same(source, expect['result'], takeIds(input).ids[source])];
  }
  const source = /Imdb/.test(one.fn)
    ? 'imdb'
    : /Tmdb/.test(one.fn)
      ? 'tmdb'
      : /Tvdb/.test(one.fn)
        ? 'tvdb'
        : undefined;
  if (source === undefined) return 'are about paths, not about names';
  const found = idsInText(input, /Movie/.test(one.fn) ? 'movie' : 'series')[source];
  return [
    expect['result'] === false
      ? same(source, null, found)
      : same(source, expect['out.parsedId'], found),
  ];
}

function subtitle(one: Case): Check[] | string {
  const expect = one.expect ?? {};
  if (/GetExternal/.test(one.fn)) return 'look into folders that the case does not show';
  const { stem, extension } = splitName(String(one.input));
  const known = /audio/.test(one.fn) ? audioExtensions : subtitleExtensions;
  if (!('language' in expect)) {
    return [same('matched', expect['result'] !== null, known.has(extension))];
  }
  const facts = readSubtitleTail(stem.slice('My.Video'.length));
  return [
    same(
      'language',
      expect['language'] === null ? null : languageCode(textOf(expect['language'])),
      facts.language,
    ),
    same('title', expect['title'], facts.title),
    same('default', expect['isDefault'], facts.default),
    same('forced', expect['isForced'], facts.forced),
    same('hearingImpaired', expect['isHearingImpaired'], facts.hearingImpaired),
  ];
}

function ignored(one: Case): Check[] | string {
  const expected = one.expect?.['result'];
  if (/CheckIgnoreRules/.test(one.fn)) {
    const path = String(one.input);
    if (one.test?.includes('WithoutNormalization') === true)
      return 'ask for Windows paths as Linux names';
    return [
      same(
        'ignored',
        expected,
        ignoresByRules(
          parseRules((one.args?.[0] as string[]).join('\n')),
          path,
          one.args?.[1] === true,
        ),
      ),
    ];
  }
  const input = one.input as {
    fullName?: string;
    path?: string;
    isDirectory?: boolean;
    ignoreFile?: string | null;
    ignoreFileAt?: string;
  };
  if (typeof one.input === 'string' || input.fullName !== undefined) {
    const path = typeof one.input === 'string' ? one.input : (input.fullName ?? '');
    return [same('ignored', expected, isIgnoredPath(path))];
  }
  if (input.ignoreFile === undefined) return 'ask for more than names';
  if (input.ignoreFile === null) return [same('ignored', expected, false)];
  const at = input.ignoreFileAt ?? '';
  return [
    same(
      'ignored',
      expected,
      ignoresByRules(parseRules(input.ignoreFile), (input.path ?? '').slice(at.length), false),
    ),
  ];
}

function misc(one: Case): Check[] | string {
  const expected = one.expect ?? {};
  if (/GetMediaSourceName/.test(one.fn))
    return 'ask for a version beside others that the case does not show';
  if (/GetSortName/.test(one.fn) && one.args?.[0] === true)
    return [sameTitle('sort', expected['result'], sortTitle(String(one.input)))];
  if (/repo\.Map/.test(one.fn)) {
    const { name } = one.input as { name: string };
    return [same('key', expected['cleanName'], titleKey(name).replace(/ and /g, ' '))];
  }
  return "are about other programs' inner workings";
}

const judges: readonly (readonly [RegExp, (one: Case) => Check[] | string])[] = [
  [/^episodes/, episode],
  [/^seasons/, season],
  [/^series/, seriesFolder],
  [/^extras/, extra],
  [/^movies|^format3d/, movie],
  [/^provider-ids/, providerIds],
  [/^subtitles/, subtitle],
  [/^ignore/, ignored],
  [/^stacks/, stacks],
  [/^video-lists|^multi-version/, grouped],
  [/^nfo-sort-misc/, misc],
];

/** Cases of Jellyfin: paths of libraries. */
export const judgeJellyfin = (file: string): ((one: Case) => Check[] | string) | undefined =>
  judges.find(([name]) => name.test(file))?.[1];
